/**
 * The two forms of a refusal: see `answerRefusal`.
 *
 * @module
 */

import * as z from 'zod'
import { component } from '../core/components.js'

const code = z
  .string()
  .regex(/^ERR_[A-Z_]+$/)
  .meta({
    description: 'What programs may switch on. It never changes within a major version.',
    examples: ['ERR_REQUEST_INVALID'],
  })

/** What a client gets that does not ask for `application/problem+json`. */
export const flatError = component(
  'Error',
  'Why a request was refused.',
  z.object({ Error: z.string().describe('The reason, for people.'), code }),
)

/** RFC 9457. */
export const problem = component(
  'Problem',
  'Why a request was refused, as RFC 9457 has it.',
  z.object({
    type: z.literal('about:blank').describe('Always this.'),
    title: z.string().describe('What the status is called.'),
    status: z.int().describe('The status.'),
    detail: z.string().describe('The reason, for people.'),
    code,
  }),
)
