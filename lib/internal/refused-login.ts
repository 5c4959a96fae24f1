/**
 * Reports a login that failed after its password was found right, or that a store kept from a verdict.
 *
 * @module
 */

import type { HttpError, HttpErrorCode } from '../core/errors.js'
import type { LoginRefusal, SecurityEvents } from '../core/events.js'
import { refusalOf } from './gate.js'
import { isReported, markReported } from './reported-refusals.js'

/** Refusals that are refused logins; any other is a fault, which is reported with its cause as a refused request. */
const reasons: Partial<Record<HttpErrorCode, LoginRefusal>> = {
  ERR_TOKEN_STORE_FULL: 'token-store-full',
  ERR_STORE_UNAVAILABLE: 'store-unavailable',
  ERR_AUTH_INVALID_CREDENTIALS: 'wrong-password',
}

/**
 * Turns what a login ended with into a refusal, and reports it once. What the authenticator refuses it has reported; a token or
 * a session that cannot be begun is a refused login as well.
 */
export function refusedLoginReporter(
  events: SecurityEvents | undefined,
  clock: () => number,
): (error: unknown, userName: string, address: string | undefined) => HttpError {
  return function refusedLogin(error, userName, address) {
    const refusal = refusalOf(error)
    const reason = reasons[refusal.code]
    if (isReported(refusal) || reason === undefined || events === undefined) return refusal
    events.report('loginRefused', { at: clock(), address, userName, reason, cause: refusal.cause })
    return markReported(refusal)
  }
}
