/**
 * Bodies of requests, and how they are read, with the messages that WSO2's clients know.
 *
 * @module
 */

import * as z from 'zod'
import { component } from '../../core/components.js'
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
function requiredText(missing: string): z.ZodString {
  return z.string({ error: ({ input }) => ((input ?? '') === '' ? missing : mustBeText) }).min(1, missing)
}

/** A text that may be missing, null or empty: then it is `''`. */
function optionalText(): z.ZodType<string, string | null | undefined> {
  return z
    .string({ error: mustBeText })
    .nullish()
    .transform((value) => value ?? '')
}

/** `true` or `false`, or the same as a text, which is how WSO2's clients write it. */
function flag(): z.ZodType<boolean, boolean | string> {
  const error = 'must be true or false.'
  const inWords = z.string({ error }).regex(/^(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$/, { error })
  return z
    .union([z.boolean(), inWords], { error })
    .transform((value) => (typeof value === 'string' ? value.toLowerCase() === 'true' : value))
}

/** A list of texts, which loses repetitions; `undefined` when it is missing or null. */
function optionalTexts(): z.ZodType<readonly string[] | undefined, readonly string[] | null | undefined> {
  const error = 'must be a list of texts.'
  return z
    .array(z.string({ error }).min(1, error), { error })
    .nullish()
    .transform((texts) => (texts === null || texts === undefined ? undefined : [...new Set(texts)]))
}

export const domain = 'The user store, by its `domain_name`; without it the primary one.'

const newUserMissing = "Missing one or more of the fields, 'userId', 'password' in the payload."

export const newUser = component(
  'NewUser',
  'A user to add.',
  z.object({
    userId: requiredText(newUserMissing).describe('The name, without a colon.'),
    password: requiredText(newUserMissing).describe('The password.'),
    domain: optionalText().optional().describe(domain),
    isAdmin: flag().nullish().describe('Whether the user gets the role of administrators.'),
  }),
)

const passwordMissing = 'New password or re-typed password is missing in the payload.'

export const passwordChange = component(
  'PasswordChange',
  'A new password of a user, which ends the sessions of that user.',
  z.object({
    newPassword: requiredText(passwordMissing).describe('The new password.'),
    confirmPassword: requiredText(passwordMissing).describe('The same once more.'),
    oldPassword: optionalText().optional().describe('The present password, where callers change their own.'),
  }),
)

export const disabledChange = component(
  'DisabledChange',
  'Whether a user can log in. Disabling ends the sessions of that user.',
  z.object({ disabled: flag().describe('`true`: no login is taken any more.') }),
)

export const userChange = z.union([passwordChange, disabledChange])

export const newRole = component(
  'NewRole',
  'A role to add.',
  z.object({
    role: requiredText('Missing role name in the payload.').describe('The name.'),
    domain: optionalText().optional().describe('The user store, or `Internal` or `Application`.'),
  }),
)

export const rolesMissing = "Missing one or more of the fields, 'userId', 'addedRoles', 'removedRoles' in the payload."

export const roleChange = component(
  'RoleChange',
  'Roles that a user gets and loses.',
  z.object({
    userId: requiredText(rolesMissing).describe('The name of the user.'),
    domain: optionalText().optional().describe(domain),
    addedRoles: optionalTexts().optional().describe('Roles that the user gets.'),
    removedRoles: optionalTexts().optional().describe('Roles that the user loses.'),
  }),
)

/** What is said to a body without it. */
export const versionMissing = 'Send {"version"} with that of GET /reload, or no body.'

export const reloadRequest = component(
  'ReloadRequest',
  'The preview that the reload is of. Without it, whatever the file says is taken over.',
  z.object({
    version: z.string({ error: versionMissing }).min(1, versionMissing).describe('That of `GET /reload`.'),
  }),
)
