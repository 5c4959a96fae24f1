/**
 * The link of one process to the database through which processes share tokens: one clock, one lock for each thing that is changed by one
 * process at a time, and the log of changes of rights. See docs/instances.md.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import { ConfigError, StoreError } from '../core/errors.js'
import { isKeyPrefix, keyPrefixRule } from '../core/key-prefix.js'
import { type Logger, safeLogger } from '../core/logger.js'
import { type Moment, msSince } from '../core/moment.js'
import { SharedClock } from '../core/shared-clock.js'
import { ChangeLog } from './change-log.js'
import { addChange, beginChanges, changesLock, readChanges } from './change-table.js'
import { awayError, messageFrom, reasonFrom } from './link-errors.js'
import type { SqlLinkListener } from './link-listener.js'
import { type LockedWork, LockRows } from './lock-rows.js'
import { type Found, type LookUp, lookUp, nowIn } from './look-up.js'
import {
  isSqlError,
  type SqlDatabase,
  type SqlDialect,
  type SqlQuery,
  type SqlRow,
  type SqlValue,
} from './sql-database.js'

/** Options of {@link SqlLink}. */
export interface SqlLinkOptions {
  /** PostgreSQL, MariaDB or MySQL, with the tables that `initSharedTables` makes. `close` closes it. */
  readonly database: SqlDatabase
  /** Which rows are meant, the same for all processes that share tokens, as `key_prefix`. @defaultValue `'sallyport'` */
  readonly keyPrefix?: string | undefined
  /** Told when the database is lost and found. */
  readonly logger: Logger
}

/** Between two attempts to reach the database. */
const minRetryMs = 100
const maxRetryMs = 1000

/** Without an answer for so long, in milliseconds, the database is asked although nobody needs anything. */
const idleMs = 1000

/** For the answer to such a question, in milliseconds, connecting too. */
const probeTimeoutMs = 3000

/** Connects by itself, again after each failure, until it is closed. */
export class SqlLink {
  /** See `keyPrefix`. */
  readonly prefix: string
  readonly #database: SqlDatabase
  readonly #logger: Logger
  readonly #clock = new SharedClock()
  readonly #changes: ChangeLog
  readonly #listeners: SqlLinkListener[] = []
  readonly #locks: LockRows
  #awayBecause: unknown = new StoreError('the link was not started')
  #isAway = true
  /** Of a statement, while it is found out what it means. */
  #failure: unknown
  #isStarted = false
  #isClosed = false
  /** Whether committed changes may be lost: the data is other than before. */
  #isInDoubt = false
  #probing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #retryMs = minRetryMs

  constructor({ database, keyPrefix = 'sallyport', logger }: SqlLinkOptions) {
    if (database.dialect === 'sqlite') throw new TypeError('"database" option must not be SQLite')
    if (!isKeyPrefix(keyPrefix)) throw new TypeError(`"keyPrefix" option ${keyPrefixRule}`)
    this.#database = database
    this.prefix = keyPrefix
    this.#locks = new LockRows(database, keyPrefix)
    this.#logger = safeLogger(logger)
    this.#changes = new ChangeLog(
      (since) => readChanges(database.query, keyPrefix, since),
      (number, subject) => this.#tell((listener) => listener.onChange?.(number, subject)),
      () => {
        this.#isInDoubt = true
        inBackground(() => this.#probe())
      },
    )
  }

  /** Milliseconds since the epoch, as part of a statement. */
  get nowSql(): string {
    return nowIn[this.dialect]
  }

  /** Which SQL the database speaks. */
  get dialect(): SqlDialect {
    return this.#database.dialect
  }

  /** Milliseconds since the epoch by the clock of the database, which all processes share. */
  get now(): () => number {
    return this.#clock.now
  }

  /** Milliseconds by which `now` may differ from that clock. */
  get clockErrorMs(): number {
    return this.#clock.errorMs
  }

  /** When the last answer was asked for by which this process knew of all changes of rights. */
  get heardAt(): Moment {
    return this.#changes.heardAt
  }

  /** @throws Error after `start`. */
  listen(listener: SqlLinkListener): void {
    if (this.#isStarted) throw new Error('the link to the database has started: make what uses it before link.start()')
    this.#listeners.push(listener)
  }

  /**
   * Connects. Rejects with `StoreError` when the database cannot be reached, which is tried again until `close`, and with `ConfigError`
   * when it has not the tables.
   */
  async start(): Promise<void> {
    if (!this.#isStarted) {
      this.#isStarted = true
      await this.#probe()
      this.#schedule()
    }
    if (this.#awayBecause instanceof ConfigError) throw this.#awayBecause
    this.assertReady()
  }

  /** @throws StoreError while the database is known to be away, or it is being found out. A login asks before and after
   * it looks at a password. */
  assertReady(): void {
    this.#assertThere()
    if (this.#failure !== undefined) throw awayError(this.#failure)
  }

  #assertThere(): void {
    if (this.#isAway) throw awayError(this.#awayBecause)
  }

  /** Runs one statement. Rejects with `StoreError`. */
  query(sql: string, parameters: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#run(() => this.#database.query(sql, parameters))
  }

  /** Runs statements all or none, as `SqlDatabase.transaction` does. Rejects with `StoreError`. */
  transaction<T>(work: (query: SqlQuery) => Promise<T>): Promise<T> {
    return this.#run(() => this.#database.transaction(work))
  }

  /**
   * Runs statements all or none while no other process has the lock of this name. There are few names, and no work takes two locks.
   * `row` is kept with the lock. Rejects with `StoreError`.
   */
  locked<T>(name: string, work: LockedWork<T>): Promise<T> {
    return this.#run(() => this.#locks.locked(name, work))
  }

  /**
   * Reads, and learns in the same step what time it is and which rights have changed; it answers when that was told. Rejects with
   * `StoreError`, also where the database takes no writes: then it may not know what another one does.
   */
  lookUp(options?: LookUp): Promise<Found> {
    return this.#run(async () => this.hear(await this.#lookUp(this.#database.query, options)))
  }

  /** As {@link lookUp}, in a transaction. `hear` is to be called at its end. */
  lookUpIn(query: SqlQuery, options: LookUp): Promise<Found> {
    return this.#lookUp(query, options)
  }

  /** Takes note of what a look-up says of changed rights. Rejects with `StoreError`. */
  async hear(found: Found): Promise<Found> {
    await this.#changes.hear(Number(found.rows[0]!['link_number']), found.sentAt)
    return found
  }

  /**
   * Says in the log that the rights of a user have changed, or those of all; with what `work` does in the same transaction. Resolves with
   * the number of the entry. Rejects with `StoreError`.
   */
  publish(subject = '', work?: (query: SqlQuery, number: number) => Promise<void>): Promise<number> {
    return this.#run(() => this.#publish(subject, work))
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#lose(new StoreError('the link was closed'))
    clearTimeout(this.#timer)
    await this.#database.close()
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.#assertThere()
    try {
      return await work()
    } catch (error) {
      if (isSqlError(error, 'connection', 'timeout', 'missing-table')) {
        // Whether that is the database or one connection is found out at once.
        this.#failure = error
        inBackground(() => this.#probe())
      }
      throw error
    }
  }

  #publish(subject = '', work?: (query: SqlQuery, number: number) => Promise<void>): Promise<number> {
    return this.#locks.locked(changesLock, async (query, row) => {
      await addChange(query, this.prefix, row, { subject, now: this.now() })
      await work?.(query, row.number)
      return row.number
    })
  }

  async #lookUp(query: SqlQuery, options?: LookUp): Promise<Found> {
    const found = await lookUp(query, this, options)
    this.#clock.set(Number(found.rows[0]!['link_now']), found.sentAt.monotonic)
    return found
  }

  /** Asks whether the database is there: one question at a time. */
  #probe(): Promise<void> {
    this.#probing ??= this.#open()
      .catch((error: unknown) => this.#lose(error))
      .finally(() => {
        this.#probing = undefined
        this.#failure = undefined
      })
    return this.#probing
  }

  async #open(): Promise<void> {
    const query: SqlQuery = (sql, parameters) => this.#database.query(sql, parameters, { timeoutMs: probeTimeoutMs })
    const ask = async (): Promise<unknown> => this.hear(await this.#lookUp(query))
    try {
      await ask()
    } catch (error) {
      if (!isSqlError(error, 'missing-table')) throw error
      await this.#database.transaction((inside) => beginChanges(inside, this.prefix, this.#locks))
      await ask()
    }
    if (this.#isClosed || !(this.#isAway || this.#isInDoubt)) return
    this.#isInDoubt = false
    // Once more: the first answer was as late as the connection.
    await ask()
    const [locked, publish] = [this.#locks.locked.bind(this.#locks), this.#publish.bind(this)]
    for (const listener of this.#listeners) await listener.onOpen?.({ prefix: this.prefix, query, locked, publish })
    if (this.#isClosed || !this.#isAway) return
    this.#isAway = false
    this.#awayBecause = undefined
    this.#retryMs = minRetryMs
    this.#logger.info({}, 'connected to the database of the shared store')
  }

  #lose(error: unknown): void {
    const reason = reasonFrom(error)
    const isKnown = this.#isClosed || (this.#isAway && messageFrom(reason) === messageFrom(this.#awayBecause))
    this.#isAway = true
    this.#awayBecause = reason
    // A mistake of the operator ends the start.
    if (isKnown || reason instanceof ConfigError) return
    this.#logger.warn(
      {},
      `cannot use the database of the shared store: ${messageFrom(reason)}; until it is there, on_store_failure decides what is answered`,
    )
  }

  /** While the database is away, it is asked again and again; else where nobody else has asked for a while. */
  #schedule(): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    const waitMs = this.#isAway ? this.#retryMs * (0.75 + Math.random() / 2) : idleMs
    if (this.#isAway) this.#retryMs = Math.min(this.#retryMs * 2, maxRetryMs)
    this.#timer = setTimeout(() => {
      const isDue = this.#isAway || msSince(this.heardAt) >= idleMs
      inBackground(async () => {
        if (isDue) await this.#probe()
        this.#schedule()
      })
    }, waitMs)
    this.#timer.unref()
  }

  #tell(call: (listener: SqlLinkListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener)
      } catch (error) {
        // One that fails has not taken note.
        this.#lose(error)
      }
    }
  }
}
