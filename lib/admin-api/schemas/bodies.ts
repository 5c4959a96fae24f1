/**
 * How members of a request's body are read, with the messages that WSO2's clients know.
 *
 * @module
 */

import * as z from 'zod'
import { invalidRequest, type JsonMembers } from '../json-body.js'

/** @throws `BadRequestError` (400, `ERR_REQUEST_INVALID`) with the first thing that is wrong. Members that are not known are left out. */
export function readBody<Schema extends z.ZodObject>(schema: Schema, body: JsonMembers): z.output<Schema> {
  const outcome = schema.safeParse(Object.fromEntries(body))
  if (outcome.success) return outcome.data
  const { path, message } = outcome.error.issues[0]!
  throw invalidRequest(message.startsWith('must ') ? `'${String(path[0])}' ${message}` : message)
}

const mustBeText = 'must be a text.'

/** A text that has to be there. `missing` is the whole message for one that is not, or is empty. */
export function requiredText(missing: string): z.ZodString {
  return z.string({ error: ({ input }) => ((input ?? '') === '' ? missing : mustBeText) }).min(1, missing)
}

/** A text that may be missing, null or empty: then it is `''`. */
export function optionalText(): z.ZodType<string, string | null | undefined> {
  return z
    .string({ error: mustBeText })
    .nullish()
    .transform((value) => value ?? '')
}

/** `true` or `false`, or the same as a text, which is how WSO2's clients write it. */
export function flag(): z.ZodType<boolean, boolean | string> {
  const error = 'must be true or false.'
  const inWords = z.string({ error }).regex(/^(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$/, { error })
  return z
    .union([z.boolean(), inWords], { error })
    .transform((value) => (typeof value === 'string' ? value.toLowerCase() === 'true' : value))
}

/** A list of texts, which loses repetitions; `undefined` when it is missing or null. */
export function optionalTexts(): z.ZodType<readonly string[] | undefined, readonly string[] | null | undefined> {
  const error = 'must be a list of texts.'
  return z
    .array(z.string({ error }).min(1, error), { error })
    .nullish()
    .transform((texts) => (texts === null || texts === undefined ? undefined : [...new Set(texts)]))
}
