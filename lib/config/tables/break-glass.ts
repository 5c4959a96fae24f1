/**
 * `[management_api.break_glass]`: an account for the time when the user store cannot be reached.
 *
 * @module
 */

import type { BreakGlassConfig } from '../config.js'
import { duration, type Field, field, filledText, flag, refuseAt, table } from '../fields.js'
import { networks } from './control-access.js'

/** HTTP Basic ends a name at the first colon (RFC 7617 section 2), and a slash would make a domain of what is before it. */
const userName = filledText.refine((name) => !/[:/]/.test(name) && name.length <= 255, {
  error: 'must be a name of 1 to 255 characters, without colons and slashes',
})

/** How the hashes begin that can be verified: argon2id, scrypt, bcrypt. */
const hashStart = /^\$(?:argon2id|scrypt|2[aby])\$/

const passwordHash = field((value, refuse) =>
  typeof value === 'string' && hashStart.test(value)
    ? value
    : refuse('must be a hash from "sallyport hash-password", not a plain password'),
)

/** The account; `undefined` when it is not enabled. */
export const breakGlassTable: Field<BreakGlassConfig | undefined> = table({
  enable: flag.prefault(false),
  user: userName.optional(),
  password: passwordHash.optional(),
  allow: networks.optional(),
  after: duration().prefault('30s'),
  max_token_age: duration().prefault('15m'),
}).transform(({ enable, user, password, allow = [], after, max_token_age }, context) => {
  if (!enable) return undefined
  if (user === undefined) refuseAt(context, ['user'], 'must name the account')
  if (password === undefined) refuseAt(context, ['password'], 'must be a hash from "sallyport hash-password"')
  if (allow.length === 0) refuseAt(context, ['allow'], 'must list the networks that the account may be used from')
  if (user === undefined || password === undefined) return undefined
  return {
    userName: user,
    passwordHash: password,
    allowedNetworks: allow,
    afterSeconds: after,
    maxTokenAgeSeconds: Math.ceil(max_token_age),
  }
})
