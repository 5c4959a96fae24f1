/**
 * Logout tokens: how a provider says that a session there has ended (OpenID Connect Back-Channel Logout 1.0).
 *
 * @module
 */

import { isText } from '../tokens/jwt/claims.js'
import { type IssuerTokenExpectations, verifyIssuerToken } from '../tokens/trusted-issuers/verify-issuer-token.js'

/** A logout token that was verified. It has `sid`, `sub` or both. */
export interface LogoutToken {
  readonly jti: string
  /** The session that has ended; `undefined`: all sessions of the user. */
  readonly sid: string | undefined
  readonly sub: string | undefined
  /** Milliseconds since the epoch: until then the token is accepted. */
  readonly acceptedUntil: number
}

const event = 'http://schemas.openid.net/event/backchannel-logout'

/** `typ` is new in the second edition; most providers leave it out, or write JWT. */
const types = [undefined, 'jwt', 'logout+jwt']

/** As much as clocks may differ. */
const toleranceMs = 60_000

/** A token that has been under way for longer is a replay. */
const maxAgeSeconds = 15 * 60

/** Verifies a logout token in full (section 2.6). Rejects as `verifyIssuerToken` does. */
export async function readLogoutToken(
  token: string,
  expected: Pick<IssuerTokenExpectations, 'findKey' | 'issuer' | 'audience' | 'now'>,
): Promise<LogoutToken> {
  const { claims, subject, jti, expiresAtSeconds } = await verifyIssuerToken(token, {
    ...expected,
    types,
    maxAgeSeconds,
    check({ claims, subject, jti }) {
      assertThat(jti !== undefined, 'it has no jti')
      assertThat(isEventTable(claims.get('events')), 'it has no event of a logout')
      assertThat(!claims.has('nonce'), 'it has a nonce: it is an ID token')
      assertThat(!claims.has('sid') || isText(claims.get('sid')), 'its sid is no text')
      assertThat(claims.has('sid') || subject !== undefined, 'it has neither sid nor sub')
    },
  })
  return {
    jti: jti!,
    sid: claims.get('sid') as string | undefined,
    sub: subject,
    acceptedUntil: expiresAtSeconds * 1000 + toleranceMs,
  }
}

function isEventTable(value: unknown): boolean {
  if (!isTable(value) || !Object.hasOwn(value, event)) return false
  return isTable(value[event])
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function assertThat(isTrue: boolean, reason: string): asserts isTrue {
  if (!isTrue) throw new Error(reason)
}
