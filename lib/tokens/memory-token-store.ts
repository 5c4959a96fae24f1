/**
 * The token store of a single process: bounded, in memory, lost with the process.
 *
 * @module
 */

import { ExpiryOrder } from './expiry-order.js'
import { partCountFor } from './part-of.js'
import { RecencyOrder } from './recency-order.js'
import { Sweeper } from './sweeper.js'
import { TokenEntry } from './token-entry.js'
import type { TokenQuery, TokenRecord, TokenStore } from './token-store.js'
import { UserIndex, UserTokens } from './user-tokens.js'

/** Options of {@link MemoryTokenStore}. */
export interface MemoryTokenStoreOptions {
  /** How many tokens the store holds, from 1. @defaultValue 200 */
  readonly maxSize?: number | undefined
  /** How many of them one user may hold, from 1. @defaultValue no limit but `maxSize` */
  readonly maxPerUser?: number | undefined
  /**
   * What a new token does to a full store: `true` puts another one out, `false` refuses the new one. At `maxPerUser`
   * it decides the same for the tokens of that user.
   *
   * @defaultValue true
   */
  readonly removeOldestOnOverflow?: boolean | undefined
  /**
   * Seconds between two clean-ups of expired tokens, 1 to 2 147 483. It frees memory; whether a token has expired is
   * checked at each request.
   *
   * @defaultValue 600
   */
  readonly cleanUpIntervalSeconds?: number | undefined
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
  /** Called with each live token that is put out to make room, after it has gone. */
  readonly onEvict?: ((record: TokenRecord) => void) | undefined
}

/** Longest interval of a Node timer. */
const maxIntervalSeconds = 2_147_483

/** Tokens removed at a time: at a million tokens this takes a fraction of a millisecond. */
const sliceSize = 128

const defaultListLimit = 100

/**
 * Keeps tokens in lru-caches, and answers at once, never with a promise.
 *
 * When it is full, expired tokens go first; then, if the user who logs in holds more than half of it, the one of that
 * user that was idle longest; else the one of all that was idle longest. So nobody floods others out.
 *
 * @throws TypeError when an option is out of range.
 */
export class MemoryTokenStore implements TokenStore {
  readonly #maxSize: number
  readonly #maxPerUser: number
  readonly #removesOldest: boolean
  readonly #clock: () => number
  readonly #onEvict: ((record: TokenRecord) => void) | undefined
  readonly #entries: RecencyOrder
  readonly #users: UserIndex
  readonly #expiries = new ExpiryOrder()
  readonly #sweeper: Sweeper
  #tick = 0
  #isClosed = false

  constructor(options: MemoryTokenStoreOptions = {}) {
    const { maxSize = 200, maxPerUser = maxSize, cleanUpIntervalSeconds = 600 } = options
    demandInteger('maxSize', maxSize, Number.MAX_SAFE_INTEGER)
    demandInteger('maxPerUser', maxPerUser, Number.MAX_SAFE_INTEGER)
    demandInteger('cleanUpIntervalSeconds', cleanUpIntervalSeconds, maxIntervalSeconds)
    this.#maxSize = maxSize
    this.#maxPerUser = maxPerUser
    this.#removesOldest = options.removeOldestOnOverflow ?? true
    this.#clock = options.clock ?? Date.now
    this.#onEvict = options.onEvict
    this.#entries = new RecencyOrder(maxSize)
    this.#users = new UserIndex(partCountFor(maxSize))
    this.#sweeper = new Sweeper(cleanUpIntervalSeconds, () => this.#removeExpired(this.#clock()))
  }

  /** How many tokens are held, with those that have expired but were not cleaned up yet. */
  get size(): number {
    return this.#entries.size
  }

  find(id: string): TokenRecord | undefined {
    return this.#entries.find(id)
  }

  /** Adds a token in place of one with the same id. A closed store takes none. */
  add(record: TokenRecord): boolean {
    if (this.#isClosed) return false
    const twin = this.#entries.find(record.id)
    if (twin !== undefined) this.#remove(twin)
    if (!this.#makeRoom(record)) return false

    const owner = this.#users.find(record.subject) ?? new UserTokens(record.subject)
    const entry = new TokenEntry(record, owner, ++this.#tick)
    this.#entries.add(entry)
    this.#users.add(entry)
    this.#expiries.add(entry)
    this.#sweeper.start()
    return true
  }

  touch(id: string, at: number): void {
    const entry = this.#entries.touch(id, at, ++this.#tick)
    entry?.owner.moveToFront(entry)
  }

  remove(id: string): boolean {
    const entry = this.#entries.find(id)
    if (entry === undefined) return false
    this.#remove(entry)
    return true
  }

  removeAllOf(subject: string): number {
    const owner = this.#users.find(subject)
    let count = 0
    for (let entry = owner?.mostRecent; entry !== undefined; entry = owner?.mostRecent) {
      this.#remove(entry)
      count++
    }
    return count
  }

  list({ subject, kind, limit = defaultListLimit }: TokenQuery = {}): readonly TokenRecord[] {
    const now = this.#clock()
    const found: TokenRecord[] = []
    for (const entry of subject === undefined ? this.#entries.mostRecentFirst() : tokensOf(this.#users.find(subject))) {
      if (found.length >= limit) break
      if (entry.expiresAt > now && (kind === undefined || entry.kind === kind)) found.push(entry)
    }
    return found
  }

  close(): void {
    this.#isClosed = true
    this.#sweeper.stop()
    this.#entries.clear()
    this.#users.clear()
    this.#expiries.clear()
  }

  /** Whether there is room for one more token of this user, made by the rules of the class if need be. */
  #makeRoom({ id, subject }: TokenRecord): boolean {
    const owner = this.#users.find(subject)
    if (owner !== undefined && owner.count >= this.#maxPerUser) {
      this.#removeExpiredOf(owner)
      if (owner.count >= this.#maxPerUser && !this.#evict(owner.longestIdle)) return false
    }
    if (this.#entries.size >= this.#maxSize) {
      this.#removeExpired(this.#clock())
      if (this.#entries.size >= this.#maxSize && !this.#evict(this.#victimFor(owner))) return false
    }
    return !this.#entries.isPartFull(id) || this.#evict(this.#entries.longestIdleNextTo(id))
  }

  #victimFor(owner: UserTokens | undefined): TokenEntry | undefined {
    const holdsMoreThanHalf = owner !== undefined && owner.count > this.#maxSize / 2
    return holdsMoreThanHalf ? owner.longestIdle : this.#entries.longestIdle()
  }

  #evict(entry: TokenEntry | undefined): boolean {
    if (entry === undefined || !this.#removesOldest) return false
    this.#remove(entry)
    this.#onEvict?.(entry)
    return true
  }

  /** Removes up to a slice of what has expired. Whether there is more. */
  #removeExpired(now: number): boolean {
    for (let count = 0; count < sliceSize; count++) {
      const expired = this.#expiries.findExpired(now)
      if (expired === undefined) return false
      this.#remove(expired)
    }
    return this.#expiries.findExpired(now) !== undefined
  }

  #removeExpiredOf(owner: UserTokens): void {
    const now = this.#clock()
    if (this.#expiries.findExpired(now) === undefined) return
    for (const entry of [...tokensOf(owner)]) {
      if (entry.expiresAt <= now) this.#remove(entry)
    }
  }

  #remove(entry: TokenEntry): void {
    this.#entries.remove(entry)
    this.#users.remove(entry)
    this.#expiries.remove(entry)
    if (this.#entries.size === 0) this.#sweeper.stop()
  }
}

function* tokensOf(owner: UserTokens | undefined): Generator<TokenEntry, undefined> {
  for (let entry = owner?.mostRecent; entry !== undefined; entry = entry.olderOfUser) yield entry
}

function demandInteger(name: string, value: number, largest: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > largest) {
    throw new TypeError(`"${name}" option must be an integer from 1 to ${largest}`)
  }
}
