/**
 * Answers of `/reload`.
 *
 * @module
 */

import * as z from 'zod'
import { component } from '../../core/components.js'

export const reloadOutcome = component(
  'Reloaded',
  'The configuration file was read and is in effect.',
  z.object({
    status: z.literal('Reloaded').describe('Always this.'),
    changed: z.array(z.string()).readonly().describe('Names of the tables that have changed.'),
    atNextStart: z.array(z.string()).readonly().describe('Keys whose change takes effect at the next start.'),
  }),
)
export type ReloadOutcome = Readonly<z.output<typeof reloadOutcome>>
