/**
 * Slows password guessing without shutting anybody out.
 *
 * Three counters, each for what the others cannot see: the pair of user and source is locked; the user's counter slows
 * guesses that come from many sources; the source's counter slows one source that tries many users. A source from which the
 * user has logged in lately is bound by its own pair only, so nobody can lock a user out from elsewhere.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { FailureBuckets } from './failure-buckets.js'
import { PairLock } from './pair-lock.js'
import { RecordTable } from './record-table.js'
import { type ThrottleKeys, throttleKeys, userKey } from './throttle-keys.js'

/** Options of {@link createLoginThrottle}. */
export interface LoginThrottleOptions {
  /**
   * Failures of one user from one source within the window that lock the pair.
   *
   * @defaultValue 5
   */
  readonly maxFailures?: number
  /**
   * How long a failure counts.
   *
   * @defaultValue 900 (15 minutes)
   */
  readonly windowSeconds?: number
  /**
   * The first lock of a pair. Each further one is twice as long, up to the window; a window without a lock begins anew.
   *
   * @defaultValue 60
   */
  readonly lockoutSeconds?: number
  /**
   * Failures of one user within the window, from all sources without a good login of that user in the last 24 hours. Beyond
   * it, such sources get one try in each `windowSeconds / maxFailuresOfUser` (9 seconds) together.
   *
   * @defaultValue 100, the bound of NIST SP 800-63B-3 section 5.2.2
   */
  readonly maxFailuresOfUser?: number
  /**
   * Failures of one source within the window, of all users together. Beyond it, the same holds, but for users with a good
   * login from there in the last 24 hours.
   *
   * @defaultValue 300
   */
  readonly maxFailuresOfSource?: number
  /**
   * Pairs, users and sources that are remembered, each. About 300 bytes for each of them.
   *
   * @defaultValue 20 000
   */
  readonly maxEntries?: number
  /**
   * Milliseconds since the epoch.
   *
   * @defaultValue `Date.now`
   */
  readonly clock?: () => number
}

/** A login that may go on. Exactly one of its methods is called when the outcome is known; further calls do nothing. */
export interface LoginAttempt {
  /** Tells an admitted login from a throttled one. */
  readonly isAllowed: true
  /** The credentials were wrong. */
  failed(): void
  /** The login was good: the counters of the pair and of the user begin anew. */
  succeeded(): void
  /** Nothing is known about the credentials: the store was down, or no work was taken. */
  cancelled(): void
}

/** A login that must be refused before anything else is done for it. */
export interface ThrottledLogin {
  /** Tells a throttled login from an admitted one. */
  readonly isAllowed: false
  /** Value for `Retry-After`, in whole seconds, at least 1. */
  readonly retryAfterSeconds: number
}

/** Counts failed logins. */
export interface LoginThrottle {
  /**
   * Admits or refuses a login, before its password is looked at. An admitted login counts as a failure until it is settled,
   * so that parallel guesses cannot pass the limit together; those that could wait until the others are settled.
   *
   * @throws the reason of `signal` (by rejecting) when it is aborted while the login waits.
   */
  begin(
    name: string,
    address: string | undefined,
    signal?: AbortSignal,
  ): LoginAttempt | ThrottledLogin | Promise<LoginAttempt | ThrottledLogin>
  /** Ends all locks of a user and forgets the failures. */
  unlock(name: string): void
}

/** How long a good login makes its source a known one for that user. */
const knownMs = 24 * 60 * 60 * 1000

/** Makes a throttle that counts in this process: others count apart, and a restart forgets. */
export function createLoginThrottle(options: LoginThrottleOptions = {}): LoginThrottle {
  const { maxFailures = 5, windowSeconds = 900, lockoutSeconds = 60, clock = Date.now } = options
  const { maxFailuresOfUser = 100, maxFailuresOfSource = 300, maxEntries = 20_000 } = options
  const windowMs = windowSeconds * 1000
  const policy = { maxFailures, windowMs, lockoutMs: lockoutSeconds * 1000 }
  const pairs = new RecordTable<PairLock>(maxEntries)
  const users = new FailureBuckets({ capacity: maxFailuresOfUser, windowMs, maxEntries })
  const sources = new FailureBuckets({ capacity: maxFailuresOfSource, windowMs, maxEntries })
  /** When each pair last logged in. Apart from the failures, so that no flood of them puts a good login out. */
  const goodLogins = new LRUCache<string, number>({ max: maxEntries })

  /** `undefined`: the logins of this pair that are under way must be settled first. */
  function admit(keys: ThrottleKeys): LoginAttempt | ThrottledLogin | undefined {
    const now = clock()
    const pair = pairs.peek(keys.pair)
    const lockedMs = pair?.lockedMs(now) ?? 0
    if (lockedMs > 0) return throttled(lockedMs)
    const isKnown = now - (goodLogins.get(keys.pair) ?? Number.NEGATIVE_INFINITY) < knownMs
    if (!isKnown) {
      const waitMs = Math.max(users.waitMs(keys.user, now), sources.waitMs(keys.source, now))
      if (waitMs > 0) return throttled(waitMs)
    }
    return pair?.hasRoom(now) === false ? undefined : attemptOf(keys, isKnown)
  }

  function attemptOf(keys: ThrottleKeys, isKnown: boolean): LoginAttempt {
    const pair = pairs.hold(keys.pair, () => new PairLock(keys.user, policy))
    const settleUser = isKnown ? undefined : users.hold(keys.user)
    const settleSource = sources.hold(keys.source)
    pair.pending++
    let isSettled = false

    function settle(outcome: 'failed' | 'succeeded' | 'cancelled'): void {
      if (isSettled) return
      isSettled = true
      const now = clock()
      const hasFailed = outcome === 'failed'
      settleUser?.({ hasFailed, now })
      settleSource({ hasFailed, now })
      pair.pending--
      if (hasFailed) {
        pair.fail(now)
        pairs.keep(keys.pair, pair)
      } else if (outcome === 'succeeded') {
        pair.reset()
        pairs.forget(keys.pair)
        users.empty(keys.user)
        goodLogins.set(keys.pair, now)
      }
      pair.wake()
      pairs.release(keys.pair, pair)
    }

    return {
      isAllowed: true,
      failed: () => settle('failed'),
      succeeded: () => settle('succeeded'),
      cancelled: () => settle('cancelled'),
    }
  }

  /** Waits until {@link admit} has an answer. Whoever leaves makes no room, so nobody else need be woken. */
  function turn(keys: ThrottleKeys, signal: AbortSignal | undefined): Promise<LoginAttempt | ThrottledLogin> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const pair = pairs.hold(keys.pair, () => new PairLock(keys.user, policy))
      const end = (): void => {
        signal?.removeEventListener('abort', leave)
        pairs.release(keys.pair, pair)
      }
      const leave = (): void => {
        pair.waiters.delete(tryAgain)
        end()
        reject(signal?.reason)
      }
      const tryAgain = (): boolean => {
        const admission = admit(keys)
        if (admission === undefined) return false
        end()
        resolve(admission)
        return true
      }
      pair.waiters.add(tryAgain)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  return {
    begin(name, address, signal) {
      const keys = throttleKeys(name, address)
      return admit(keys) ?? turn(keys, signal)
    },

    unlock(name) {
      const user = userKey(name)
      users.empty(user)
      for (const [, pair] of pairs.entries()) {
        if (pair.user === user) pair.reset()
      }
    },
  }
}

function throttled(waitMs: number): ThrottledLogin {
  return { isAllowed: false, retryAfterSeconds: Math.ceil(waitMs / 1000) }
}
