/**
 * Verifies a JWT of an issuer elsewhere: an access token, an ID token, a logout token.
 *
 * @module
 */

import { StoreError } from '../../core/errors.js'
import {
  assertClaim,
  isFiniteNumber,
  isForAudience,
  isMediaType,
  isText,
  maxClockToleranceSeconds,
} from '../jwt/claims.js'
import { type FindKey, verifyJws } from '../jwt/compact-jws.js'
import { parseJsonObject } from '../jwt/strict-json.js'
import { invalidToken } from '../jwt/verify-token.js'

/** What a token must be good for. */
export interface IssuerTokenExpectations {
  /** Finds the key: of `createIssuerKeys`. */
  readonly findKey: FindKey
  /** `iss`, compared character by character. */
  readonly issuer: string
  /** `aud`, or one of them. */
  readonly audience: string
  /** What `typ` may be, in small letters without `application/`; `undefined`: no `typ` at all. */
  readonly types: readonly (string | undefined)[]
  /** Longest time since `iat`. @defaultValue none */
  readonly maxAgeSeconds?: number | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Further checks. It throws an Error that names what is wrong, for the log. */
  readonly check?: ((token: IssuerToken) => void) | undefined
}

/** A token that was verified. */
export interface IssuerToken {
  readonly header: ReadonlyMap<string, unknown>
  readonly claims: ReadonlyMap<string, unknown>
  /** `undefined`: it has none. */
  readonly subject: string | undefined
  readonly jti: string | undefined
  /** Seconds since the epoch. */
  readonly issuedAtSeconds: number
  /** Seconds since the epoch. The token is accepted for up to a minute more, as the clock of the issuer may be off. */
  readonly expiresAtSeconds: number
}

/** Longer than our own: groups are in it. Node takes no more than 16 KiB of headers in all. */
const maxLength = 16_384

/**
 * Verifies signature, type and claims. `exp` and `iat` are demanded; clocks may differ by a minute.
 *
 * Rejects with `UnauthorizedError` (401, `ERR_TOKEN_INVALID`), whose `cause` is the reason, for the log; with `StoreError` when the
 * key is not known and the issuer does not answer.
 */
export async function verifyIssuerToken(token: string, expectations: IssuerTokenExpectations): Promise<IssuerToken> {
  try {
    const { header, payload } = await verifyJws(token, expectations.findKey, maxLength)
    const typ = header.get('typ')
    const isOfType = (type: string | undefined): boolean =>
      type === undefined ? typ === undefined : isMediaType(typ, type)
    assertClaim(expectations.types.some(isOfType), 'typ')
    const verified = readClaims(header, parseJsonObject(payload), expectations)
    expectations.check?.(verified)
    return verified
  } catch (cause) {
    throw cause instanceof StoreError ? cause : invalidToken(cause)
  }
}

function readClaims(
  header: IssuerToken['header'],
  claims: IssuerToken['claims'],
  { issuer, audience, now, maxAgeSeconds = Number.POSITIVE_INFINITY }: IssuerTokenExpectations,
): IssuerToken {
  const nowSeconds = now / 1000
  const latest = nowSeconds + maxClockToleranceSeconds
  const earliest = nowSeconds - maxClockToleranceSeconds
  const expiresAt = claims.get('exp')
  const issuedAt = claims.get('iat')
  const notBefore = claims.get('nbf')
  const subject = claims.get('sub')
  const jti = claims.get('jti')

  assertClaim(claims.get('iss') === issuer, 'iss')
  assertClaim(isForAudience(claims.get('aud'), audience), 'aud')
  assertClaim(isFiniteNumber(expiresAt) && earliest < expiresAt, 'exp')
  assertClaim(isFiniteNumber(issuedAt) && issuedAt <= latest && issuedAt >= earliest - maxAgeSeconds, 'iat')
  assertClaim(notBefore === undefined || (isFiniteNumber(notBefore) && notBefore <= latest), 'nbf')
  assertClaim(subject === undefined || isText(subject), 'sub')
  assertClaim(jti === undefined || isText(jti), 'jti')
  return { header, claims, subject, jti, issuedAtSeconds: issuedAt, expiresAtSeconds: expiresAt }
}
