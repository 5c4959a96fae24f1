/**
 * The rules of the login throttle, over counters that are kept in memory or were read from a database. Each function is one step.
 *
 * @module
 */

import { type Bucket, FailureBuckets, PairLock, type RecordTable } from './counters.js'
import type { LoginThrottleOptions, ThrottledLogin } from './login-throttle.js'
import { lockKeys, type StartedLock, StartedLocks, subjectKeys, type ThrottleKeys } from './throttle-keys.js'

/** How a login ended. */
export type LoginOutcome = 'failed' | 'succeeded' | 'cancelled'

/** The limits of a throttle. */
export type ThrottleLimits = Required<Omit<LoginThrottleOptions, 'events' | 'clock'>>

/** What an outcome has led to. */
export interface Settlement {
  /** `false`: the user must not log in, whether the password was right or not. */
  readonly isWithinLimit: boolean
  readonly locks: StartedLocks
}

/** How long a good login makes its source a known one for that user. */
export const knownMs = 24 * 60 * 60 * 1000

/** What is counted. */
export interface ThrottleTables {
  readonly pairs: RecordTable<PairLock>
  /** Pairs with a good login. Apart from the others, so that no flood of those leaves a user without a lock of its own. */
  readonly knownPairs: RecordTable<PairLock>
  /** By source: one lock for all pairs of a source that found no room. */
  readonly crowds: RecordTable<PairLock>
  readonly users: RecordTable<Bucket>
  readonly sources: RecordTable<Bucket>
  /** When each pair last logged in. Apart from the failures: no flood of them evicts a good login. */
  readonly goodLogins: { get(pair: string): number | undefined; set(pair: string, at: number): unknown }
}

/** Where the lock of a login is kept. */
export interface LockPlace {
  readonly table: 'pairs' | 'knownPairs' | 'crowds'
  readonly key: string
  /** Key of the user, unless other users share the lock. */
  readonly user: string | undefined
}

/** Where a login under way is held: at a lock, at a source, and at a user unless the pair is known. */
export interface HeldLogin {
  readonly isAllowed: true
  readonly place: LockPlace
  readonly userKey: string | undefined
  readonly sourceKey: string
}

export interface ThrottleRules {
  placeFor(keys: ThrottleKeys, now: number): LockPlace
  /** Holds a login, or refuses it. `undefined`: the logins at this place that are under way must be settled first. */
  admit(keys: ThrottleKeys, place: LockPlace, now: number): HeldLogin | ThrottledLogin | undefined
  /** Settles a login that is held. `subject` is the user who was found. */
  settle(held: HeldLogin, keys: ThrottleKeys, outcome: LoginOutcome, now: number, subject?: string): Settlement
  /** Whether a user who was found may log in now. */
  isWithinLimit(keys: ThrottleKeys, now: number): boolean
  /** Notes a good login elsewhere. Answers whether it is later than the last one that was known. */
  noteGoodLogin(keys: ThrottleKeys, at: number, now: number): boolean
  /** Milliseconds until a lock ends; 0 when it has. */
  remainingMs(lock: StartedLock, now: number): number
  /** Ends all locks of users and of sources, by their keys, and forgets their failures. */
  unlock(keys: readonly string[], now: number): void
}

/** The record of all sources that found no room. No digest is empty. */
const everyOtherSource = ''

export function createThrottleRules(tables: ThrottleTables, limits: ThrottleLimits): ThrottleRules {
  const { windowMs, maxUserFailures, maxSourceFailures } = limits
  const { pairs, knownPairs, crowds, goodLogins } = tables
  const users = new FailureBuckets(tables.users, { capacity: maxUserFailures, leakMs: windowMs / maxUserFailures })
  const sources = new FailureBuckets(tables.sources, {
    capacity: maxSourceFailures,
    leakMs: windowMs / maxSourceFailures,
  })

  function isKnownPair({ pair }: ThrottleKeys, now: number): boolean {
    return now - (goodLogins.get(pair) ?? Number.NEGATIVE_INFINITY) < knownMs
  }

  /** `undefined`: there is no room for a lock of this pair alone. */
  function ownPlace({ pair: key, user }: ThrottleKeys, isKnown: boolean, now: number): LockPlace | undefined {
    const isStarted = pairs.get(key) !== undefined
    const table = isKnown && !isStarted && knownPairs.hasRoom(key, now) ? 'knownPairs' : 'pairs'
    return tables[table].hasRoom(key, now) ? { table, key, user } : undefined
  }

  function lockAt({ table, key }: LockPlace): PairLock | undefined {
    return tables[table].get(key)
  }

  function holdLock({ table, key, user }: LockPlace): PairLock {
    return tables[table].hold(key, () => new PairLock(user, limits))
  }

  /** Counts an outcome for the user who was found. `false`: the limit was reached before, and it does not count. */
  function count(keys: ThrottleKeys, hasFailed: boolean, now: number, locks: StartedLocks): boolean {
    const isKnown = isKnownPair(keys, now)
    const place = ownPlace(keys, isKnown, now)
    if (!isWithinLimit(keys, isKnown, place, now)) return false
    if (!isKnown) locks.note('user', users.settle(users.hold(keys.user, now), hasFailed, now))
    const lock = place && holdLock(place)
    if (hasFailed) locks.note('pair', lock?.fail(now) ?? 0)
    else noteGoodLogin(keys, lock, now)
    if (lock !== undefined) tables[place!.table].release(place!.key, lock, now)
    return true
  }

  function isWithinLimit(keys: ThrottleKeys, isKnown: boolean, place: LockPlace | undefined, now: number): boolean {
    if (place !== undefined && (lockAt(place)?.lockedMs(now) ?? 0) > 0) return false
    return isKnown || users.waitMs(keys.user, now) === 0
  }

  function noteGoodLogin(keys: ThrottleKeys, lock: PairLock | undefined, now: number): void {
    // One good login does not pay for the guesses of a whole crowd.
    if (lock?.user !== undefined) lock.reset()
    users.empty(keys.user, now)
    goodLogins.set(keys.pair, now)
  }

  return {
    placeFor(keys, now) {
      const { source } = keys
      const key = crowds.hasRoom(source, now) ? source : everyOtherSource
      return ownPlace(keys, isKnownPair(keys, now), now) ?? { table: 'crowds', key, user: undefined }
    },

    admit(keys, place, now) {
      const isKnown = isKnownPair(keys, now)
      const lockedMs = lockAt(place)?.lockedMs(now) ?? 0
      if (lockedMs > 0) return throttled(lockedMs)
      if (!isKnown) {
        const waitMs = Math.max(users.waitMs(keys.user, now), sources.waitMs(keys.source, now))
        if (waitMs > 0) return throttled(waitMs)
      }
      if (lockAt(place)?.hasRoom(now) === false) return undefined
      holdLock(place).pending++
      const userKey = isKnown ? undefined : users.hold(keys.user, now)
      return { isAllowed: true, place, userKey, sourceKey: sources.hold(keys.source, now) }
    },

    settle({ place, userKey, sourceKey }, keys, outcome, now, subject) {
      const locks = new StartedLocks()
      const isWithinLimit =
        subject === undefined || count(subjectKeys(subject, keys.source), outcome === 'failed', now, locks)
      // Counted alike whether the password was right or not, or the count would tell.
      const hasFailed = outcome === 'failed' || !isWithinLimit
      if (userKey !== undefined) locks.note('user', users.settle(userKey, hasFailed, now))
      locks.note('source', sources.settle(sourceKey, hasFailed, now))
      const lock = lockAt(place)
      if (lock !== undefined) {
        lock.pending--
        if (hasFailed) locks.note(lock.user === undefined ? 'source' : 'pair', lock.fail(now))
        else if (outcome === 'succeeded') noteGoodLogin(keys, lock, now)
        tables[place.table].release(place.key, lock, now)
      }
      return { isWithinLimit, locks }
    },

    isWithinLimit(keys, now) {
      const isKnown = isKnownPair(keys, now)
      return isWithinLimit(keys, isKnown, ownPlace(keys, isKnown, now), now)
    },

    noteGoodLogin(keys, at, now) {
      if (at <= Math.max(goodLogins.get(keys.pair) ?? 0, now - knownMs)) return false
      noteGoodLogin(keys, pairs.get(keys.pair) ?? knownPairs.get(keys.pair), at)
      return true
    },

    remainingMs(lock, now) {
      const waits = lockKeys(lock).flatMap(({ pair, user, source }) => {
        if (lock.scope === 'user') return [users.waitMs(user, now)]
        const locks =
          lock.scope === 'pair'
            ? [pairs.get(pair), knownPairs.get(pair)]
            : [crowds.get(source), crowds.get(everyOtherSource)]
        const lockedMs = locks.map((found) => found?.lockedMs(now) ?? 0)
        return lock.scope === 'pair' ? lockedMs : [...lockedMs, sources.waitMs(source, now)]
      })
      return Math.max(0, ...waits)
    },

    unlock(wanted, now) {
      for (const key of wanted) {
        users.empty(key, now)
        sources.empty(key, now)
        const crowd = crowds.get(key)
        crowd?.reset()
        if (crowd !== undefined) crowds.removeEnded(key, crowd, now)
      }
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

/** A refusal for whole seconds. */
export function throttled(waitMs: number): ThrottledLogin {
  return { isAllowed: false, retryAfterMs: Math.ceil(waitMs / 1000) * 1000 }
}
