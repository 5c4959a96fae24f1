/**
 * A database behind a pool of connections: time limits, and the few retries that are safe.
 *
 * @module
 */

import { setTimeout } from 'node:timers/promises'
import { ConnectionPool } from './connection-pool.js'
import type { SqlConnection, SqlDriver } from './sql-connection.js'
import {
  isSqlError,
  type SqlDatabase,
  type SqlQuery,
  type SqlQueryOptions,
  type SqlRow,
  type SqlValue,
} from './sql-database.js'
import { within } from './within.js'

/** Bounds of the connections to a database. */
export interface SqlPoolOptions {
  /**
   * Connections at the same time.
   *
   * @defaultValue 10; SQLite has one
   */
  readonly maxConnections?: number | undefined
  /**
   * Callers that may wait for a connection. One more is refused at once.
   *
   * @defaultValue 1000
   */
  readonly maxWaiting?: number | undefined
  /**
   * Milliseconds for a statement or a transaction, with waiting for a connection and making it.
   *
   * @defaultValue 5000
   */
  readonly timeoutMs?: number | undefined
  /**
   * Milliseconds for making a connection.
   *
   * @defaultValue 3000
   */
  readonly connectTimeoutMs?: number | undefined
  /**
   * Milliseconds that never go back.
   *
   * @defaultValue `performance.now`
   */
  readonly now?: () => number
}

/** A transaction that the database gives up is begun so many times in all. */
const maxAttempts = 3

/** Two transactions that were both given up must not begin again in step: each waits up to this long first. */
const maxPauseMs = 100

/** Undoing may take so long even when the time for the transaction is over. */
const rollbackMs = 1000

/** What begins so changes nothing, unless it locks rows. */
const reading = /^\s*select\b(?!.*\bfor\s+update\b)/is

/** Makes a database of a driver. */
export function pooledDatabase(
  driver: SqlDriver,
  options: SqlPoolOptions = {},
): SqlDatabase & { readonly size: number } {
  const { maxWaiting = 1000, timeoutMs: ownTimeoutMs = 5000, connectTimeoutMs = 3000 } = options
  const now = options.now ?? (() => performance.now())
  const maxConnections = Math.min(options.maxConnections ?? 10, driver.maxConnections ?? Number.POSITIVE_INFINITY)
  const pool = new ConnectionPool({ create: driver.create, maxConnections, maxWaiting, connectTimeoutMs, now })

  /** Gives a connection back, unless it may be in the middle of something. */
  function giveBack(connection: SqlConnection, error: unknown): void {
    if (isSqlError(error, 'connection', 'timeout')) pool.discard(connection)
    else pool.release(connection)
  }

  async function once(sql: string, parameters: readonly SqlValue[], endsAt: number, signal?: AbortSignal) {
    const connection = await pool.acquire(endsAt - now(), signal)
    try {
      const rows = await within(connection.query(sql, parameters), endsAt - now())
      pool.release(connection)
      return rows
    } catch (error) {
      giveBack(connection, error)
      throw error
    }
  }

  /** Runs `attempt` once more on a new connection when the connection it was given had broken. */
  async function retried<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt()
    } catch (error) {
      if (!isSqlError(error, 'connection')) throw error
      pool.discardIdle()
      return attempt()
    }
  }

  async function begin(endsAt: number, signal: AbortSignal | undefined): Promise<SqlConnection> {
    const connection = await pool.acquire(endsAt - now(), signal)
    try {
      await within(connection.query(driver.beginStatement, []), endsAt - now())
      return connection
    } catch (error) {
      giveBack(connection, error)
      throw error
    }
  }

  async function undo(connection: SqlConnection, reason: unknown): Promise<void> {
    if (isSqlError(reason, 'connection', 'timeout')) return pool.discard(connection)
    try {
      await within(connection.query('ROLLBACK', []), rollbackMs)
      pool.release(connection)
    } catch {
      pool.discard(connection)
    }
  }

  async function attemptTransaction<T>(
    work: (query: SqlQuery) => Promise<T>,
    endsAt: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    // Nothing has been written when the connection turns out to be broken at the beginning, so another one is safe.
    const connection = await retried(() => begin(endsAt, signal))
    try {
      const result = await work((sql, parameters = []) => {
        checkParameters(parameters)
        return within(connection.query(sql, parameters), endsAt - now())
      })
      await within(connection.query('COMMIT', []), endsAt - now())
      pool.release(connection)
      return result
    } catch (error) {
      await undo(connection, error)
      throw error
    }
  }

  return {
    dialect: driver.dialect,

    /** Connections that exist. */
    get size(): number {
      return pool.size
    },

    async query(sql: string, parameters: readonly SqlValue[] = [], queryOptions: SqlQueryOptions = {}) {
      checkParameters(parameters)
      const endsAt = now() + (queryOptions.timeoutMs ?? ownTimeoutMs)
      const attempt = (): Promise<readonly SqlRow[]> => once(sql, parameters, endsAt, queryOptions.signal)
      return reading.test(sql) ? retried(attempt) : attempt()
    },

    async transaction<T>(work: (query: SqlQuery) => Promise<T>, queryOptions: SqlQueryOptions = {}): Promise<T> {
      const endsAt = now() + (queryOptions.timeoutMs ?? ownTimeoutMs)
      for (let attempt = 1; ; attempt++) {
        try {
          return await attemptTransaction(work, endsAt, queryOptions.signal)
        } catch (error) {
          if (!isSqlError(error, 'conflict') || attempt === maxAttempts) throw error
          await setTimeout(Math.random() * maxPauseMs)
        }
      }
    },

    close: () => pool.close(),
  }
}

/** An object as a parameter becomes SQL in some drivers: `{ a: 1 }` is "a = 1" for one of them. */
function checkParameters(parameters: readonly unknown[]): void {
  for (const value of parameters) {
    const isScalar = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value) || value === null
    if (!isScalar) throw new TypeError('a parameter of a statement must be a text, a number, a boolean or null')
  }
}
