/**
 * The tokens of one kind in memory: bounded, in the orders of use, of their users and of expiry.
 *
 * @module
 */

import { ExpiryOrder } from './expiry-order.js'
import { mergedByTick } from './merged-by-tick.js'
import { partCountFor } from './part-of.js'
import { RecencyOrder } from './recency-order.js'
import { entryOf, type TokenEntry } from './token-entry.js'
import type { TokenRecord } from './token-store.js'
import { UserIndex, UserTokens } from './user-tokens.js'

/** Options of {@link TokenPool}. */
export interface TokenPoolOptions {
  readonly maxSize: number
  readonly maxPerUser: number
  /** Whether a new token puts another one out of a full pool; else it is refused. */
  readonly removesOldest: boolean
  readonly onEvict: ((record: TokenRecord) => void) | undefined
}

/** Tokens removed at a time: at a million tokens this takes a fraction of a millisecond. */
const sliceSize = 128

/** Holds the tokens of a store that share one bound. */
export class TokenPool {
  readonly #options: TokenPoolOptions
  readonly #entries: RecencyOrder
  readonly #users: UserIndex
  readonly #expiries = new ExpiryOrder()
  /** Management tokens have no idle time-out, and pay for none. */
  #hasIdleTimeouts = false

  constructor(options: TokenPoolOptions) {
    this.#options = options
    this.#entries = new RecencyOrder(options.maxSize)
    this.#users = new UserIndex(partCountFor(options.maxSize))
  }

  get size(): number {
    return this.#entries.size
  }

  find(id: string): TokenEntry | undefined {
    return this.#entries.find(id)
  }

  /** Adds a token whose id is not held; `false` when there is no room. `tick` rises with each call of any pool. */
  add(record: TokenRecord, tick: number, now: number): boolean {
    if (!this.#makeRoom(record, now)) return false
    const owner = this.#users.find(record.subject) ?? new UserTokens(record.subject)
    const entry = entryOf(record, owner, tick)
    if (record.idleTimeoutMs !== undefined) this.#hasIdleTimeouts = true
    this.#entries.add(entry)
    this.#users.add(entry)
    this.#expiries.add(entry)
    return true
  }

  /** Whether the id is held. One that has ended by `at` stays as it is. */
  touch(id: string, at: number, tick: number): boolean {
    if (this.#hasIdleTimeouts && this.#hasEnded(id, at)) return true
    const entry = this.#entries.touch(id, at, tick)
    if (entry === undefined) return false
    entry.owner.moveToFront(entry)
    if (entry.idleTimeoutMs !== undefined) this.#expiries.move(entry)
    return true
  }

  remove(entry: TokenEntry): void {
    this.#entries.remove(entry)
    this.#users.remove(entry)
    this.#expiries.remove(entry)
  }

  removeAllOf(subject: string): number {
    const owner = this.#users.find(subject)
    let count = 0
    for (let entry = owner?.mostRecent; entry !== undefined; entry = owner?.mostRecent) {
      this.remove(entry)
      count++
    }
    return count
  }

  /** The tokens of one user, or of all when `subject` is absent. The order must not change meanwhile. */
  mostRecentFirst(subject: string | undefined): Iterable<TokenEntry> {
    return subject === undefined ? this.#entries.mostRecentFirst() : tokensOf(this.#users.find(subject))
  }

  /** Removes up to a slice of what has expired. Whether there is more. */
  removeExpired(now: number): boolean {
    for (let count = 0; count < sliceSize; count++) {
      const expired = this.#expiries.findExpired(now)
      if (expired === undefined) return false
      this.remove(expired)
    }
    return this.#expiries.findExpired(now) !== undefined
  }

  clear(): void {
    this.#entries.clear()
    this.#users.clear()
    this.#expiries.clear()
  }

  /** Whether there is room for one more token of this user, made by the rules of the store if need be. */
  #makeRoom({ id, subject }: TokenRecord, now: number): boolean {
    const { maxSize, maxPerUser } = this.#options
    const owner = this.#users.find(subject)
    if (owner !== undefined && owner.count >= maxPerUser) {
      this.#removeExpiredOf(owner, now)
      if (owner.count >= maxPerUser && !this.#evict(owner.longestIdle)) return false
    }
    if (this.#entries.size >= maxSize) {
      this.removeExpired(now)
      if (this.#entries.size >= maxSize && !this.#evict(this.#victimFor(owner))) return false
    }
    return !this.#entries.isPartFull(id) || this.#evict(this.#entries.longestIdleNextTo(id))
  }

  #hasEnded(id: string, at: number): boolean {
    const entry = this.#entries.find(id)
    return entry?.idleTimeoutMs !== undefined && entry.endsAt <= at
  }

  #victimFor(owner: UserTokens | undefined): TokenEntry | undefined {
    const holdsMoreThanHalf = owner !== undefined && owner.count > this.#options.maxSize / 2
    return holdsMoreThanHalf ? owner.longestIdle : this.#entries.longestIdle()
  }

  #evict(entry: TokenEntry | undefined): boolean {
    if (entry === undefined || !this.#options.removesOldest) return false
    this.remove(entry)
    this.#options.onEvict?.(entry)
    return true
  }

  #removeExpiredOf(owner: UserTokens, now: number): void {
    if (this.#expiries.findExpired(now) === undefined) return
    for (const entry of [...tokensOf(owner)]) {
      if (entry.endsAt <= now) this.remove(entry)
    }
  }
}

function* tokensOf(owner: UserTokens | undefined): Generator<TokenEntry, undefined> {
  for (let entry = owner?.mostRecent; entry !== undefined; entry = entry.olderOfUser) yield entry
}

/** Reads pools as one, the most recently used first. They must not change meanwhile. */
export function mostRecentOf(
  pools: readonly TokenPool[],
  subject: string | undefined,
): Generator<TokenEntry, undefined> {
  return mergedByTick(pools.map((pool) => pool.mostRecentFirst(subject)))
}
