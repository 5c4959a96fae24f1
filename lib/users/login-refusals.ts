/**
 * The errors that the authenticator refuses a login with, and what the audit trail calls them.
 *
 * @module
 */

import { StoreError, TooManyRequestsError, UnauthorizedError, UnavailableError } from '../core/errors.js'
import type { LoginRefusal } from '../core/events.js'

/** Why this error refuses a login; `undefined` for an error that is no refusal but a mistake in a program. */
export function refusalReasonOf(error: unknown): LoginRefusal | undefined {
  if (error instanceof TooManyRequestsError) return 'throttled'
  if (error instanceof StoreError) return 'store-unavailable'
  if (!(error instanceof UnavailableError)) return undefined
  return error.code === 'ERR_LOGIN_OVERLOADED' ? 'overloaded' : 'store-unavailable'
}

/** The same for every reason: it must not tell one from another. */
export function wrongCredentials(): UnauthorizedError {
  return new UnauthorizedError('ERR_AUTH_INVALID_CREDENTIALS', 'The user name or password is not right.')
}

export function throttled(retryAfterSeconds: number): TooManyRequestsError {
  const headers = { 'Retry-After': String(retryAfterSeconds) }
  return new TooManyRequestsError('ERR_LOGIN_THROTTLED', 'Too many failed logins. Try again later.', { headers })
}

export function overloaded(): UnavailableError {
  return new UnavailableError('ERR_LOGIN_OVERLOADED', 'Too many logins at the same time. Try again later.')
}

/** The client has gone: nobody reads this, and nothing was refused. */
export function givenUp(cause: unknown): UnavailableError {
  return new UnavailableError('ERR_LOGIN_OVERLOADED', 'The login was given up.', { cause })
}

export function unavailable(cause: StoreError): UnavailableError {
  return new UnavailableError('ERR_STORE_UNAVAILABLE', 'A store cannot be reached. Try again later.', { cause })
}
