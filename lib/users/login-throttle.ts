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
import { systemClock } from '../core/clock.js'
import type { ChangeContext, SecurityEvents } from '../core/events.js'
import { FailureBuckets } from './failure-buckets.js'
import { PairLock } from './pair-lock.js'
import { RecordTable } from './record-table.js'
import { StartedLocks, type ThrottleLogin } from './started-locks.js'
import { subjectKeys, type ThrottleKeys, throttleKeys, userKey } from './throttle-keys.js'

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
   * Pairs, users and sources that are counted apart, each. About 300 bytes for each of them. When there are more within
   * the window, the further pairs of one source share a lock: no counter is forgotten for another.
   *
   * @defaultValue 20 000
   */
  readonly maxEntries?: number
  /** Told when failures begin to lock others out, and of each `unlock`. */
  readonly events?: SecurityEvents | undefined
  /**
   * Milliseconds since the epoch.
   *
   * @defaultValue `Date.now`
   */
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
  /** The credentials were wrong. */
  failed(subject?: string): void
  /**
   * The login was good: the counters of the pair and of the user begin anew.
   *
   * @returns `false` when the user must not log in from here now, because guesses by another name have used up the limit. The
   * answer must then be that of wrong credentials: any other would tell that the guess was right.
   */
  succeeded(subject?: string): boolean
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
  unlock(name: string, context?: ChangeContext): void
}

/** How long a good login makes its source a known one for that user. */
const knownMs = 24 * 60 * 60 * 1000

/** The record of all sources that found no room. No digest is empty. */
const everyOtherSource = ''

/** Where the lock of a login is kept. */
interface LockPlace {
  readonly table: RecordTable<PairLock>
  readonly key: string
  /** Key of the user, unless other users share the lock. */
  readonly user: string | undefined
}

/** Makes a throttle that counts in this process: others count apart, and a restart forgets. */
export function createLoginThrottle(options: LoginThrottleOptions = {}): LoginThrottle {
  const { maxFailures = 5, windowSeconds = 900, lockoutSeconds = 60, clock = systemClock } = options
  const { maxFailuresOfUser = 100, maxFailuresOfSource = 300, maxEntries = 20_000, events } = options
  const windowMs = windowSeconds * 1000
  const policy = { maxFailures, windowMs, lockoutMs: lockoutSeconds * 1000 }
  const pairs = new RecordTable<PairLock>(maxEntries)
  /** Pairs with a good login. Apart from the others, so that no flood of those leaves a user without a lock of its own. */
  const knownPairs = new RecordTable<PairLock>(maxEntries)
  /** By source: one lock for all pairs of a source that found no room. */
  const crowds = new RecordTable<PairLock>(maxEntries)
  const users = new FailureBuckets({ capacity: maxFailuresOfUser, windowMs, maxEntries })
  const sources = new FailureBuckets({ capacity: maxFailuresOfSource, windowMs, maxEntries })
  /** When each pair last logged in. Apart from the failures, so that no flood of them puts a good login out. */
  const goodLogins = new LRUCache<string, number>({ max: maxEntries })

  function isKnownPair({ pair }: ThrottleKeys, now: number): boolean {
    return now - (goodLogins.get(pair) ?? Number.NEGATIVE_INFINITY) < knownMs
  }

  /** `undefined`: there is no room for a lock of this pair alone. */
  function ownPlace({ pair: key, user }: ThrottleKeys, isKnown: boolean, now: number): LockPlace | undefined {
    const isBegun = pairs.get(key) !== undefined
    const table = isKnown && !isBegun && knownPairs.hasRoom(key, now) ? knownPairs : pairs
    return table.hasRoom(key, now) ? { table, key, user } : undefined
  }

  function placeFor(keys: ThrottleKeys, isKnown: boolean, now: number): LockPlace {
    const { source } = keys
    const key = crowds.hasRoom(source, now) ? source : everyOtherSource
    return ownPlace(keys, isKnown, now) ?? { table: crowds, key, user: undefined }
  }

  function holdLock({ table, key, user }: LockPlace): PairLock {
    return table.hold(key, () => new PairLock(user, policy))
  }

  /** `undefined`: the logins of this pair that are under way must be settled first. */
  function admit(keys: ThrottleLogin, place: LockPlace): LoginAttempt | ThrottledLogin | undefined {
    const now = clock()
    const isKnown = isKnownPair(keys, now)
    const lock = place.table.get(place.key)
    const lockedMs = lock?.lockedMs(now) ?? 0
    if (lockedMs > 0) return throttled(lockedMs)
    if (!isKnown) {
      const waitMs = Math.max(users.waitMs(keys.user, now), sources.waitMs(keys.source, now))
      if (waitMs > 0) return throttled(waitMs)
    }
    return lock?.hasRoom(now) === false ? undefined : attemptOf(keys, isKnown, place, now)
  }

  function attemptOf(keys: ThrottleLogin, isKnown: boolean, place: LockPlace, begunAt: number): LoginAttempt {
    const lock = holdLock(place)
    const settleUser = isKnown ? undefined : users.hold(keys.user, begunAt)
    const settleSource = sources.hold(keys.source, begunAt)
    lock.pending++
    let isSettled = false

    /** Whether the outcome stands. */
    function settle(outcome: 'failed' | 'succeeded' | 'cancelled', subject?: string): boolean {
      if (isSettled) return false
      isSettled = true
      const now = clock()
      const locks = new StartedLocks()
      const isWithinLimit =
        subject === undefined || count(subjectKeys(subject, keys.source), outcome === 'failed', now, locks)
      // Counted alike whether the password was right or not, or the count would tell.
      const hasFailed = outcome === 'failed' || !isWithinLimit
      locks.note('user', settleUser?.({ hasFailed, now }) ?? 0)
      locks.note('source', settleSource({ hasFailed, now }))
      lock.pending--
      if (hasFailed) locks.note(lock.user === undefined ? 'source' : 'pair', lock.fail(now))
      else if (outcome === 'succeeded') noteGoodLogin(keys, lock, now)
      lock.wake()
      place.table.release(place.key, lock, now)
      locks.report(events, now, keys, subject)
      return isWithinLimit
    }

    return {
      isAllowed: true,
      failed: (subject) => {
        settle('failed', subject)
      },
      succeeded: (subject) => settle('succeeded', subject),
      cancelled: () => {
        settle('cancelled')
      },
    }
  }

  /** Counts an outcome for the user who was found. `false`: the limit was reached before, and it does not count. */
  function count(keys: ThrottleKeys, hasFailed: boolean, now: number, locks: StartedLocks): boolean {
    const isKnown = isKnownPair(keys, now)
    const place = ownPlace(keys, isKnown, now)
    if ((place?.table.get(place.key)?.lockedMs(now) ?? 0) > 0) return false
    if (!isKnown && users.waitMs(keys.user, now) > 0) return false
    if (!isKnown) locks.note('user', users.hold(keys.user, now)({ hasFailed, now }))
    const lock = place && holdLock(place)
    if (hasFailed) locks.note('pair', lock?.fail(now) ?? 0)
    else noteGoodLogin(keys, lock, now)
    if (lock !== undefined) place?.table.release(place.key, lock, now)
    return true
  }

  function noteGoodLogin(keys: ThrottleKeys, lock: PairLock | undefined, now: number): void {
    // One good login does not pay for the guesses of a whole crowd.
    if (lock?.user !== undefined) lock.reset()
    users.empty(keys.user, now)
    goodLogins.set(keys.pair, now)
  }

  /** Waits until {@link admit} has an answer. Whoever leaves makes no room, so nobody else need be woken. */
  function turn(
    keys: ThrottleLogin,
    place: LockPlace,
    signal: AbortSignal | undefined,
  ): Promise<LoginAttempt | ThrottledLogin> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const lock = holdLock(place)
      const end = (): void => {
        signal?.removeEventListener('abort', leave)
        place.table.release(place.key, lock, clock())
      }
      const leave = (): void => {
        lock.waiters.delete(tryAgain)
        end()
        reject(signal?.reason)
      }
      const tryAgain = (): boolean => {
        const admission = admit(keys, place)
        if (admission === undefined) return false
        end()
        resolve(admission)
        return true
      }
      lock.waiters.add(tryAgain)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  return {
    begin(name, address, signal) {
      const keys: ThrottleLogin = { ...throttleKeys(name, address), name, address }
      const now = clock()
      const place = placeFor(keys, isKnownPair(keys, now), now)
      return admit(keys, place) ?? turn(keys, place, signal)
    },

    unlock(name, { by, reason } = {}) {
      const now = clock()
      events?.report('unlock', { at: now, userName: name, by, reason })
      const wanted = [userKey(name), subjectKeys(name, '').user]
      for (const user of wanted) users.empty(user, now)
      for (const table of [pairs, knownPairs]) {
        for (const [key, lock] of table.entries()) {
          if (lock.user === undefined || !wanted.includes(lock.user)) continue
          lock.reset()
          table.removeEnded(key, lock, now)
        }
      }
    },
  }
}

function throttled(waitMs: number): ThrottledLogin {
  return { isAllowed: false, retryAfterSeconds: Math.ceil(waitMs / 1000) }
}
