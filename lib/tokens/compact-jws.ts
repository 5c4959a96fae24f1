/**
 * Verifies the signature of a compact JWS (RFC 7515 section 7.1), and refuses whatever could be read in two ways.
 *
 * @module
 */

import { compactVerify } from 'jose'
import type { KeyRing } from './key-ring.js'
import { parseJsonObject } from './strict-json.js'

/** Longest token that is looked at. Ours have less than a tenth of it. */
export const maxTokenLength = 8192

const maxKidLength = 256

/**
 * Header parameters that are refused wherever they appear: critical extensions, of which we know none (RFC 7515 section
 * 4.1.11); unencoded payloads (RFC 7797); compression; and keys that the token brings along (RFC 8725 section 3.10).
 */
const refusedParameters = ['crit', 'b64', 'zip', 'jku', 'jwk', 'x5u', 'x5c']

/** A JWS whose signature is good. */
export interface VerifiedJws {
  readonly header: ReadonlyMap<string, unknown>
  readonly payload: Uint8Array
}

/**
 * Verifies a compact JWS with the key that its `kid` names, and only with that key's own algorithm.
 *
 * @throws an Error that says why, for the log; it has no part of the token.
 */
export async function verifyCompactJws(token: string, keys: Pick<KeyRing, 'find'>): Promise<VerifiedJws> {
  const header = parseJsonObject(headerBytesOf(token))
  for (const name of refusedParameters) {
    if (header.has(name)) throw new Error(`the header has ${name}`)
  }
  const kid = header.get('kid')
  const key = typeof kid === 'string' && kid.length <= maxKidLength ? keys.find(kid) : undefined
  if (key === undefined) throw new Error('the key is not known')
  if (header.get('alg') !== key.algorithm) throw new Error('the algorithm is not that of the key')

  const { payload } = await compactVerify(token, key.publicKey, { algorithms: [key.algorithm] })
  return { header, payload }
}

/** Checks the outer form before anything is interpreted. */
function headerBytesOf(token: string): Uint8Array {
  if (token.length > maxTokenLength) throw new Error('the token is too long')
  const parts = token.split('.', 4)
  if (parts.length !== 3) throw new Error('the token has not three parts')
  const [header] = parts.map(canonicalBytesOf)
  return header!
}

/** Decodes base64url. The one spelling that encoding gives back is accepted: no padding, blanks or stray bits. */
function canonicalBytesOf(part: string): Uint8Array {
  const bytes = Buffer.from(part, 'base64url')
  if (part === '' || bytes.toString('base64url') !== part) throw new Error('a part is not canonical base64url')
  return bytes
}
