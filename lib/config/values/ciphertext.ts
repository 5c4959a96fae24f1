/**
 * Ciphertext as WSO2's tools write it: how it is told apart, decrypted and made.
 *
 * - Base64 of what RSA-OAEP with SHA-1 and MGF1 with SHA-1 gives (RFC 8017 section 7.1): the Cipher Tool and `apictl`.
 * - Base64 of `{"c": ..., "t": transformation, "tp": thumbprint, "tpd": digest}`, in which `c` is that: WSO2's key store.
 * - Base64 of `{"cipherText": ..., "iv": ...}`: the Cipher Tool and `apictl` with a symmetric key, AES-256-GCM with a tag of
 *   128 bits at the end.
 *
 * @module
 */

import {
  constants,
  createDecipheriv,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  type X509Certificate,
} from 'node:crypto'

export type Ciphertext =
  | { readonly kind: 'rsa'; readonly bytes: Buffer; readonly thumbprint: string | undefined }
  | { readonly kind: 'aes'; readonly bytes: Buffer; readonly iv: Buffer }

const base64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^[A-Za-z0-9+/]{2,3}={1,2}$/

const oaep = /^RSA\/ECB\/OAEPwithSHA-?1andMGF1Padding$/i

const tagBytes = 16

/** Reads ciphertext; lines may be broken. `undefined` when it is nothing of the kind. */
export function parseCiphertext(text: string): Ciphertext | undefined {
  const bytes = decodeBase64(text.replace(/\s+/g, ''))
  if (bytes === undefined) return undefined
  const members = bytes[0] === openingBrace ? parseMembers(bytes) : undefined
  if (members === undefined) return rsaCiphertext(bytes)

  const { c, t, tp, cipherText, iv } = members
  if (typeof c === 'string' && typeof t === 'string' && oaep.test(t)) {
    const inner = decodeBase64(c)
    return inner && rsaCiphertext(inner, typeof tp === 'string' ? tp : undefined)
  }
  if (typeof cipherText !== 'string' || typeof iv !== 'string') return undefined
  const [inner, vector] = [decodeBase64(cipherText), decodeBase64(iv)]
  if (inner === undefined || vector === undefined || inner.length < tagBytes) return undefined
  return { kind: 'aes', bytes: inner, iv: vector }
}

export interface SecretsKey {
  readonly key: KeyObject
  readonly certificates: readonly X509Certificate[]
}

/** `undefined` when it was not encrypted with the public key, or not in this way. */
export function decryptWithKey(
  { bytes, thumbprint }: Extract<Ciphertext, { kind: 'rsa' }>,
  { key, certificates: [certificate] }: SecretsKey,
): string | undefined {
  const thumbprints = [certificate?.fingerprint, certificate?.fingerprint256].map(plainThumbprint)
  if (thumbprint !== undefined && !thumbprints.includes(plainThumbprint(thumbprint))) return undefined
  return decryptText(() => privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, bytes))
}

/** Decrypts with a symmetric key of 32 bytes. `undefined` when it is another key, or the ciphertext was changed. */
export function decryptWithSymmetricKey(
  { bytes, iv }: Extract<Ciphertext, { kind: 'aes' }>,
  key: Buffer,
): string | undefined {
  return decryptText(() => {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
    decipher.setAuthTag(bytes.subarray(-tagBytes))
    return Buffer.concat([decipher.update(bytes.subarray(0, -tagBytes)), decipher.final()])
  })
}

/** Encrypts a text so that WSO2 reads it as well. `undefined` when it is too long for the key. */
export function encryptForKey(text: string, publicKey: KeyObject): string | undefined {
  const bytes = Buffer.from(text)
  if (bytes.length > longestPlainText(publicKey)) return undefined
  const options = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }
  return publicEncrypt(options, bytes).toString('base64')
}

/** How many bytes can be encrypted (RFC 8017 section 7.1.1): the digest of SHA-1 has 20. */
export function longestPlainText({ asymmetricKeyDetails }: KeyObject): number {
  return (asymmetricKeyDetails?.modulusLength ?? 0) / 8 - 2 * 20 - 2
}

/** As much as the key has, which has 1024 bits at least. What is shorter is a password whose letters are those of base64. */
function rsaCiphertext(bytes: Buffer, thumbprint?: string): Ciphertext | undefined {
  return bytes.length < 128 ? undefined : { kind: 'rsa', bytes, thumbprint }
}

const openingBrace = 0x7b

function decodeBase64(text: string): Buffer | undefined {
  return base64.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** A raw ciphertext that begins with a brace by chance is no JSON. */
function parseMembers(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(decode(bytes)) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** Nothing of the reason is kept: it would tell nothing but that another key is needed. */
function decryptText(decrypt: () => Buffer): string | undefined {
  try {
    return decode(decrypt())
  } catch {
    return undefined
  }
}

function decode(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

function plainThumbprint(thumbprint: string | undefined): string | undefined {
  return thumbprint?.replaceAll(':', '').toLowerCase()
}

const hexadecimal = /^[0-9a-f]{64}$/i

const keyBytes = 32

/** Reads a key of AES-256: 64 hexadecimal digits, or a text of 32 bytes. `undefined` for anything else. */
export function parseSymmetricKey(text: string): Buffer | undefined {
  if (hexadecimal.test(text)) return Buffer.from(text, 'hex')
  const bytes = Buffer.from(text)
  return bytes.length === keyBytes ? bytes : undefined
}
