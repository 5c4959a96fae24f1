/**
 * Verifies the signature of a compact JWS (RFC 7515 section 3.1). What it says is the caller's to check.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { type CryptoKey, compactVerify } from 'jose'
import type { KeyRing } from '../keys/key-ring.js'
import { parseJsonObject } from './strict-json.js'

/** Longest token that is looked at. Issued ones have less than a tenth of it. */
export const maxTokenLength = 8192

const maxKidLength = 256

/**
 * Header parameters that are refused wherever they appear: critical extensions, none of which is supported (RFC 7515
 * section 4.1.11); unencoded payloads (RFC 7797); compression; and keys that the token brings along (RFC 8725 section 3.10).
 */
const refusedParameters = ['crit', 'b64', 'zip', 'jku', 'jwk', 'x5u', 'x5c']

/** A JWS whose signature is good. */
export interface VerifiedJws {
  readonly header: ReadonlyMap<string, unknown>
  readonly payload: Uint8Array
}

/** What the header says of the key. */
export interface KeyName {
  /** `undefined`: the header names none. */
  readonly kid: string | undefined
  /** Not to be believed: the key decides. */
  readonly algorithm: unknown
}

/** A key and the one algorithm it is used with. A key object, never text. */
export interface JwsKey {
  readonly algorithm: string
  readonly key: KeyObject | CryptoKey
}

/** Finds the key of a header. It throws or rejects where there is none. */
export type FindKey = (name: KeyName) => JwsKey | Promise<JwsKey>

/**
 * Verifies a compact JWS with the key that its `kid` names, and only with that key's own algorithm.
 *
 * @throws an Error that says why, for the log; it has no part of the token.
 */
export function verifyCompactJws(token: string, keys: Pick<KeyRing, 'find'>): Promise<VerifiedJws> {
  return verifyJws(token, ({ kid }) => {
    const found = kid === undefined ? undefined : keys.find(kid)
    if (found === undefined) throw new Error('the key is not known')
    return { algorithm: found.algorithm, key: found.publicKey }
  })
}

/**
 * Verifies a compact JWS with a key that is looked up by its header, and only with that key's own algorithm.
 *
 * @throws an Error that says why, for the log; it has no part of the token. What `findKey` throws is passed on.
 */
export async function verifyJws(token: string, findKey: FindKey, maxLength = maxTokenLength): Promise<VerifiedJws> {
  const header = parseJsonObject(headerBytes(token, maxLength))
  for (const name of refusedParameters) {
    if (header.has(name)) throw new Error(`the header has ${name}`)
  }
  const kid = header.get('kid')
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > maxKidLength))
    throw new Error('the key is not known')
  const { algorithm, key } = await findKey({ kid, algorithm: header.get('alg') })
  if (header.get('alg') !== algorithm) throw new Error('the algorithm is not that of the key')

  const { payload } = await compactVerify(token, key, { algorithms: [algorithm] })
  return { header, payload }
}

/** Checks the outer form before anything is interpreted. */
function headerBytes(token: string, maxLength: number): Uint8Array {
  if (token.length > maxLength) throw new Error('the token is too long')
  const parts = token.split('.', 4)
  if (parts.length !== 3) throw new Error('the token has not three parts')
  const [header] = parts.map(canonicalBytes)
  return header!
}

/** Decodes base64url. The one spelling that encoding gives back is accepted: no padding, blanks or stray bits. */
function canonicalBytes(part: string): Uint8Array {
  const bytes = Buffer.from(part, 'base64url')
  if (part === '' || bytes.toString('base64url') !== part) throw new Error('a part is not canonical base64url')
  return bytes
}
