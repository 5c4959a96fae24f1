/**
 * The login throttle. Three counters: a pair of user and source is locked; the user's counter slows guesses from many sources;
 * the source's counter slows one source that tries many users. A source with a recent good login of the user is bound by its own
 * pair only, so that a user cannot be locked out from elsewhere; while every table is full, new sources share one counter.
 *
 * @module
 */

import { systemClock } from '../../core/clock.js'
import type { RequestCorrelation } from '../../core/event-members.js'
import { type ChangeContext, changedBy, type SecurityEventMap, type SecurityEvents } from '../../core/events.js'
import { assertIntegers, assertNumbers } from '../../core/option-numbers.js'
import { createLocalCounters, type LocalAttempt } from './local-counters.js'
import { LockNotes, type LoginLock } from './lock-notes.js'
import { addressKeys, type ThrottleLogin, throttleLogin, userKeys } from './throttle-keys.js'
import type { LoginOutcome, ThrottleLimits } from './throttle-rules.js'

/** Options of {@link createLoginThrottle}. */
export interface LoginThrottleOptions {
  /**
   * Failures of one user from one source within the window that lock the pair.
   *
   * @defaultValue 5
   */
  readonly maxFailures?: number
  /** How long a failure counts. @defaultValue 900_000 (15 minutes) */
  readonly windowMs?: number
  /**
   * The first lock of a pair. Each further one is twice as long, up to the window; a window without a lock begins anew.
   * @defaultValue 60_000
   */
  readonly lockoutMs?: number
  /**
   * Failures of one user within the window, from all sources without a good login of that user in the last 24 hours. Beyond
   * it, such sources get one try in each `windowMs / maxUserFailures` together.
   *
   * @defaultValue 100, the bound of NIST SP 800-63B-3 section 5.2.2
   */
  readonly maxUserFailures?: number
  /**
   * Failures of one source within the window, of all users together. Beyond it, the same holds, but for users with a good
   * login from there in the last 24 hours.
   *
   * @defaultValue 300
   */
  readonly maxSourceFailures?: number
  /**
   * Pairs, users and sources that are counted apart, each (about 300 bytes an entry). Further pairs of one source share a lock.
   *
   * @defaultValue 20 000
   */
  readonly maxEntries?: number
  /** Told when failures begin to lock others out, and of each `unlock`. */
  readonly events?: SecurityEvents | undefined
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: () => number
}

/**
 * A login that may go on. Exactly one of its methods is called when the outcome is known; further calls do nothing.
 *
 * `subject` is the user whom the store found. One user may have several names (with and without a domain, a mail address), and
 * their failures count together, which only the store can tell.
 */
export interface LoginAttempt {
  /** Tells an admitted login from a throttled one. */
  readonly isAllowed: true
  /** The credentials were wrong. Rejects with `StoreError` when only this process has counted it. */
  fail(subject?: string): void | Promise<void>
  /**
   * The login was good: the counters of the pair and of the user begin anew.
   *
   * @returns `false` when the user must not log in from here now, because guesses by another name have used up the limit. The
   * answer must then be that of wrong credentials: any other would tell that the guess was right. Rejects with `StoreError` when
   * that cannot be told.
   */
  succeed(subject?: string): boolean | Promise<boolean>
  /** Nothing is known about the credentials: the store was down, or no work was taken. */
  cancel(): void
}

/** A login that must be refused before anything else is done for it. */
export interface ThrottledLogin {
  /** Tells a throttled login from an admitted one. */
  readonly isAllowed: false
  /** Value for `Retry-After`, in whole milliseconds, at least 1. */
  readonly retryAfterMs: number
}

/** Counts failed logins. */
export interface LoginThrottle {
  /**
   * Admits or refuses a login, before its password is looked at. An admitted login counts as a failure until it is settled,
   * so that parallel guesses cannot pass the limit together; those that could wait until the others are settled.
   *
   * Rejects with the reason of `signal` when it is aborted while the login waits. `correlation` is for the event of a lock.
   */
  start(
    name: string,
    address: string | undefined,
    signal?: AbortSignal,
    correlation?: RequestCorrelation,
  ): LoginAttempt | ThrottledLogin | Promise<LoginAttempt | ThrottledLogin>
  /** Ends all locks of a user and forgets the failures. Rejects with `StoreError` when other processes may not have taken it. */
  unlock(name: string, context?: ChangeContext): void | Promise<void>
}

/** A throttle whose locks can be listed. */
export interface ManagedLoginThrottle extends LoginThrottle {
  /** The locks that hold, the latest first, at most 1000. Rejects with `StoreError` when other processes cannot be asked. */
  list(): Promise<readonly LoginLock[]>
  /** Ends what locks all users of an address. Locks of a user from there stay. Rejects as `unlock`. */
  unlockAddress(address: string, context?: ChangeContext): void | Promise<void>
}

/**
 * Makes a throttle that counts in this process: others count apart, and a restart forgets.
 *
 * @throws TypeError when an option is out of range.
 */
export function createLoginThrottle(options: LoginThrottleOptions = {}): ManagedLoginThrottle {
  const { clock = systemClock, events } = options
  const notes = new LockNotes()
  const counters = createLocalCounters(limitsFrom(options), clock)

  return {
    start(name, address, signal, correlation) {
      const keys = throttleLogin(name, address, correlation)
      const toAttempt = (admission: ThrottledLogin | LocalAttempt): LoginAttempt | ThrottledLogin =>
        admission.isAllowed ? createAttempt(keys, admission) : admission
      const admission = counters.start(keys, signal)
      return admission instanceof Promise ? admission.then(toAttempt) : toAttempt(admission)
    },

    unlock(name, context = {}) {
      events?.report('unlock', unlockEvent(clock(), context, { userName: name }))
      counters.unlock(userKeys(name))
    },

    list: async () => notes.list(clock(), counters.remainingMs),

    unlockAddress(source, context = {}) {
      events?.report('unlock', unlockEvent(clock(), context, { source }))
      counters.unlock(addressKeys(source))
    },
  }

  function createAttempt(keys: ThrottleLogin, attempt: LocalAttempt): LoginAttempt {
    let isSettled = false
    function settle(outcome: LoginOutcome, subject?: string): boolean {
      if (isSettled) return false
      isSettled = true
      const { isWithinLimit, locks } = attempt.settle(outcome, subject)
      notes.add(locks.report(events, clock(), keys, subject))
      return isWithinLimit
    }
    return {
      isAllowed: true,
      fail: (subject) => {
        settle('failed', subject)
      },
      succeed: (subject) => settle('succeeded', subject),
      cancel: () => {
        settle('cancelled')
      },
    }
  }
}

/** The event of an unlock, of a user or of an address. */
export function unlockEvent(
  at: number,
  context: ChangeContext,
  { userName = '', source }: { readonly userName?: string; readonly source?: string },
): SecurityEventMap['unlock'] {
  return { at, userName, source, ...changedBy(context) }
}

/** The limits with their defaults. @throws TypeError when one is out of range. */
export function limitsFrom(options: LoginThrottleOptions): ThrottleLimits {
  const { maxFailures = 5, windowMs = 900_000, lockoutMs = 60_000, maxEntries = 20_000 } = options
  const { maxUserFailures = 100, maxSourceFailures = 300 } = options
  assertNumbers({ maxFailures, windowMs, lockoutMs, maxUserFailures, maxSourceFailures }, 1)
  assertIntegers({ maxEntries }, 1)
  return { maxFailures, windowMs, lockoutMs, maxUserFailures, maxSourceFailures, maxEntries }
}
