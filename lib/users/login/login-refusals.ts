/**
 * How logins are refused: the same words for every reason, and after the same time.
 *
 * @module
 */

import { StoreError, TooManyRequestsError, UnauthorizedError, UnavailableError } from '../../core/errors.js'
import type { LoginRefusal } from '../../core/events.js'

/**
 * Waits until a failed login has taken `floorMs` since `startedAt` (`performance.now()`), or the next multiple of it where the
 * work took longer. It ends early when `signal` is aborted.
 */
export function failureFloor(startedAt: number, floorMs: number, signal?: AbortSignal): Promise<void> {
  if (floorMs <= 0 || signal?.aborted) return Promise.resolve()
  const elapsed = performance.now() - startedAt
  const steps = Math.max(1, Math.ceil(elapsed / floorMs))

  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, steps * floorMs - elapsed)
    signal?.addEventListener('abort', end, { once: true })
  })
}

/** Why this error refuses a login; `undefined` for an error that is no refusal but a mistake in a program. */
export function refusalReasonFrom(error: unknown): LoginRefusal | undefined {
  if (error instanceof TooManyRequestsError) return 'throttled'
  if (error instanceof StoreError) return 'store-unavailable'
  if (!(error instanceof UnavailableError)) return undefined
  return error.code === 'ERR_LOGIN_OVERLOADED' ? 'overloaded' : 'store-unavailable'
}

/** The same for every reason: it must not tell one from another. */
export function wrongCredentials(): UnauthorizedError {
  return new UnauthorizedError('ERR_AUTH_INVALID_CREDENTIALS', 'Invalid user name or password.')
}

export function throttled(retryAfterMs: number): TooManyRequestsError {
  const headers = { 'Retry-After': String(retryAfterMs / 1000) }
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
