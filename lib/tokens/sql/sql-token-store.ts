/**
 * The token store that several processes share through a database. Each look-up asks it, unless `maxStalenessMs` allows for what was
 * read a moment ago: see docs/instances.md.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { inBackground } from '../../async/background.js'
import { maxTimerMs } from '../../async/deadline.js'
import { createLimiter, type Limiter } from '../../async/limiter.js'
import { digest } from '../../core/digest.js'
import { StoreError } from '../../core/errors.js'
import { type Moment, msSince } from '../../core/moment.js'
import { assertIntegers, assertNumbers } from '../../core/option-numbers.js'
import type { SqlQuery } from '../../sql/sql-database.js'
import type { SqlLink } from '../../sql/sql-link.js'
import { LocalTokens, type Reading } from '../external/local-tokens.js'
import {
  allPools,
  listedPools,
  type Pool,
  type PoolBounds,
  poolBounds,
  poolFor,
  type SharedTokenStoreOptions,
} from '../external/pools.js'
import { jsonFrom, type LocalToken, momentOfUse, recordFrom, UseNotes } from '../external/stored-record.js'
import {
  getExpiry,
  type LoginStart,
  type PoolFill,
  type TokenQuery,
  type TokenRecord,
  type TokenStore,
} from '../token-store.js'
import { SqlRevocations } from './sql-revocations.js'
import { TokenAdder } from './token-adder.js'
import { type TokenRow, TokenStatements } from './token-statements.js'

/** Options of {@link SqlTokenStore}. */
export interface SqlTokenStoreOptions extends SharedTokenStoreOptions {
  /** The link to the database, which is not started yet. `close` closes it. */
  readonly link: SqlLink
  /**
   * Milliseconds for which what was read is used again without asking, from the moment at which it was asked for. No process admits what
   * was revoked longer ago. 0: each look-up asks.
   *
   * @defaultValue 0
   */
  readonly maxStalenessMs?: number | undefined
  /** Milliseconds between two clean-ups of ended tokens, 1 to 2 147 483 647. @defaultValue 600 000 */
  readonly cleanUpIntervalMs?: number | undefined
}

/** A record, its text, and when that was asked for. */
interface ReadToken extends LocalToken {
  readonly json: string
  readAt: Moment
}

/** Uses of tokens that may wait to be noted. More are noted at the next use. */
const maxWaitingTouches = 10_000

export class SqlTokenStore implements TokenStore {
  readonly #options: SqlTokenStoreOptions
  readonly #link: SqlLink
  readonly #clock: () => number
  readonly #maxStalenessMs: number
  readonly #boundsOf: (pool: Pool) => PoolBounds
  readonly #uses: UseNotes
  readonly #local: LocalTokens<ReadToken>
  readonly #statements: TokenStatements
  readonly #revocations: SqlRevocations
  readonly #adder: TokenAdder
  readonly #changeListeners: ((subject: string | undefined) => void)[] = []
  readonly #cleanUpIntervalMs: number
  #cleanUpTimer: NodeJS.Timeout | undefined
  #useCount = 0
  /** In their order: a later use must not find that the token ended before an earlier one. */
  readonly #touches: Limiter
  #lastTouch: Promise<void> | undefined

  constructor(options: SqlTokenStoreOptions) {
    const { link, clock = link.now, maxLocal = 100_000, maxStalenessOnFailureMs = 0 } = options
    const { maxStalenessMs = 0, cleanUpIntervalMs = 600_000 } = options
    assertIntegers({ maxLocal }, 1)
    assertNumbers({ maxStalenessOnFailureMs, maxStalenessMs }, 0)
    assertIntegers({ cleanUpIntervalMs }, 1, maxTimerMs)
    this.#options = options
    this.#link = link
    this.#clock = clock
    this.#maxStalenessMs = maxStalenessMs
    this.#cleanUpIntervalMs = cleanUpIntervalMs
    this.#uses = new UseNotes(clock, options.touchIntervalMs)
    this.#local = new LocalTokens(maxLocal)
    this.#statements = new TokenStatements(link.prefix)
    this.#revocations = new SqlRevocations(link, this.#statements, clock)
    const parts = { link, clock, statements: this.#statements, revocations: this.#revocations }
    this.#boundsOf = poolBounds(options)
    this.#adder = new TokenAdder({ ...parts, boundsOf: this.#boundsOf })
    const createOverloadError = (): Error => new StoreError('too many uses of tokens wait to be noted')
    this.#touches = createLimiter({ maxRunning: 1, maxWaiting: maxWaitingTouches, createOverloadError })
    link.listen({
      onOpen: async (opened) => {
        await this.#revocations.reopen(opened)
        this.#cleanUpTimer ??= setInterval(() => inBackground(() => this.#cleanUp()), this.#cleanUpIntervalMs).unref()
      },
      onChange: (number, subject) => {
        this.#revocations.noteNumber(number)
        for (const tell of this.#changeListeners) inBackground(() => tell(subject))
      },
    })
  }

  /** Whether this process has verified the signature of this token. */
  holds(id: string): boolean {
    return this.#local.get(id) !== undefined
  }

  find(id: string): TokenRecord | undefined | Promise<TokenRecord | undefined> {
    const local = this.#local.get(id)
    const isFresh = local !== undefined && msSince(local.readAt) < this.#maxStalenessMs
    return isFresh && !this.#uses.looksIdle(local) ? local.record : this.#find(id)
  }

  async add(record: TokenRecord, login?: LoginStart): Promise<boolean | 'revoked'> {
    const { answer, found, evicted } = await this.#adder.add(this.#rowFrom(record), login)
    await this.#link.hear(found)
    const { onEvict } = this.#options
    for (const json of evicted) inBackground(() => onEvict?.(recordFrom(json, 0).record))
    return answer
  }

  touch(id: string, at: number): void {
    const local = this.#local.get(id)
    if (local !== undefined && !this.#uses.use(local, at)) return
    const slack = local === undefined ? 0 : this.#uses.slackFor(local.record)
    const use = this.#useAt(at)
    const noting = this.#touches.run(() => this.#statements.touch(this.#query, id, use, at, slack))
    this.#lastTouch = noting.catch(() => {
      if (local !== undefined) local.notedAt = 0
    })
  }

  remove(id: string): Promise<boolean> {
    return this.#local.end(id, () => this.#revocations.remove(id))
  }

  removeBySubject(subject: string): Promise<number> {
    return this.#local.endUser(subject, () => this.#revocations.removeBySubject(subject))
  }

  async list({ subject, kind, limit = 100 }: TokenQuery = {}): Promise<readonly TokenRecord[]> {
    const pools = kind === undefined ? listedPools : [poolFor(kind)]
    const userKey = subject === undefined ? undefined : digest(subject)
    const bounds = { kind, userKey, limit: Math.max(0, Math.floor(limit)) }
    const now = this.#clock()
    await this.#lastTouch
    const rows = await this.#statements.list(this.#query, pools, now, bounds)
    return rows.map((row) => recordFrom(String(row['record']), momentOfUse(Number(row['last_use']))).record)
  }

  async fill(): Promise<readonly PoolFill[]> {
    const counts = await this.#statements.countAll(this.#query, this.#clock())
    return listedPools.map((kind) => ({ kind, count: counts.get(kind) ?? 0, capacity: this.#boundsOf(kind).size }))
  }

  async close(): Promise<void> {
    clearInterval(this.#cleanUpTimer)
    await this.#link.close()
  }

  /** @throws StoreError while the database is known to be away. */
  assertReady(): void {
    this.#link.assertReady()
  }

  /** At once where the last answer is fresh enough. Rejects with `StoreError`. */
  assertCurrent(): undefined | Promise<void> {
    if (msSince(this.#link.heardAt) < this.#maxStalenessMs) return undefined
    return this.#link.lookUp().then(() => undefined)
  }

  /** Calls `tell` when a process says that the rights of a user, or of all, have changed. */
  onAccountChange(tell: (subject: string | undefined) => void): void {
    this.#changeListeners.push(tell)
  }

  /** Tells the other processes that the rights of a user, or of all, have changed. Rejects with `StoreError`. */
  async publishAccountChange(subject?: string): Promise<void> {
    await this.#link.publish(subject)
  }

  readonly #query: SqlQuery = (sql, parameters) => this.#link.query(sql, parameters)

  async #find(id: string): Promise<TokenRecord | undefined> {
    try {
      return await this.#local.lookUp(id, (reading) => this.#read(id, reading))
    } catch (error) {
      const known = this.#local.get(id)
      const { maxStalenessOnFailureMs = 0 } = this.#options
      if (!(error instanceof StoreError) || known === undefined) throw error
      if (msSince(known.readAt) >= maxStalenessOnFailureMs) throw error
      return known.record
    }
  }

  async #read(id: string, reading: Reading): Promise<TokenRecord | undefined | 'outdated'> {
    const { rows, sentAt } = await this.#link.lookUp({
      columns: 't.record, t.last_use',
      joins: 'LEFT JOIN sallyport_token t ON t.prefix = l.prefix AND t.id = ?',
      parameters: [id],
    })
    const { record: json, last_use: use } = rows[0]!
    if (reading.isOutdated) return 'outdated'
    if (typeof json !== 'string') {
      this.#local.drop(id)
      return undefined
    }
    const known = this.#local.get(id)
    const local = known?.json === json ? known : { ...recordFrom(json, 0, id), json, readAt: sentAt }
    if (reading.ended.has(local.record.subject)) return 'outdated'
    this.#uses.take(local, momentOfUse(Number(use)))
    if (sentAt.monotonic > local.readAt.monotonic) local.readAt = sentAt
    if (local !== known) this.#local.set(id, local)
    return local.record
  }

  #rowFrom(record: TokenRecord): TokenRow {
    const { id, kind, subject, parent, issuedAt, expiresAt, idleTimeoutMs: idleMs, lastAccessAt } = record
    const slack = idleMs === undefined ? 0 : this.#uses.slackFor(record)
    const endsAt = Math.min(expiresAt, getExpiry(record) + slack)
    const lastUse = this.#useAt(lastAccessAt)
    const json = jsonFrom(record)
    return { id, kind, userKey: digest(subject), parent, json, issuedAt, expiresAt, idleMs, endsAt, lastUse }
  }

  #useAt(at: number): number {
    this.#useCount = (this.#useCount + 1) % 2048
    return at * 2048 + this.#useCount
  }

  /** A slice at a time, so that nobody waits for long. */
  async #cleanUp(): Promise<void> {
    const now = this.#clock()
    while (await this.#statements.removeEnded(this.#query, allPools, now)) await sleep(10)
    await this.#statements.removeMarks(this.#query, now)
  }
}
