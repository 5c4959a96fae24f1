/**
 * The text of an API token: `sallyport_`, 256 random bits, and a checksum, as scanners for leaked secrets look for.
 *
 * @module
 */

import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** What every API token begins with. */
export const apiTokenPrefix = 'sallyport_'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Digits that 256 bits and a CRC-32 take in base 62. */
const secretLength = 43
const checksumLength = 6

const form = new RegExp(`^${apiTokenPrefix}[0-9A-Za-z]{${secretLength + checksumLength}}$`)

/** Makes a new one. */
export function createApiToken(): string {
  const secret = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), secretLength)
  return `${apiTokenPrefix}${secret}${checksumOf(secret)}`
}

/** Whether a text has the form, with the right checksum: a token that was cut or misspelled is told without looking it up. */
export function isApiToken(text: string): boolean {
  if (!form.test(text)) return false
  const secret = text.slice(apiTokenPrefix.length, -checksumLength)
  return text.endsWith(checksumOf(secret))
}

/** What the configuration has of it: SHA-256, hexadecimal. Slow hashes are for what people choose. */
export function hashApiToken(token: string): string {
  return hash('sha256', token)
}

function checksumOf(secret: string): string {
  return base62(BigInt(crc32(secret)), checksumLength)
}

function base62(value: bigint, length: number): string {
  let rest = value
  let text = ''
  for (let index = 0; index < length; index++) {
    text = digits[Number(rest % 62n)] + text
    rest /= 62n
  }
  return text
}
