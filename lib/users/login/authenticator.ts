/**
 * The one place where a name and a password are checked, whatever they came with: Basic, a form or an OAuth login.
 *
 * @module
 */

import { inBackground } from '../../async/background.js'
import { maxTimerMs, startDeadline, untilAborted } from '../../async/deadline.js'
import { systemClock } from '../../core/clock.js'
import {
  type HttpError,
  StoreError,
  TooManyRequestsError,
  UnauthorizedError,
  UnavailableError,
} from '../../core/errors.js'
import type { LoginRefusal, SecurityEvents } from '../../core/events.js'
import { assertNumbers } from '../../core/option-numbers.js'
import { markReported } from '../../core/reported.js'
import type { LoginAttempt, LoginThrottle } from '../throttle/login-throttle.js'
import {
  type AuthenticationResult,
  isPassword,
  isUserName,
  maxNameLength,
  resultFrom,
  type UserAccount,
  type UserStore,
} from '../user-store.js'
import type { BreakGlass } from './break-glass.js'

/** Options of {@link createAuthenticator}. */
export interface AuthenticatorOptions {
  /** Who may log in. */
  readonly users: UserStore
  /** Slows guessing. Share one among all logins of an app. @defaultValue none: guesses are not limited */
  readonly throttle?: LoginThrottle | undefined
  /** Asked when `users` cannot be reached. */
  readonly breakGlass?: BreakGlass | undefined
  /** Throws a `StoreError` while no login can succeed, whatever its password. */
  readonly assertReady?: (() => void) | undefined
  /** Told of each login that is refused. Of a good one, the issuer of the token tells. */
  readonly events?: SecurityEvents | undefined
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: () => number
  /** Milliseconds that a login with wrong credentials takes at the least. @defaultValue 250; 0: no wait */
  readonly failureFloorMs?: number
  /** Logins in progress, those that wait for the floor among them. One more gets 503. @defaultValue 2000 */
  readonly maxInProgress?: number
  /**
   * Milliseconds after which a login gets 503. Keep it below the 30 seconds after which a gate answers for itself.
   *
   * @defaultValue 20 000
   */
  readonly timeoutMs?: number
}

/** Where a login comes from. */
export interface LoginContext {
  /** The client's; `undefined` when its socket has closed. */
  readonly address: string | undefined
  /** The `Origin` header. */
  readonly origin?: string | undefined
  /**
   * Whether the page of another site makes the login. It counts as another source, so that such a page cannot have its visitors
   * locked out.
   */
  readonly isCrossSite?: boolean | undefined
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal | undefined
}

/** Checks names and passwords. */
export interface Authenticator {
  /**
   * The account of a user whose password is right. A name that no user can have and a password that is empty or over 1024 bytes
   * are refused in the same words, but at once.
   *
   * @throws `UnauthorizedError` (401, `ERR_AUTH_INVALID_CREDENTIALS`), the same for an unknown user, a wrong password and a
   * disabled user, without a challenge.
   * @throws `TooManyRequestsError` (429, `ERR_LOGIN_THROTTLED`) with `Retry-After`, before any password is hashed.
   * @throws `UnavailableError` (503) `ERR_STORE_UNAVAILABLE` or `ERR_LOGIN_OVERLOADED`.
   */
  authenticate(name: string, password: string, context: LoginContext): Promise<UserAccount>
}

const unlimited: LoginAttempt = { isAllowed: true, fail() {}, succeed: () => true, cancel() {} }

/** Puts user store, throttle and the account for emergencies together. @throws TypeError when an option is out of range. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { users, throttle, breakGlass, events, clock = systemClock } = options
  const { failureFloorMs = 250, maxInProgress = 2000, timeoutMs = 20_000 } = options
  assertNumbers({ failureFloorMs, maxInProgress }, 0, maxTimerMs)
  assertNumbers({ timeoutMs }, 1, maxTimerMs)
  const isTold = events !== undefined
  let inProgress = 0

  async function verify(
    name: string,
    password: string,
    context: LoginContext,
    signal: AbortSignal,
  ): Promise<AuthenticationResult> {
    const verdict = (async () => users.authenticate(name, password, signal))()
    try {
      return await untilAborted(verdict, signal)
    } catch (error) {
      if (signal.aborted) inBackground(() => countLate(verdict, name, context))
      const result = error instanceof StoreError ? await breakGlass?.authenticate(name, password, context) : undefined
      if (result === undefined) throw error
      return result
    }
  }

  /** A wrong password counts even if nobody waited for the answer, or guesses whose client leaves would be free. */
  async function countLate(verdict: Promise<AuthenticationResult>, name: string, context: LoginContext) {
    const result = await verdict.catch(() => undefined)
    if (result?.failure === undefined) return
    const attempt = await throttle?.start(name, readSource(context))
    if (attempt?.isAllowed) await attempt.fail(result.subject)
  }

  async function logIn(name: string, password: string, context: LoginContext): Promise<UserAccount | LoginRefusal> {
    const deadline = startDeadline(timeoutMs, () => new StoreError(`no answer within ${timeoutMs} ms`), context.signal)
    try {
      deadline.signal.throwIfAborted()
      options.assertReady?.()
      const admission = await (throttle?.start(name, readSource(context), deadline.signal) ?? unlimited)
      if (!admission.isAllowed) throw throttled(admission.retryAfterMs)
      try {
        const result = resultFrom(await verify(name, password, context, deadline.signal))
        if (result.account === undefined) {
          await admission.fail(result.subject)
          // A right password would be answered with 503 now: a wrong one must not be told from it.
          options.assertReady?.()
          return result.failure
        }
        return (await admission.succeed(result.account.subject)) === true ? result.account : 'throttled'
      } finally {
        admission.cancel()
      }
    } finally {
      deadline.end()
    }
  }

  function report(reason: LoginRefusal, name: string, { address }: LoginContext, cause?: unknown): void {
    const userName = name.slice(0, maxNameLength)
    events?.report('loginRefused', { at: clock(), address, userName, reason, cause })
  }

  /** What a login that came to no verdict ends with. A mistake in a program is left as it is, for the gate to report. */
  function refusalFor(error: unknown, name: string, context: LoginContext): unknown {
    if (context.signal?.aborted) return markReported(givenUp(error))
    const reason = refusalReasonFrom(error)
    if (reason === undefined) return error
    report(reason, name, context, reason === 'store-unavailable' ? error : undefined)
    return markReported(error instanceof StoreError ? unavailable(error) : (error as HttpError), isTold)
  }

  async function answer(name: string, password: string, context: LoginContext): Promise<UserAccount> {
    const startedAt = performance.now()
    let outcome: UserAccount | LoginRefusal
    try {
      if (inProgress > maxInProgress) throw overloaded()
      outcome = await logIn(name.normalize('NFC'), password, context)
    } catch (error) {
      throw refusalFor(error, name, context)
    }
    if (typeof outcome !== 'string') return outcome
    report(outcome, name, context)
    await failureFloor(startedAt, failureFloorMs, context.signal)
    throw markReported(wrongCredentials(), isTold)
  }

  return {
    async authenticate(name, password, context) {
      if (!isUserName(name) || !isPassword(password)) {
        // It hides nothing, so it takes neither the time nor the place of a login.
        report('malformed', name, context)
        throw markReported(wrongCredentials(), isTold)
      }
      inProgress++
      try {
        return await answer(name, password, context)
      } finally {
        inProgress--
      }
    },
  }
}

function readSource({ address, isCrossSite }: LoginContext): string | undefined {
  return isCrossSite ? `another site, by ${address}` : address
}

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
