/**
 * The symmetric key of secrets, as WSO2's Cipher Tool takes it.
 *
 * @module
 */

const hexadecimal = /^[0-9a-f]{64}$/i

const keyBytes = 32

/** Reads a key of AES-256: 64 hexadecimal digits, or a text of 32 bytes. `undefined` for anything else. */
export function parseSymmetricKey(text: string): Buffer | undefined {
  if (hexadecimal.test(text)) return Buffer.from(text, 'hex')
  const bytes = Buffer.from(text)
  return bytes.length === keyBytes ? bytes : undefined
}
