/**
 * The hard lock of the login throttle: one user from one source.
 *
 * @module
 */

import type { HeldRecord } from './record-table.js'

/** The times and limits of {@link PairLock}. */
export interface PairLockPolicy {
  readonly maxFailures: number
  readonly windowMs: number
  readonly lockoutMs: number
}

/** Failures and locks of one pair of user and source. Moments are in milliseconds. */
export class PairLock implements HeldRecord {
  /** Key of the user, to find all pairs of one user; `undefined` for a record that many users share. */
  readonly user: string | undefined
  holds = 0
  /** Logins under way that may still turn out to be failures. */
  pending = 0
  /** Called, the first one first, when a login under way has been settled. */
  readonly waiters: Set<() => boolean> = new Set()
  readonly #policy: PairLockPolicy
  #failures = 0
  #windowEndsAt = 0
  #locks = 0
  #lockedUntil = 0

  constructor(user: string | undefined, policy: PairLockPolicy) {
    this.user = user
    this.#policy = policy
  }

  /** The window after a lock counts too: a lock within it is a longer one. */
  get endsAt(): number {
    const locksEndAt = this.#locks === 0 ? 0 : this.#lockedUntil + this.#policy.windowMs
    return Math.max(this.#windowEndsAt, locksEndAt)
  }

  /** Milliseconds until the lock ends; 0 or less when there is none. */
  lockedMs(now: number): number {
    return this.#lockedUntil - now
  }

  /** Whether one more login could fail without passing the limit, if those under way failed as well. */
  hasRoom(now: number): boolean {
    const failures = now < this.#windowEndsAt ? this.#failures : 0
    return failures + this.pending < this.#policy.maxFailures
  }

  /**
   * Counts a failure. The one that reaches the limit locks: twice as long as the last time, up to the window.
   *
   * @returns Milliseconds of the lock that it began; 0: none.
   */
  fail(now: number): number {
    const { maxFailures, windowMs, lockoutMs } = this.#policy
    if (now >= this.#windowEndsAt) {
      this.#failures = 0
      this.#windowEndsAt = now + windowMs
    }
    this.#failures++
    if (this.#failures < maxFailures) return 0
    if (now >= this.#lockedUntil + windowMs) this.#locks = 0
    this.#lockedUntil = now + Math.min(lockoutMs * 2 ** this.#locks, Math.max(lockoutMs, windowMs))
    this.#locks++
    this.#failures = 0
    this.#windowEndsAt = 0
    return this.lockedMs(now)
  }

  reset(): void {
    this.#failures = 0
    this.#windowEndsAt = 0
    this.#locks = 0
    this.#lockedUntil = 0
  }

  /** Lets waiting logins on, for as long as each of them gets an answer. */
  wake(): void {
    for (const goesOn of this.waiters) {
      if (!goesOn()) return
      this.waiters.delete(goesOn)
    }
  }
}
