/**
 * A database behind a pool of connections: time limits, and the few retries that are safe.
 *
 * @module
 */

import { setTimeout } from 'node:timers/promises'
import { CircuitBreaker } from '../async/circuit-breaker.js'
import { startDeadline, untilAborted, within } from '../async/deadline.js'
import { createLimiter } from '../async/limiter.js'
import { StoreError } from '../core/errors.js'
import { type ObserveQuery, observed } from '../core/query-observer.js'
import type { SqlDriver } from './sql-database.js'
import {
  isSqlError,
  type SqlDatabase,
  SqlError,
  type SqlQuery,
  type SqlQueryOptions,
  type SqlRow,
  type SqlValue,
} from './sql-database.js'

/** Bounds of the connections to a database. */
export interface SqlPoolOptions {
  /**
   * Connections at the same time.
   *
   * @defaultValue 10; SQLite has one
   */
  readonly maxConnections?: number | undefined
  /** Callers that may wait for a connection. One more is refused. @defaultValue 1000 */
  readonly maxWaiting?: number | undefined
  /** Milliseconds for a statement or a transaction, waiting and connecting too. @defaultValue 5000 */
  readonly timeoutMs?: number | undefined
  /** Milliseconds for making a connection. @defaultValue 3000 */
  readonly connectTimeoutMs?: number | undefined
  /** Told of each statement and transaction: how long it took with waiting and connecting, and why the database failed. */
  readonly observe?: ObserveQuery | undefined
  /** A monotonic clock, in milliseconds. @defaultValue `performance.now` */
  readonly clock?: () => number
}

/** A transaction that the database gives up is begun so many times in all. */
const maxAttempts = 3

/** Two transactions that were both given up must not begin again in step: each waits up to this long first. */
const maxPauseMs = 100

/** What begins so changes nothing, unless it locks rows. */
const reading = /^\s*select\b(?!.*\bfor\s+update\b)/is

export function createPooledDatabase<Connection extends object>(
  driver: SqlDriver<Connection>,
  options: SqlPoolOptions = {},
): SqlDatabase {
  const { maxConnections = 10, maxWaiting = 1000, timeoutMs = 5000, connectTimeoutMs = 3000, observe } = options
  const clock = options.clock ?? (() => performance.now())
  const breaker = new CircuitBreaker({ pauseMs: 250, maxPauseMs: 2000, now: clock })
  // The queue is here and not in the packages' pools: neither lets a caller leave it.
  const limiter = createLimiter({
    maxRunning: maxConnections,
    maxWaiting,
    createOverloadError: () => new SqlError('overloaded', 'Too many callers wait for the database.'),
  })
  /** In which generation a connection was set up. Those of earlier ones are not used again. */
  const generations = new WeakMap<Connection, number>()
  let generation = 0
  let busy = 0
  /** Connections that the pool keeps, and those that it has closed by itself since. */
  let idle = 0
  let waiting: (() => void)[] = []
  let closing: Promise<void> | undefined

  function notify(): void {
    for (const wake of waiting) wake()
    waiting = []
  }

  function nextChange(): Promise<void> {
    return new Promise((resolve) => {
      waiting.push(resolve)
    })
  }

  function giveBack(connection: Connection, isBroken: boolean): void {
    busy--
    if (isBroken) driver.destroy(connection)
    else {
      driver.release(connection)
      idle++
    }
    notify()
  }

  /** Where one connection broke, those made before are likely to be broken as well. */
  function expireOthers(connection: Connection): void {
    if (generations.get(connection) !== generation) return
    generation++
    idle = 0
  }

  async function open(): Promise<Connection> {
    busy++
    try {
      for (;;) {
        const connection = await driver.connect()
        const born = generations.get(connection)
        if (born === generation) return connection
        if (born === undefined) return await setUp(connection)
        driver.destroy(connection)
      }
    } catch (error) {
      busy--
      throw error instanceof SqlError ? error : new SqlError('connection', 'The database failed.', error)
    } finally {
      notify()
    }
  }

  async function setUp(connection: Connection): Promise<Connection> {
    try {
      await within(driver.setUp(connection), connectTimeoutMs, createTimeoutError)
    } catch (error) {
      driver.destroy(connection)
      throw error
    }
    generations.set(connection, generation)
    return connection
  }

  /** Where no connection can be made, those in use are waited for: a server that allows fewer still serves all callers. */
  async function acquire(signal: AbortSignal): Promise<Connection> {
    for (;;) {
      signal.throwIfAborted()
      if (closing !== undefined) throw new SqlError('connection', 'The connections to the database have been closed.')
      const isKept = idle > 0
      try {
        if (!isKept) return await breaker.run(open)
        idle--
        return await open()
      } catch (error) {
        if (isKept) idle = 0
        if (idle > 0) continue
        if (busy === 0) throw error
        await untilAborted(nextChange(), signal)
      }
    }
  }

  /** Runs `work` with a connection. The caller's signal ends the wait for one; the time limit ends statements as well. */
  async function withConnection<T>(
    work: (query: SqlQuery) => Promise<T>,
    endsAt: number,
    caller: AbortSignal | undefined,
  ): Promise<T> {
    const total = startDeadline(endsAt - clock(), createTimeoutError)
    const wait = startDeadline(endsAt - clock(), createTimeoutError, caller)

    async function useConnection(): Promise<T> {
      const connection = await acquire(wait.signal)
      let isBroken = false
      let isOver = false
      async function query(sql: string, parameters: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
        checkParameters(parameters)
        if (isOver) throw new SqlError('other', 'The transaction has ended.')
        try {
          total.signal.throwIfAborted()
          return await untilAborted(driver.query(connection, sql, parameters), total.signal)
        } catch (error) {
          isBroken ||= sql === 'ROLLBACK' || isSqlError(error, 'connection', 'timeout')
          if (isSqlError(error, 'connection')) expireOthers(connection)
          throw error
        }
      }
      try {
        wait.signal.throwIfAborted()
        wait.end()
        return await work(query)
      } finally {
        isOver = true
        giveBack(connection, isBroken)
      }
    }

    try {
      // Whoever gives up while a connection is being made leaves at once; the slot is free when that has ended.
      return await untilAborted(limiter.run(useConnection, wait.signal), wait.signal)
    } finally {
      wait.end()
      total.end()
    }
  }

  /** As {@link withConnection}, once more on a new connection when the first one breaks while `isRepeatable`. */
  async function withRetry<T>(
    work: (query: SqlQuery) => Promise<T>,
    isRepeatable: () => boolean,
    endsAt: number,
    caller: AbortSignal | undefined,
  ): Promise<T> {
    try {
      return await withConnection(work, endsAt, caller)
    } catch (error) {
      if (!isSqlError(error, 'connection') || !isRepeatable()) throw error
      return withConnection(work, endsAt, caller)
    }
  }

  function attemptTransaction<T>(
    work: (query: SqlQuery) => Promise<T>,
    endsAt: number,
    caller: AbortSignal | undefined,
  ): Promise<T> {
    let hasBegun = false
    // Nothing has been written when the connection turns out to be broken at the beginning, so another one is safe.
    return withRetry(
      async (query) => {
        await query(driver.beginStatement)
        hasBegun = true
        try {
          const result = await work(query)
          await query('COMMIT')
          return result
        } catch (error) {
          // The server undoes it when the connection ends.
          if (!isSqlError(error, 'connection', 'timeout')) await query('ROLLBACK').catch(() => undefined)
          throw error
        }
      },
      () => !hasBegun,
      endsAt,
      caller,
    )
  }

  async function runTransaction<T>(
    work: (query: SqlQuery) => Promise<T>,
    { signal, timeoutMs: ownTimeoutMs = timeoutMs }: SqlQueryOptions,
  ): Promise<T> {
    const endsAt = clock() + ownTimeoutMs
    for (let attempt = 1; ; attempt++) {
      try {
        return await attemptTransaction(work, endsAt, signal)
      } catch (error) {
        if (!isSqlError(error, 'conflict') || attempt === maxAttempts) throw error
        await setTimeout(Math.random() * maxPauseMs)
      }
    }
  }

  return {
    dialect: driver.dialect,

    async query(sql: string, parameters: readonly SqlValue[] = [], queryOptions: SqlQueryOptions = {}) {
      checkParameters(parameters)
      const endsAt = clock() + (queryOptions.timeoutMs ?? timeoutMs)
      const query = (): Promise<readonly SqlRow[]> =>
        withRetry(
          (run) => run(sql, parameters),
          () => reading.test(sql),
          endsAt,
          queryOptions.signal,
        )
      return observed(observe, query, isFailure)
    },

    transaction: (work, queryOptions = {}) => observed(observe, () => runTransaction(work, queryOptions), isFailure),

    close() {
      closing ??= (async () => {
        while (busy > 0) await nextChange()
        await driver.close()
      })()
      return closing
    },
  }
}

/** What the database says of a statement, or a caller of a transaction, is no failure of the database. */
function isFailure(error: unknown): boolean {
  return error instanceof StoreError && !isSqlError(error, 'duplicate', 'data', 'conflict', 'missing-table')
}

function createTimeoutError(): SqlError {
  return new SqlError('timeout', 'The database did not answer in time.')
}

/** An object as a parameter becomes SQL in some drivers: `{ a: 1 }` is "a = 1" for one of them. */
function checkParameters(parameters: readonly unknown[]): void {
  for (const value of parameters) {
    const isScalar = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value) || value === null
    if (!isScalar) throw new TypeError('a parameter of a statement must be a text, a number, a boolean or null')
  }
}
