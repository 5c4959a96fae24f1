/**
 * The answer of a login.
 *
 * @module
 */

import * as z from 'zod'
import { component } from '../core/components.js'

export const loginAnswer = component(
  'Login',
  'The token of a login.',
  z.object({ AccessToken: z.string().describe('What is sent as `Authorization: Bearer` from now on.') }),
)
export type LoginAnswer = Readonly<z.output<typeof loginAnswer>>
