/**
 * Password digests as WSO2's servers make and read them.
 *
 * @module
 */

import { createHash, getHashes, randomBytes, timingSafeEqual } from 'node:crypto'
import type { StoredPassword } from './schema/user-schema.js'

/** Makes and compares digests of one kind. */
export interface SaltedDigest {
  /** A digest with a new salt. */
  make(password: string): StoredPassword
  /** Compares in constant time. */
  matches(password: string, stored: StoredPassword): boolean
}

/** Bytes of a salt: 24 characters in base64, of the column's 31. */
const saltBytes = 16

/** Spellings of Java that OpenSSL has other names for. */
const opensslNames: Readonly<Record<string, string>> = {
  SHA: 'sha1',
  'SHA-1': 'sha1',
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
  'SHA-512/224': 'sha512-224',
  'SHA-512/256': 'sha512-256',
}

/** `PasswordDigest` of a database whose passwords are not hashed. */
export const plainText = 'PLAIN_TEXT'

/** OpenSSL's name for a `PasswordDigest`; `undefined` when there is none. */
export function digestName(digest: string): string | undefined {
  const name = opensslNames[digest.toUpperCase()] ?? digest.toLowerCase()
  return getHashes().includes(name) || getHashes().includes(name.toUpperCase()) ? name : undefined
}

/**
 * The digest that `PasswordDigest` and `StoreSaltedPassword` ask for: the standard base64 of one digest over the UTF-8 of
 * the password, followed by the base64 text of the salt. One round of a fast digest does not withstand guessing once a
 * database is stolen; it is kept because the servers that share the database read nothing else.
 */
export function saltedDigest(digest: string, isSalted: boolean): SaltedDigest {
  const name = digest === plainText ? undefined : digestName(digest)
  const digestOf = (password: string, salt: string): string =>
    name === undefined
      ? password + salt
      : createHash(name)
          .update(password + salt, 'utf8')
          .digest('base64')

  return {
    make(password) {
      const salt = isSalted ? randomBytes(saltBytes).toString('base64') : ''
      return { hash: digestOf(password, salt), salt }
    },
    matches(password, stored) {
      return isEqual(digestOf(password, isSalted ? stored.salt : ''), stored.hash)
    },
  }
}

/** Both are hashed first, so that the time does not tell how long or how much of it was right. */
function isEqual(one: string, other: string): boolean {
  const bytesOf = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(bytesOf(one), bytesOf(other))
}
