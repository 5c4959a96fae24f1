/**
 * Verifies access tokens (RFC 9068) whose record came from outside this process. All others are decided by the store.
 *
 * @module
 */

import { compactVerify } from 'jose'
import { UnauthorizedError } from '../../core/errors.js'
import { hasControlCharacter } from '../../core/names.js'
import type { KeyRing } from '../keys/key-ring.js'
import { tokenType } from './sign-token.js'
import { parseJsonObject } from './strict-json.js'

/** What a token must be good for. */
export interface TokenExpectations {
  readonly keys: Pick<KeyRing, 'find'>
  /** Compared character by character. `undefined`: whoever has the keys. */
  readonly issuer: string | undefined
  /** Compared character by character with `aud`, or with each of them (RFC 7519 section 4.1.3). */
  readonly audience: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** How far the clock of the issuer may be ahead, for `iat` and `nbf`: 0 to 60. @defaultValue 0 */
  readonly clockToleranceSeconds?: number
}

/** The claims that matter after verification. Rights are never read from a token. */
export interface VerifiedClaims {
  readonly subject: string
  readonly jti: string
  /** Seconds since the epoch. */
  readonly expiresAtSeconds: number
}

/** Longest life of a token, 30 days: nothing that we issue is good for longer. */
export const maxExpiryMs = 2_592_000_000

const maxTextLength = 1024

const maxClockToleranceSeconds = 60

/**
 * Verifies signature, type and claims of a token.
 *
 * @throws `UnauthorizedError` (401, `ERR_TOKEN_INVALID`) by rejecting. The reason is its `cause`, for the log.
 */
export async function verifyToken(token: string, expectations: TokenExpectations): Promise<VerifiedClaims> {
  try {
    const { header, payload } = await verifyCompactJws(token, expectations.keys)
    assertClaim(isAccessTokenType(header.get('typ')), 'typ')
    return readClaims(parseJsonObject(payload), expectations)
  } catch (cause) {
    throw invalidToken(cause)
  }
}

/** The one refusal of a token: the same whatever is wrong with it. */
export function invalidToken(cause?: unknown): UnauthorizedError {
  return new UnauthorizedError('ERR_TOKEN_INVALID', 'The access token is not valid.', { cause })
}

/** RFC 9068 section 2.1; media types have no case, and `application/` may be left out (RFC 7515 section 4.1.9). */
function isAccessTokenType(type: unknown): boolean {
  return typeof type === 'string' && type.toLowerCase().replace(/^application\//, '') === tokenType
}

function readClaims(claims: ReadonlyMap<string, unknown>, expectations: TokenExpectations): VerifiedClaims {
  const { issuer, audience, now, clockToleranceSeconds = 0 } = expectations
  const nowSeconds = now / 1000
  const latest = nowSeconds + Math.min(clockToleranceSeconds, maxClockToleranceSeconds)
  const expiresAt = claims.get('exp')
  const issuedAt = claims.get('iat')
  const notBefore = claims.get('nbf')
  const subject = claims.get('sub')
  const jti = claims.get('jti')

  assertClaim(issuer === undefined || claims.get('iss') === issuer, 'iss')
  assertClaim(isForAudience(claims.get('aud'), audience), 'aud')
  assertClaim(isFiniteNumber(expiresAt) && nowSeconds < expiresAt, 'exp')
  assertClaim(isFiniteNumber(issuedAt) && issuedAt <= latest, 'iat')
  assertClaim(expiresAt - issuedAt <= maxExpiryMs / 1000, 'exp')
  assertClaim(notBefore === undefined || (isFiniteNumber(notBefore) && notBefore <= latest), 'nbf')
  assertClaim(isText(subject), 'sub')
  assertClaim(isText(jti), 'jti')
  return { subject, jti, expiresAtSeconds: expiresAt }
}

function isForAudience(claim: unknown, audience: string): boolean {
  if (!Array.isArray(claim)) return claim === audience
  return claim.every((entry) => typeof entry === 'string') && claim.includes(audience)
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxTextLength && !hasControlCharacter(value)
}

function assertClaim(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Error(`${claim} is missing or wrong`)
}

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

/**
 * Verifies a compact JWS with the key that its `kid` names, and only with that key's own algorithm.
 *
 * @throws an Error that says why, for the log; it has no part of the token.
 */
export async function verifyCompactJws(token: string, keys: Pick<KeyRing, 'find'>): Promise<VerifiedJws> {
  const header = parseJsonObject(headerBytes(token))
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
function headerBytes(token: string): Uint8Array {
  if (token.length > maxTokenLength) throw new Error('the token is too long')
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
