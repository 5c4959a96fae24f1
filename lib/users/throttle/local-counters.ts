/**
 * What the login throttle counts in this process.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { type Bucket, PairLock, RecordTable } from './counters.js'
import type { ThrottledLogin } from './login-throttle.js'
import type { StartedLock, ThrottleKeys } from './throttle-keys.js'
import {
  createThrottleRules,
  type HeldLogin,
  type LockPlace,
  type LoginOutcome,
  type Settlement,
  type ThrottleLimits,
  type ThrottleTables,
} from './throttle-rules.js'

/** A login under way, to be settled once. */
export interface LocalAttempt {
  readonly isAllowed: true
  settle(outcome: LoginOutcome, subject?: string): Settlement
}

/** The counters of this process. */
export interface LocalCounters {
  /** As `LoginThrottle.start`. */
  start(
    keys: ThrottleKeys,
    signal?: AbortSignal,
  ): LocalAttempt | ThrottledLogin | Promise<LocalAttempt | ThrottledLogin>
  /** Whether a user who was found may log in now. */
  isWithinLimit(keys: ThrottleKeys): boolean
  /** Notes a good login elsewhere. Answers whether it is later than the last one that was known. */
  noteGoodLogin(keys: ThrottleKeys, at: number): boolean
  /** Milliseconds until a lock ends; 0 when it has. */
  remainingMs(lock: StartedLock): number
  /** Ends all locks of users and of sources, by their keys, and forgets their failures. */
  unlock(keys: readonly string[]): void
}

export function createLocalCounters(limits: ThrottleLimits, clock: () => number): LocalCounters {
  const { maxEntries } = limits
  const createLocks = () => new RecordTable<PairLock>(maxEntries)
  const createBuckets = () => new RecordTable<Bucket>(maxEntries)
  const tables: ThrottleTables = {
    pairs: createLocks(),
    knownPairs: createLocks(),
    crowds: createLocks(),
    users: createBuckets(),
    sources: createBuckets(),
    goodLogins: new LRUCache<string, number>({ maxSize: maxEntries, sizeCalculation: () => 1 }),
  }
  const rules = createThrottleRules(tables, limits)

  /** `undefined`: the logins at this place that are under way must be settled first. */
  function admit(keys: ThrottleKeys, place: LockPlace): LocalAttempt | ThrottledLogin | undefined {
    const admission = rules.admit(keys, place, clock())
    return admission?.isAllowed ? createAttempt(keys, admission) : admission
  }

  function createAttempt(keys: ThrottleKeys, held: HeldLogin): LocalAttempt {
    return {
      isAllowed: true,
      settle(outcome, subject) {
        const { table, key } = held.place
        const lock = tables[table].get(key)
        const settlement = rules.settle(held, keys, outcome, clock(), subject)
        lock?.wake()
        return settlement
      },
    }
  }

  /** Waits until {@link admit} has an answer. A login that is aborted makes no room: no other has to be woken. */
  function turn(
    keys: ThrottleKeys,
    place: LockPlace,
    signal: AbortSignal | undefined,
  ): Promise<LocalAttempt | ThrottledLogin> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const table = tables[place.table]
      const lock = table.hold(place.key, () => new PairLock(place.user, limits))
      const end = (): void => {
        signal?.removeEventListener('abort', leave)
        table.release(place.key, lock, clock())
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
    start(keys, signal) {
      const place = rules.placeFor(keys, clock())
      return admit(keys, place) ?? turn(keys, place, signal)
    },
    isWithinLimit: (keys) => rules.isWithinLimit(keys, clock()),
    noteGoodLogin: (keys, at) => rules.noteGoodLogin(keys, at, clock()),
    remainingMs: (lock) => rules.remainingMs(lock, clock()),
    unlock: (keys) => rules.unlock(keys, clock()),
  }
}
