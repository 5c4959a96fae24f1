/**
 * Which locks have begun. The counters know digests alone; operators have to read who was locked, and where.
 *
 * @module
 */

import { hash } from 'node:crypto'
import { addressKeys, type StartedLock, userKeys } from './throttle-keys.js'

/** A lock that holds. */
export interface LoginLock extends StartedLock {
  /** When the next login is taken, in milliseconds since the epoch. A further failure locks again. */
  readonly until: number
}

/** Locks that are listed, the latest ones: a flood of them must cost no more. */
export const maxListedLocks = 1000

/** Keeps the locks that began last, until others take their place. */
export class LockNotes {
  readonly #locks = new Map<string, StartedLock>()

  add(locks: readonly StartedLock[]): void {
    for (const lock of locks) {
      const key = noteKey(lock)
      this.#locks.delete(key)
      this.#locks.set(key, lock)
    }
    for (const key of this.#locks.keys()) {
      if (this.#locks.size <= maxListedLocks) return
      this.#locks.delete(key)
    }
  }

  /** Those that have not ended by `remainingMs`, the latest first. */
  list(now: number, remainingMs: (lock: StartedLock) => number): readonly LoginLock[] {
    return holdingLocks([...this.#locks.values()], now, remainingMs)
  }
}

/** Names what is locked, by a digest: one note for each. */
export function noteKey({ scope, userName, address = '' }: StartedLock): string {
  const user = scope === 'source' ? [] : userKeys(userName).slice(0, 1)
  const source = scope === 'user' ? [] : addressKeys(address)
  return hash('sha256', [scope, ...user, ...source].join(' '), 'base64url')
}

/** The locks that have not ended by `remainingMs`, the latest first. */
export function holdingLocks(
  locks: readonly StartedLock[],
  now: number,
  remainingMs: (lock: StartedLock, index: number) => number,
): readonly LoginLock[] {
  return locks
    .map((lock, index) => ({ ...lock, until: now + Math.ceil(remainingMs(lock, index)) }))
    .filter(({ until }) => until > now)
    .sort((left, right) => right.since - left.since)
}

/** Both lists as one: of a lock that is in both, the one that holds longer. */
export function mergeLocks(own: readonly LoginLock[], others: readonly LoginLock[]): readonly LoginLock[] {
  const merged = new Map<string, LoginLock>()
  for (const lock of [...own, ...others]) {
    const key = noteKey(lock)
    const known = merged.get(key)
    if (known === undefined || known.until < lock.until) merged.set(key, lock)
  }
  return [...merged.values()].sort((left, right) => right.since - left.since)
}
