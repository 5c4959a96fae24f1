/**
 * Verifies access tokens (RFC 9068) whose record came from outside this process. All others are decided by the store.
 *
 * @module
 */

import { UnauthorizedError } from '../../core/errors.js'
import type { KeyRing } from '../keys/key-ring.js'
import { assertClaim, isFiniteNumber, isForAudience, isMediaType, isText, maxClockToleranceSeconds } from './claims.js'
import { verifyCompactJws } from './compact-jws.js'
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

/**
 * Verifies signature, type and claims of a token.
 *
 * @throws `UnauthorizedError` (401, `ERR_TOKEN_INVALID`) by rejecting. The reason is its `cause`, for the log.
 */
export async function verifyToken(token: string, expectations: TokenExpectations): Promise<VerifiedClaims> {
  try {
    const { header, payload } = await verifyCompactJws(token, expectations.keys)
    assertClaim(isMediaType(header.get('typ'), tokenType), 'typ')
    return readClaims(parseJsonObject(payload), expectations)
  } catch (cause) {
    throw invalidToken(cause)
  }
}

/** The one refusal of a token: the same whatever is wrong with it. */
export function invalidToken(cause?: unknown): UnauthorizedError {
  return new UnauthorizedError('ERR_TOKEN_INVALID', 'The access token is not valid.', { cause })
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
