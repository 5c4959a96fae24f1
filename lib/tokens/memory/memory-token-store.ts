/**
 * The token store of a single process: bounded, in memory, lost with the process.
 *
 * @module
 */

import { inBackground } from '../../async/background.js'
import { maxTimerMs } from '../../async/deadline.js'
import { systemClock } from '../../core/clock.js'
import { assertIntegers } from '../../core/option-numbers.js'
import { listedPools, maxMachineTokens, maxTombstones, type Pool, poolFor } from '../external/pools.js'
import type { PoolFill, RecordKind, TokenQuery, TokenRecord, TokenStore } from '../token-store.js'
import type { StoredToken } from './stored-token.js'
import { TokenPool } from './token-pool.js'

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
   * What a new management token does to a full store: `true` evicts another one, `false` refuses the new one. At
   * `maxPerUser` it decides the same for the tokens of that user. A new token of another kind always evicts one of its kind.
   *
   * @defaultValue true
   */
  readonly removeOldestOnOverflow?: boolean | undefined
  /**
   * Milliseconds between two clean-ups of expired tokens, 1 to 2 147 483. It frees memory; whether a token has expired is
   * checked at each request.
   *
   * @defaultValue 600_000
   */
  readonly cleanUpIntervalMs?: number | undefined
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
  /** Called with each live token that is evicted, after it has gone. What it throws is dropped. */
  readonly onEvict?: ((record: TokenRecord) => void) | undefined
  /** Called with each token that goes, also by expiry, after it has gone. It must not throw. */
  readonly onRemove?: ((record: TokenRecord) => void) | undefined
}

const defaultListLimit = 100

/**
 * Keeps tokens in lru-caches, and answers at once, never with a promise. Each kind has a bound of its own.
 *
 * When it is full, ended tokens go first; then, if the user who logs in holds more than half of it, the one of that
 * user that was idle longest; else the one of all that was idle longest. So no user evicts the tokens of the others.
 *
 * @throws TypeError when an option is out of range.
 */
export class MemoryTokenStore implements TokenStore {
  readonly #clock: () => number
  readonly #pools: Readonly<Record<Pool, TokenPool>>
  /** In the order in which an id is looked for. */
  readonly #allPools: readonly TokenPool[]
  /** What a list shows unless it asks for one kind. */
  readonly #listedPools: readonly TokenPool[]
  readonly #cleanUpIntervalMs: number
  #cleanUpTimer: NodeJS.Timeout | undefined
  #nextSlice: NodeJS.Immediate | undefined
  #useNumber = 0
  #isClosed = false

  constructor(options: MemoryTokenStoreOptions = {}) {
    const { maxSize = 200, maxPerUser = maxSize, cleanUpIntervalMs = 600_000 } = options
    const { maxSessions = 10_000, maxOAuthTokens = 10_000, removeOldestOnOverflow = true } = options
    assertIntegers({ maxSize, maxPerUser, maxSessions, maxOAuthTokens }, 1)
    assertIntegers({ cleanUpIntervalMs }, 1, maxTimerMs)
    const onEvict = (record: TokenRecord): void => inBackground(() => options.onEvict?.(record))
    const { onRemove } = options
    const evictingPool = (size: number): TokenPool =>
      new TokenPool({ maxSize: size, maxPerUser: size, evicts: true, onEvict, onRemove })
    this.#clock = options.clock ?? systemClock
    this.#cleanUpIntervalMs = cleanUpIntervalMs
    this.#pools = {
      management: new TokenPool({ maxSize, maxPerUser, evicts: removeOldestOnOverflow, onEvict, onRemove }),
      portal: evictingPool(maxSessions),
      oauth: evictingPool(maxOAuthTokens),
      sso: evictingPool(maxSessions),
      machine: evictingPool(maxMachineTokens),
      tombstone: new TokenPool({ maxSize: maxTombstones, maxPerUser: maxTombstones, evicts: false, onEvict, onRemove }),
    }
    this.#allPools = Object.values(this.#pools)
    this.#listedPools = listedPools.map((pool) => this.#pools[pool])
  }

  /** How many tokens are held, with those that have ended but were not cleaned up yet. */
  get size(): number {
    return this.#allPools.reduce((sum, { size }) => sum + size, 0)
  }

  find(id: string): TokenRecord | undefined {
    return this.#find(id)
  }

  /** Adds a token in place of one with the same id. A closed store takes none. */
  add(record: TokenRecord): boolean {
    if (this.#isClosed) return false
    this.remove(record.id)
    if (!this.#poolFor(record.kind).add(record, ++this.#useNumber, this.#clock())) return false
    this.#startCleanUp()
    return true
  }

  touch(id: string, at: number): void {
    const useNumber = ++this.#useNumber
    this.#allPools.some((pool) => pool.touch(id, at, useNumber))
  }

  remove(id: string): boolean {
    const token = this.#find(id)
    if (token === undefined) return false
    this.#poolFor(token.kind).remove(token)
    if (this.size === 0) this.#stopCleanUp()
    return true
  }

  removeBySubject(subject: string): number {
    const count = this.#allPools.reduce((sum, pool) => sum + pool.removeBySubject(subject), 0)
    if (this.size === 0) this.#stopCleanUp()
    return count
  }

  list({ subject, kind, limit = defaultListLimit }: TokenQuery = {}): readonly TokenRecord[] {
    const now = this.#clock()
    const pools = kind === undefined ? this.#listedPools : [this.#poolFor(kind)]
    const found: StoredToken[] = []
    for (const pool of pools) {
      let count = 0
      for (const token of pool.mostRecentFirst(subject)) {
        if (count >= limit) break
        if ((kind !== undefined && token.kind !== kind) || !this.#isLive(token, now)) continue
        found.push(token)
        count++
      }
    }
    return found.sort((left, right) => right.useNumber - left.useNumber).slice(0, limit)
  }

  fill(): readonly PoolFill[] {
    return listedPools.map((kind) => ({ kind, count: this.#pools[kind].size, capacity: this.#pools[kind].maxSize }))
  }

  /** All records, also those that have ended. Of each kind, the longest idle first. */
  records(): readonly TokenRecord[] {
    return this.#allPools.flatMap((pool) => [...pool.mostRecentFirst(undefined)].reverse())
  }

  close(): void {
    this.#isClosed = true
    this.#stopCleanUp()
    for (const pool of this.#allPools) pool.clear()
  }

  #find(id: string): StoredToken | undefined {
    for (const pool of this.#allPools) {
      const token = pool.find(id)
      if (token !== undefined) return token
    }
    return undefined
  }

  #poolFor(kind: RecordKind): TokenPool {
    return this.#pools[poolFor(kind)]
  }

  #isLive({ endsAt, parent }: StoredToken, now: number): boolean {
    if (endsAt <= now) return false
    return parent === undefined || (this.#find(parent)?.endsAt ?? now) > now
  }

  /** The timer does not keep the process alive, and runs only while there are tokens. */
  #startCleanUp(): void {
    this.#cleanUpTimer ??= setInterval(() => this.#cleanUp(), this.#cleanUpIntervalMs).unref()
  }

  #stopCleanUp(): void {
    clearInterval(this.#cleanUpTimer)
    clearImmediate(this.#nextSlice)
    this.#cleanUpTimer = undefined
  }

  /** Removes a slice of what has ended, of each kind; the next one in the next turn of the event loop. */
  #cleanUp(): void {
    clearImmediate(this.#nextSlice)
    const now = this.#clock()
    const hasMore = this.#allPools.map((pool) => pool.removeEnded(now)).includes(true)
    if (hasMore) this.#nextSlice = setImmediate(() => this.#cleanUp())
    if (this.size === 0) this.#stopCleanUp()
  }
}
