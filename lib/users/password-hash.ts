/**
 * Password hashes: made with argon2id, verified for argon2id, scrypt and bcrypt.
 *
 * Passwords are taken as they come, but for Unicode: NFC before hashing and before verifying (RFC 8265 section 4.2.1), so
 * that the same password typed on another system is the same.
 *
 * @module
 */

import { StoreError } from '../core/errors.js'
import { argon2id, hashArgon2id, isOutdatedArgon2id } from './password-schemes/argon2id.js'
import { bcrypt } from './password-schemes/bcrypt.js'
import { hashInside } from './password-schemes/hash-inside.js'
import type { PasswordScheme } from './password-schemes/password-scheme.js'
import { scrypt } from './password-schemes/scrypt.js'

/** Longer passwords (in UTF-8) are refused before any work is done for them. */
export const maxPasswordBytes = 1024

/** Each kind by the id between the first two `$`. */
const schemes: ReadonlyMap<string, PasswordScheme> = new Map([
  ['argon2id', argon2id],
  ['scrypt', scrypt],
  ['2a', bcrypt],
  ['2b', bcrypt],
  ['2y', bcrypt],
])

/**
 * Makes an argon2id hash (19 MiB, 2 passes, 1 lane) in the PHC string format.
 *
 * @throws RangeError when the password has more than 1024 bytes in UTF-8.
 */
export async function hashPassword(password: string): Promise<string> {
  if (!isHashable(password)) throw new RangeError(`a password has at most ${maxPasswordBytes} bytes`)
  return hashArgon2id(password.normalize('NFC'))
}

/** Whether a text holds a password hash and is no plain password. It may be one that cannot be used as it is written. */
export function isPasswordHash(text: string): boolean {
  return hashInside(text) !== undefined
}

/**
 * What is wrong with a password hash, in words that can follow a name; `undefined` when it can be verified. Hashes that
 * would take too much memory or time are refused here, at start-up, not at a login.
 */
export function checkPasswordHash(text: string): string | undefined {
  const scheme = schemeOf(text)
  const problem = scheme?.problemOf(text)
  if (scheme !== undefined && problem === undefined) return undefined
  if (hasMoreThanHash(text)) {
    return (
      'does not stand alone: a blank, a line break, quotes, a name or a mark like {bcrypt} is before, in or after it; ' +
      'write only what begins with the first $, or make one with: sallyport hash-password'
    )
  }
  return problem ?? 'is a kind of hash that is not known; make one with: sallyport hash-password'
}

/**
 * Whether this is the password that was hashed. Compared in constant time; the time depends on the hash alone.
 *
 * @throws {@link StoreError} when the hash has a problem (see {@link checkPasswordHash}), and for a bcrypt hash without the
 * package `bcryptjs`.
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const problem = checkPasswordHash(hash)
  if (problem !== undefined) throw new StoreError(`a stored password ${problem}`)
  if (!isHashable(password)) return false
  return schemeOf(hash)!.verify(password.normalize('NFC'), hash)
}

/** Whether the password should be hashed anew at the next good login: another kind, or weaker than a hash made today. */
export function needsRehash(hash: string): boolean {
  return isOutdatedArgon2id(hash)
}

/**
 * Loads what verifying these hashes needs, so that a missing package shows at start-up. `key`: what has the hashes.
 *
 * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs it.
 */
export async function loadPasswordSchemes(hashes: readonly string[], key: string): Promise<void> {
  for (const scheme of new Set(hashes.map(schemeOf))) await scheme?.load(key)
}

/** A hash that can be verified is whole as it is, or it has something around it. */
function hasMoreThanHash(text: string): boolean {
  return hashInside(text) === 'verifiable' && !/^\$(?:argon2\w*|scrypt|2[a-z]?)\$[!-~]+$/.test(text)
}

function schemeOf(hash: string): PasswordScheme | undefined {
  return schemes.get(/^\$([a-z0-9-]+)\$/.exec(hash)?.[1] ?? '')
}

function isHashable(password: string): boolean {
  return Buffer.byteLength(password) <= maxPasswordBytes
}
