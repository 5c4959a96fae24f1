/**
 * Passwords as directories take them.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { BerWriter } from 'ldapts'

/** Object identifier of the password modify operation (RFC 3062 section 2). */
export const passwordModifyOid = '1.3.6.1.4.1.4203.1.11.1'

/** What a directory without RFC 3062 is given. */
export type PasswordHashMethod = 'PLAIN_TEXT' | 'SHA' | 'MD5'

const digests = { SHA: 'sha1', MD5: 'md5' } as const

/** Whether `password_hash_method` is known. */
export function isPasswordHashMethod(method: string): method is PasswordHashMethod {
  return method === 'PLAIN_TEXT' || Object.hasOwn(digests, method)
}

/** A value of `userPassword` (RFC 2307 section 5.3). Plain text is left to the directory to hash. */
export function userPasswordValue(password: string, method: PasswordHashMethod): string {
  if (method === 'PLAIN_TEXT') return password
  return `{${method}}${createHash(digests[method]).update(password, 'utf8').digest('base64')}`
}

/** A value of `unicodePwd`: the password in quotation marks, in UTF-16 ([MS-ADTS] section 3.1.1.3.1.5). */
export function unicodePwdValue(password: string): Buffer {
  return Buffer.from(`"${password}"`, 'utf16le')
}

const userIdentityTag = 0x80
const newPasswordTag = 0x82

/** The value of a password modify operation: whose, and the new one. */
export function passwordModifyValue(dn: string, password: string): Buffer {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeString(dn, userIdentityTag)
  writer.writeString(password, newPasswordTag)
  writer.endSequence()
  return writer.buffer
}
