/**
 * The token store of a single process: bounded, in memory, lost with the process.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import { systemClock } from '../core/clock.js'
import { Sweeper } from './sweeper.js'
import type { TokenEntry } from './token-entry.js'
import { mostRecentOf, TokenPool } from './token-pool.js'
import type { RecordKind, TokenQuery, TokenRecord, TokenStore } from './token-store.js'

/** Options of {@link MemoryTokenStore}. */
export interface MemoryTokenStoreOptions {
  /** How many management tokens the store holds, from 1. @defaultValue 200 */
  readonly maxSize?: number | undefined
  /** How many portal sessions it holds beside them, and as many sign-ons that portals share, from 1. @defaultValue 10 000 */
  readonly maxSessions?: number | undefined
  /** How many OAuth tokens it holds beside them, from 1. @defaultValue 10 000 */
  readonly maxOAuthTokens?: number | undefined
  /** How many management tokens one user may hold, from 1. @defaultValue no limit but `maxSize` */
  readonly maxPerUser?: number | undefined
  /**
   * What a new management token does to a full store: `true` puts another one out, `false` refuses the new one. At
   * `maxPerUser` it decides the same for the tokens of that user. A new token of another kind always puts one of its kind out.
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
  /** Called with each live token that is put out to make room, after it has gone. What it throws is dropped. */
  readonly onEvict?: ((record: TokenRecord) => void) | undefined
}

/** Longest interval of a Node timer. */
const maxIntervalSeconds = 2_147_483

const defaultListLimit = 100

/**
 * Keeps tokens in lru-caches, and answers at once, never with a promise. Each kind has a bound of its own.
 *
 * When it is full, expired tokens go first; then, if the user who logs in holds more than half of it, the one of that
 * user that was idle longest; else the one of all that was idle longest. So nobody floods others out.
 *
 * @throws TypeError when an option is out of range.
 */
export class MemoryTokenStore implements TokenStore {
  readonly #clock: () => number
  readonly #pools: Readonly<Record<Exclude<RecordKind, 'basic'>, TokenPool>>
  /** Asked first, so that the others cost a management token nothing. */
  readonly #management: TokenPool
  readonly #others: readonly TokenPool[]
  readonly #sweeper: Sweeper
  #tick = 0
  #isClosed = false

  constructor(options: MemoryTokenStoreOptions = {}) {
    const { maxSize = 200, maxPerUser = maxSize, cleanUpIntervalSeconds = 600 } = options
    const { maxSessions = 10_000, maxOAuthTokens = 10_000, removeOldestOnOverflow = true } = options
    const onEvict = (record: TokenRecord): void => inBackground(() => options.onEvict?.(record))
    demandInteger('maxSize', maxSize, Number.MAX_SAFE_INTEGER)
    demandInteger('maxPerUser', maxPerUser, Number.MAX_SAFE_INTEGER)
    demandInteger('maxSessions', maxSessions, Number.MAX_SAFE_INTEGER)
    demandInteger('maxOAuthTokens', maxOAuthTokens, Number.MAX_SAFE_INTEGER)
    demandInteger('cleanUpIntervalSeconds', cleanUpIntervalSeconds, maxIntervalSeconds)
    const poolOf = (size: number): TokenPool =>
      new TokenPool({ maxSize: size, maxPerUser: size, removesOldest: true, onEvict })
    this.#clock = options.clock ?? systemClock
    this.#management = new TokenPool({ maxSize, maxPerUser, removesOldest: removeOldestOnOverflow, onEvict })
    this.#pools = {
      management: this.#management,
      portal: poolOf(maxSessions),
      oauth: poolOf(maxOAuthTokens),
      sso: poolOf(maxSessions),
    }
    this.#others = [this.#pools.portal, this.#pools.oauth, this.#pools.sso]
    this.#sweeper = new Sweeper(cleanUpIntervalSeconds, () => this.#removeExpired())
  }

  /** How many tokens are held, with those that have expired but were not cleaned up yet. */
  get size(): number {
    return this.#others.reduce((sum, { size }) => sum + size, this.#management.size)
  }

  find(id: string): TokenRecord | undefined {
    return this.#management.find(id) ?? this.#findOther(id)
  }

  /** Adds a token in place of one with the same id. A closed store takes none. */
  add(record: TokenRecord): boolean {
    if (this.#isClosed) return false
    this.remove(record.id)
    if (!this.#poolOf(record.kind).add(record, ++this.#tick, this.#clock())) return false
    this.#sweeper.start()
    return true
  }

  touch(id: string, at: number): void {
    const tick = ++this.#tick
    if (this.#management.touch(id, at, tick)) return
    for (const pool of this.#others) {
      if (pool.touch(id, at, tick)) return
    }
  }

  remove(id: string): boolean {
    for (const pool of [this.#management, ...this.#others]) {
      const entry = pool.find(id)
      if (entry === undefined) continue
      pool.remove(entry)
      if (this.size === 0) this.#sweeper.stop()
      return true
    }
    return false
  }

  removeAllOf(subject: string): number {
    const count = this.#others.reduce(
      (sum, pool) => sum + pool.removeAllOf(subject),
      this.#management.removeAllOf(subject),
    )
    if (this.size === 0) this.#sweeper.stop()
    return count
  }

  list({ subject, kind, limit = defaultListLimit }: TokenQuery = {}): readonly TokenRecord[] {
    const now = this.#clock()
    const pools = kind === undefined ? [this.#management, ...this.#others] : [this.#poolOf(kind)]
    const found: TokenRecord[] = []
    for (const entry of mostRecentOf(pools, subject)) {
      if (found.length >= limit) break
      if ((kind === undefined || entry.kind === kind) && this.#isLive(entry, now)) found.push(entry)
    }
    return found
  }

  close(): void {
    this.#isClosed = true
    this.#sweeper.stop()
    this.#management.clear()
    for (const pool of this.#others) pool.clear()
  }

  #findOther(id: string): TokenEntry | undefined {
    for (const pool of this.#others) {
      const entry = pool.find(id)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  #poolOf(kind: RecordKind): TokenPool {
    return this.#pools[kind === 'basic' ? 'management' : kind]
  }

  #isLive(entry: TokenEntry, now: number): boolean {
    if (entry.endsAt <= now) return false
    if (entry.parent === undefined) return true
    const parent = this.find(entry.parent) as TokenEntry | undefined
    return parent !== undefined && parent.endsAt > now
  }

  /** Removes a slice of what has expired, of each kind. Whether there is more. */
  #removeExpired(): boolean {
    const now = this.#clock()
    const hasMore = [this.#management, ...this.#others].map((pool) => pool.removeExpired(now)).includes(true)
    if (this.size === 0) this.#sweeper.stop()
    return hasMore
  }
}

function demandInteger(name: string, value: number, largest: number): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > largest) {
    throw new TypeError(`"${name}" option must be an integer from 1 to ${largest}`)
  }
}
