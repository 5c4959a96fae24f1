/**
 * Locks that processes give each other through the rows of a table.
 *
 * @module
 */

import { startDeadline } from '../async/deadline.js'
import { createLimiter, type Limiter } from '../async/limiter.js'
import { type SqlDatabase, SqlError, type SqlQuery } from './sql-database.js'

/** A row with a number, which a transaction holds. */
export interface LockedRow {
  /** Written back at the end of the transaction. */
  number: number
}

/** What is done under a lock: nothing but statements. */
export type LockedWork<T> = (query: SqlQuery, row: LockedRow) => Promise<T>

/** Transactions of this process that may wait for one lock. */
const maxWaiting = 1000

/** Milliseconds that one of them waits here before it is refused. */
const maxWaitMs = 5000

export class LockRows {
  readonly #database: SqlDatabase
  readonly #prefix: string
  readonly #limiters = new Map<string, Limiter>()

  constructor(database: SqlDatabase, prefix: string) {
    this.#database = database
    this.#prefix = prefix
  }

  /** See `SqlLink.locked`. */
  async locked<T>(name: string, work: LockedWork<T>): Promise<T> {
    const wait = startDeadline(maxWaitMs, () => new SqlError('overloaded', 'A lock was not given in time.'))
    try {
      // Who waits for a lock that this process has needs no connection meanwhile.
      return await this.#limiterFor(name).run(() => {
        wait.end()
        return this.#database.transaction((query) => this.#withRow(name, query, work))
      }, wait.signal)
    } finally {
      wait.end()
    }
  }

  /** Adds the row of a lock, unless another process has. */
  async insert(query: SqlQuery, name: string, number: number): Promise<void> {
    const columns = 'INTO sallyport_lock (prefix, name, number) VALUES (?, ?, ?)'
    const isMysql = this.#database.dialect === 'mysql'
    const sql = isMysql ? `INSERT IGNORE ${columns}` : `INSERT ${columns} ON CONFLICT DO NOTHING`
    await query(sql, [this.#prefix, name, number])
  }

  async #withRow<T>(name: string, query: SqlQuery, work: LockedWork<T>): Promise<T> {
    const key = [this.#prefix, name]
    const select = 'SELECT number FROM sallyport_lock WHERE prefix = ? AND name = ? FOR UPDATE'
    let [found] = await query(select, key)
    if (found === undefined) {
      await this.insert(query, name, 0)
      found = (await query(select, key))[0]
    }
    const before = Number(found!['number'])
    const row = { number: before }
    const result = await work(query, row)
    if (row.number !== before) {
      await query('UPDATE sallyport_lock SET number = ? WHERE prefix = ? AND name = ?', [row.number, ...key])
    }
    return result
  }

  #limiterFor(name: string): Limiter {
    const createOverloadError = (): Error => new SqlError('overloaded', 'Too many callers wait for a lock.')
    const limiter = this.#limiters.get(name) ?? createLimiter({ maxRunning: 1, maxWaiting, createOverloadError })
    this.#limiters.set(name, limiter)
    return limiter
  }
}
