/**
 * Verifies access tokens (RFC 9068) whose record came from outside this process. All others are decided by the store.
 *
 * @module
 */

import { UnauthorizedError } from '../core/errors.js'
import { hasControlCharacter } from '../internal/control-character.js'
import { verifyCompactJws } from './compact-jws.js'
import type { KeyRing } from './key-ring.js'
import { tokenType } from './sign-token.js'
import { parseJsonObject } from './strict-json.js'

/** What a token must be good for. */
export interface TokenExpectations {
  readonly keys: Pick<KeyRing, 'find'>
  /** Compared character by character. */
  readonly issuer: string
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
export const maxExpirySeconds = 2_592_000

const maxTextLength = 1024

const maxClockToleranceSeconds = 60

/**
 * Verifies signature, type and claims of a token.
 *
 * @throws {@link UnauthorizedError} (401, `ERR_TOKEN_INVALID`), by rejecting. The private reason is its `cause`.
 */
export async function verifyToken(token: string, expectations: TokenExpectations): Promise<VerifiedClaims> {
  try {
    const { header, payload } = await verifyCompactJws(token, expectations.keys)
    demand(isAccessTokenType(header.get('typ')), 'typ')
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

  demand(claims.get('iss') === issuer, 'iss')
  demand(isForAudience(claims.get('aud'), audience), 'aud')
  demand(isFiniteNumber(expiresAt) && nowSeconds < expiresAt, 'exp')
  demand(isFiniteNumber(issuedAt) && issuedAt <= latest, 'iat')
  demand(expiresAt - issuedAt <= maxExpirySeconds, 'exp')
  demand(notBefore === undefined || (isFiniteNumber(notBefore) && notBefore <= latest), 'nbf')
  demand(isText(subject), 'sub')
  demand(isText(jti), 'jti')
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

function demand(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Error(`${claim} is missing or wrong`)
}
