/**
 * The one place where a name and a password are checked, whatever they came with: Basic, a form or an OAuth login.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import { systemClock } from '../core/clock.js'
import { type HttpError, StoreError } from '../core/errors.js'
import type { LoginRefusal, SecurityEvents } from '../core/events.js'
import { markReported } from '../internal/reported-refusals.js'
import type { BreakGlass } from './break-glass.js'
import { resultFrom } from './checked-account.js'
import { isPassword, isUserName, maxNameLength } from './credential-limits.js'
import { startDeadline, untilAborted } from './deadline.js'
import { failureFloor } from './failure-floor.js'
import { givenUp, overloaded, refusalReasonOf, throttled, unavailable, wrongCredentials } from './login-refusals.js'
import type { LoginAttempt, LoginThrottle } from './login-throttle.js'
import type { AuthenticationResult, UserAccount, UserStore } from './user-store.js'

/** Options of {@link createAuthenticator}. */
export interface AuthenticatorOptions {
  /** Who may log in. */
  readonly users: UserStore
  /** Slows guessing. Share one among all logins of an app. Absent: guesses are not limited. */
  readonly throttle?: LoginThrottle | undefined
  /** Asked when `users` cannot be reached. */
  readonly breakGlass?: BreakGlass | undefined
  /** Told of each login that is refused, with the reason. Of a good one, whoever issues the token tells. */
  readonly events?: SecurityEvents | undefined
  /**
   * Milliseconds since the epoch, for the events.
   *
   * @defaultValue `Date.now`
   */
  readonly clock?: () => number
  /**
   * Milliseconds that a login with wrong credentials takes at the least. 0: no wait.
   *
   * @defaultValue 250
   */
  readonly failureFloorMs?: number
  /**
   * Logins under way at the same time, those that wait for the floor among them. One more is refused with 503.
   *
   * @defaultValue 2000
   */
  readonly maxInProgress?: number
  /**
   * Milliseconds after which a login is given up with 503: the store has not answered, or has kept other logins of the same
   * user from the same source waiting. Keep it below the 30 seconds after which a gate answers for itself.
   *
   * @defaultValue 20 000
   */
  readonly timeoutMs?: number
}

/** Where a login comes from. */
export interface LoginContext {
  /** The client's address; `undefined` when its socket has closed. */
  readonly address: string | undefined
  /** The `Origin` header; `undefined` when there is none, as where no browser is involved. */
  readonly origin?: string | undefined
  /**
   * Whether the page of another site makes the login. It counts as another source: such a page must not be able to have the
   * people who visit it locked out.
   *
   * @defaultValue false
   */
  readonly isCrossSite?: boolean | undefined
  /** Aborted when the client has gone: the login is given up. */
  readonly signal?: AbortSignal | undefined
}

/** Checks names and passwords. */
export interface Authenticator {
  /**
   * The account of a user whose password is right.
   *
   * A name that no user can have (empty, over 255 characters, control characters) and a password that is empty or over
   * 1024 bytes are refused in the same words, but at once: whoever sends them knows why.
   *
   * @throws {@link UnauthorizedError} (401, `ERR_AUTH_INVALID_CREDENTIALS`), the same for an unknown user, a wrong
   * password and a disabled user. It has no challenge yet: the gate adds the one of its scheme.
   * @throws {@link TooManyRequestsError} (429, `ERR_LOGIN_THROTTLED`) with `Retry-After`, before any password is hashed.
   * @throws {@link UnavailableError} (503) `ERR_STORE_UNAVAILABLE` or `ERR_LOGIN_OVERLOADED`.
   */
  authenticate(name: string, password: string, context: LoginContext): Promise<UserAccount>
}

/** Where there is no throttle. */
const unlimited: LoginAttempt = { isAllowed: true, failed() {}, succeeded: () => true, cancelled() {} }

/** Puts user store, throttle and the account for emergencies together. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { users, throttle, breakGlass, events, clock = systemClock } = options
  const { failureFloorMs = 250, maxInProgress = 2000, timeoutMs = 20_000 } = options
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
    const attempt = await throttle?.begin(name, sourceOf(context))
    if (attempt?.isAllowed) attempt.failed(result.subject)
  }

  async function logIn(name: string, password: string, context: LoginContext): Promise<UserAccount | LoginRefusal> {
    const deadline = startDeadline(timeoutMs, context.signal)
    try {
      deadline.signal.throwIfAborted()
      const admission = await (throttle?.begin(name, sourceOf(context), deadline.signal) ?? unlimited)
      if (!admission.isAllowed) throw throttled(admission.retryAfterSeconds)
      try {
        const result = resultFrom(await verify(name, password, context, deadline.signal))
        if (result.account === undefined) {
          admission.failed(result.subject)
          return result.failure
        }
        return (await admission.succeeded(result.account.subject)) === true ? result.account : 'throttled'
      } finally {
        // Does nothing when the outcome is known.
        admission.cancelled()
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
  function endOf(error: unknown, name: string, context: LoginContext): unknown {
    if (context.signal?.aborted) return markReported(givenUp(error))
    const reason = refusalReasonOf(error)
    if (reason === undefined) return error
    report(reason, name, context, reason === 'store-unavailable' ? error : undefined)
    return markReported(error instanceof StoreError ? unavailable(error) : (error as HttpError), isTold)
  }

  async function answer(name: string, password: string, context: LoginContext): Promise<UserAccount> {
    const begunAt = performance.now()
    let outcome: UserAccount | LoginRefusal
    try {
      if (inProgress > maxInProgress) throw overloaded()
      outcome = await logIn(name.normalize('NFC'), password, context)
    } catch (error) {
      throw endOf(error, name, context)
    }
    if (typeof outcome !== 'string') return outcome
    report(outcome, name, context)
    await failureFloor(begunAt, failureFloorMs, context.signal)
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

/** What the throttle counts by. */
function sourceOf({ address, isCrossSite }: LoginContext): string | undefined {
  return isCrossSite ? `another site, by ${address}` : address
}
