/**
 * The one place where a name and a password are checked, whatever they came with: Basic, a form or an OAuth login.
 *
 * @module
 */

import { inBackground } from '../../async/background.js'
import { maxTimerMs, startDeadline, untilAborted } from '../../async/deadline.js'
import type { AuthKind, Factor } from '../../core/auth.js'
import { systemClock } from '../../core/clock.js'
import { type HttpError, StoreError } from '../../core/errors.js'
import { type Client, type LoginRefusal, pickClient, type SecurityEvents } from '../../core/events.js'
import { assertNumbers } from '../../core/option-numbers.js'
import { markReported } from '../../core/reported.js'
import { demandsSecondFactor, type SecondFactorPolicy } from '../../core/second-factor.js'
import type { CodeOutcome, SecondFactors } from '../second-factor/second-factors.js'
import type { LoginAttempt, LoginThrottle } from '../throttle/login-throttle.js'
import {
  type AuthenticationResult,
  isPassword,
  isUserName,
  maxNameLength,
  type UserAccount,
  type UserStore,
} from '../user-store.js'
import { type BreakGlass, breakGlassDomain, storeResultFrom } from './break-glass.js'
import {
  failureFloor,
  givenUp,
  overloaded,
  refusalReasonFrom,
  throttled,
  unavailable,
  wrongCredentials,
} from './login-refusals.js'
import { SecondFactorRequiredError, type SecondFactorStatus, secondFactorRequired } from './second-factor-required.js'

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
  /** Asks for a second factor. @defaultValue none: passwords are enough */
  readonly secondFactors?: Pick<SecondFactors, 'statusOf' | 'verify' | 'canEnrol'> | undefined
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

/** A user who has shown all that was asked for. */
export interface AuthenticatedUser extends UserAccount {
  /** What the user has shown; absent: the password alone. */
  readonly factors?: readonly Factor[] | undefined
}

/** Where a login comes from. */
export interface LoginContext extends Client {
  /** What the login is for: for the audit trail. @defaultValue not known */
  readonly kind?: AuthKind | undefined
  /** The `Origin` header. */
  readonly origin?: string | undefined
  /**
   * Whether the page of another site makes the login. It counts as another source, so that such a page cannot have its visitors
   * locked out.
   */
  readonly isCrossSite?: boolean | undefined
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal | undefined
  /** A code beside the password; `undefined`: none was sent. */
  readonly code?: string | undefined
  /** Who has to show one. @defaultValue `'optional'`: users who have one */
  readonly secondFactor?: SecondFactorPolicy | undefined
}

/** Checks names and passwords. */
export interface Authenticator {
  /**
   * The account of a user whose password is right. A name that no user can have and a password that is empty or over 1024 bytes
   * are refused in the same words, but at once.
   *
   * @throws `UnauthorizedError` (401, `ERR_AUTH_INVALID_CREDENTIALS`), the same for an unknown user, a wrong password and a
   * disabled user, without a challenge.
   * @throws `UnauthorizedError` (401, `ERR_SECOND_FACTOR_REQUIRED`) where the password was right and a code is asked for. A wrong code is
   * answered as a wrong password.
   * @throws `TooManyRequestsError` (429, `ERR_LOGIN_THROTTLED`) with `Retry-After`, before any password is hashed.
   * @throws `UnavailableError` (503) `ERR_STORE_UNAVAILABLE` or `ERR_LOGIN_OVERLOADED`.
   */
  authenticate(name: string, password: string, context: LoginContext): Promise<AuthenticatedUser>
  /** Ends a login whose password was right with what the user shows next. Rejects as {@link Authenticator.authenticate}. */
  complete(account: UserAccount, show: ShowFactor, context: LoginContext): Promise<AuthenticatedUser>
}

/** Checks what a user shows. */
export type ShowFactor = (subject: string) => Promise<CodeOutcome>

const unlimited: LoginAttempt = { isAllowed: true, fail() {}, succeed: () => true, cancel() {} }

/** Puts user store, throttle and the account for emergencies together. @throws TypeError when an option is out of range. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { users, throttle, breakGlass, secondFactors, events, clock = systemClock } = options
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
    let answer: AuthenticationResult
    try {
      answer = await untilAborted(verdict, signal)
    } catch (error) {
      if (signal.aborted) inBackground(() => countLate(verdict, name, context))
      const result = error instanceof StoreError ? await breakGlass?.authenticate(name, password, context) : undefined
      if (result === undefined) throw error
      return result
    }
    return storeResultFrom(answer)
  }

  /** A wrong password counts even if nobody waited for the answer, or guesses whose client leaves would be free. */
  async function countLate(verdict: Promise<AuthenticationResult>, name: string, context: LoginContext) {
    const result = await verdict.catch(() => undefined)
    if (result?.failure === undefined) return
    const attempt = await throttle?.start(name, readSource(context), undefined, context)
    if (attempt?.isAllowed) await attempt.fail(result.subject)
  }

  /** What is asked for beside the password; `undefined`: nothing. The account for emergencies, whose store is away, has none. */
  function missingFactor(
    account: UserAccount,
    { secondFactor = 'optional' }: LoginContext,
  ): undefined | Promise<SecondFactorStatus | undefined> {
    if (secondFactors === undefined || account.subject.startsWith(`${breakGlassDomain}/`)) return undefined
    const isDemanded = demandsSecondFactor(secondFactor, account)
    return secondFactors
      .statusOf(account.subject)
      .then((status) => (status === 'none' && !isDemanded ? undefined : status))
  }

  /** The outcome of a code, as that of a login. */
  async function factorsFrom(shown: Promise<CodeOutcome>, signal: AbortSignal): Promise<readonly Factor[] | undefined> {
    const result = await untilAborted(shown, signal)
    if (result.outcome === 'locked') throw throttled(result.retryAfterMs)
    return result.outcome === 'right' ? ['password', result.factor] : undefined
  }

  /** Settles what the password has begun: only both factors make a good login. */
  async function admit(
    admission: LoginAttempt,
    account: UserAccount,
    context: LoginContext,
    signal: AbortSignal,
  ): Promise<AuthenticatedUser | LoginRefusal> {
    const missing = missingFactor(account, context)
    const status = missing && (await untilAborted(missing, signal))
    let factors: readonly Factor[] | undefined
    if (status !== undefined) {
      if (status !== 'enrolled' || context.code === undefined) throw secondFactorRequired(account, status)
      factors = await factorsFrom(secondFactors!.verify(account.subject, context.code), signal)
      // Counted by the code: the password was right.
      if (factors === undefined) return 'wrong-code'
    }
    if ((await admission.succeed(account.subject)) !== true) return 'throttled'
    return factors === undefined ? account : { ...account, factors }
  }

  async function logIn(
    name: string,
    password: string,
    context: LoginContext,
  ): Promise<AuthenticatedUser | LoginRefusal> {
    const deadline = startDeadline(timeoutMs, () => new StoreError(`no answer within ${timeoutMs} ms`), context.signal)
    try {
      deadline.signal.throwIfAborted()
      options.assertReady?.()
      const admission = await (throttle?.start(name, readSource(context), deadline.signal, context) ?? unlimited)
      if (!admission.isAllowed) throw throttled(admission.retryAfterMs)
      try {
        const result = await verify(name, password, context, deadline.signal)
        if (result.account === undefined) {
          await admission.fail(result.subject)
          // A right password would be answered with 503 now: a wrong one must not be told from it.
          options.assertReady?.()
          return result.failure
        }
        return await admit(admission, result.account, context, deadline.signal)
      } finally {
        admission.cancel()
      }
    } finally {
      deadline.end()
    }
  }

  function report(reason: LoginRefusal, name: string, context: LoginContext, cause?: unknown): void {
    const userName = name.slice(0, maxNameLength)
    events?.report('loginRefused', { at: clock(), ...pickClient(context), kind: context.kind, userName, reason, cause })
  }

  /** What a login that came to no verdict ends with. A mistake in a program is left as it is, for the gate to report. */
  function refusalFor(error: unknown, name: string, context: LoginContext): unknown {
    if (context.signal?.aborted) return markReported(givenUp(error))
    if (error instanceof SecondFactorRequiredError) {
      report('second-factor-required', name, context)
      return markReported(error, isTold)
    }
    const reason = refusalReasonFrom(error)
    if (reason === undefined) return error
    report(reason, name, context, reason === 'store-unavailable' ? error : undefined)
    return markReported(error instanceof StoreError ? unavailable(error) : (error as HttpError), isTold)
  }

  /** The same throttle lets this through: whoever may not try a password from here may not end a login either. */
  async function complete(
    account: UserAccount,
    show: ShowFactor,
    context: LoginContext,
  ): Promise<AuthenticatedUser | LoginRefusal> {
    const { subject } = account
    const deadline = startDeadline(timeoutMs, () => new StoreError(`no answer within ${timeoutMs} ms`), context.signal)
    try {
      deadline.signal.throwIfAborted()
      options.assertReady?.()
      const admission = await (throttle?.start(subject, readSource(context), deadline.signal, context) ?? unlimited)
      if (!admission.isAllowed) throw throttled(admission.retryAfterMs)
      try {
        const factors = await factorsFrom(show(subject), deadline.signal)
        if (factors === undefined) return 'wrong-code'
        return (await admission.succeed(subject)) === true ? { ...account, factors } : 'throttled'
      } finally {
        admission.cancel()
      }
    } finally {
      deadline.end()
    }
  }

  async function answer(
    name: string,
    context: LoginContext,
    work: () => Promise<AuthenticatedUser | LoginRefusal>,
  ): Promise<AuthenticatedUser> {
    const startedAt = performance.now()
    inProgress++
    try {
      let outcome: AuthenticatedUser | LoginRefusal
      try {
        if (inProgress > maxInProgress) throw overloaded()
        outcome = await work()
      } catch (error) {
        throw refusalFor(error, name, context)
      }
      if (typeof outcome !== 'string') return outcome
      report(outcome, name, context)
      await failureFloor(startedAt, failureFloorMs, context.signal)
      throw markReported(wrongCredentials(), isTold)
    } finally {
      inProgress--
    }
  }

  return {
    async authenticate(name, password, context) {
      if (!isUserName(name) || !isPassword(password)) {
        // It hides nothing, so it takes neither the time nor the place of a login.
        report('malformed', name, context)
        throw markReported(wrongCredentials(), isTold)
      }
      return answer(name, context, () => logIn(name.normalize('NFC'), password, context))
    },

    complete: (account, show, context) => answer(account.subject, context, () => complete(account, show, context)),
  }
}

function readSource({ address, isCrossSite }: LoginContext): string | undefined {
  return isCrossSite ? `another site, by ${address}` : address
}
