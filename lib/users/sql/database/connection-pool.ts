/**
 * A bounded number of connections, and a bounded queue of those who wait for one.
 *
 * @module
 */

import { inBackground } from '../../../async/background.js'
import { CircuitBreaker } from './circuit-breaker.js'
import type { SqlConnection } from './sql-connection.js'
import { SqlError } from './sql-database.js'
import { within } from './within.js'

/** Options of {@link ConnectionPool}. */
export interface ConnectionPoolOptions {
  readonly create: () => SqlConnection
  readonly maxConnections: number
  readonly maxWaiting: number
  readonly connectTimeoutMs: number
  /** Milliseconds that never go back. */
  readonly now: () => number
}

/** One who waits for a connection. Exactly one of the two is called, once. */
interface Waiter {
  readonly resolve: (connection: SqlConnection) => void
  readonly reject: (error: unknown) => void
}

/**
 * Hands out connections in the order of the calls. Connections are made when somebody waits, not at the start, and belong
 * to nobody until they are open: whoever waits longest gets the next one that is free.
 */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions
  readonly #breaker: CircuitBreaker
  readonly #idle = new Set<SqlConnection>()
  readonly #waiting = new Set<Waiter>()
  /** Connections that are idle, in use or being made. */
  #count = 0
  #connecting = 0
  #isClosed = false

  constructor(options: ConnectionPoolOptions) {
    this.#options = options
    this.#breaker = new CircuitBreaker(options.now)
  }

  /** Connections that exist, open or being opened. */
  get size(): number {
    return this.#count
  }

  /**
   * A connection for one caller alone, until {@link release} or {@link discard}.
   *
   * @throws {@link SqlError} (by rejecting): `overloaded` at once when too many wait, `connection` when none can be made,
   * `timeout` after `waitMs`; or the reason of `signal`.
   */
  async acquire(waitMs: number, signal?: AbortSignal): Promise<SqlConnection> {
    signal?.throwIfAborted()
    if (this.#isClosed) throw closed()
    const [idle] = this.#idle
    if (idle !== undefined) {
      this.#idle.delete(idle)
      idle.onLost = undefined
      return idle
    }
    if (this.#waiting.size >= this.#options.maxWaiting) {
      throw new SqlError('overloaded', 'Too many callers wait for the database.')
    }
    return this.#wait(waitMs, signal)
  }

  /** Gives a connection back: to the next in line, or to be kept. */
  release(connection: SqlConnection): void {
    if (this.#isClosed || connection.isLost) this.discard(connection)
    else this.#offer(connection)
  }

  /** Closes a connection whose state is not known. */
  discard(connection: SqlConnection): void {
    connection.destroy()
    this.#count--
    this.#grow()
  }

  /** Closes what is idle: where one connection broke, the others are likely to be broken as well. */
  discardIdle(): void {
    for (const connection of this.#idle) {
      this.#idle.delete(connection)
      connection.onLost = undefined
      this.discard(connection)
    }
  }

  /** Refuses everybody from now on. Connections in use are closed when they are given back. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#rejectAll(closed())
    const idle = [...this.#idle]
    this.#idle.clear()
    this.#count -= idle.length
    await Promise.all(
      idle.map(async (connection) => {
        connection.onLost = undefined
        await within(connection.end(), this.#options.connectTimeoutMs).catch(() => connection.destroy())
      }),
    )
  }

  #wait(waitMs: number, signal: AbortSignal | undefined): Promise<SqlConnection> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiter)
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }
      const waiter: Waiter = {
        resolve(connection) {
          leave()
          resolve(connection)
        },
        reject(error) {
          leave()
          reject(error)
        },
      }
      const abort = (): void => waiter.reject(signal?.reason)
      const timer = setTimeout(
        () => waiter.reject(new SqlError('timeout', 'No connection to the database was free in time.')),
        Math.max(0, waitMs),
      )
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiting.add(waiter)
      this.#grow()
    })
  }

  #offer(connection: SqlConnection): void {
    const [next] = this.#waiting
    if (next !== undefined) {
      next.resolve(connection)
      return
    }
    this.#idle.add(connection)
    connection.onLost = () => {
      this.#idle.delete(connection)
      this.discard(connection)
    }
  }

  /** Makes as many connections as are missing. Where there is none and none can be made, those who wait are told so. */
  #grow(): void {
    if (this.#isClosed) return
    const { pausedBy } = this.#breaker
    const atOnce = pausedBy !== undefined ? 0 : this.#breaker.isProbing ? 1 : this.#options.maxConnections
    while (this.#connecting < Math.min(atOnce, this.#waiting.size) && this.#count < this.#options.maxConnections) {
      inBackground(() => this.#connect())
    }
    if (this.#count === 0 && pausedBy !== undefined) this.#rejectAll(pausedBy)
  }

  async #connect(): Promise<void> {
    this.#count++
    this.#connecting++
    const connection = this.#options.create()
    try {
      await within(connection.open(), this.#options.connectTimeoutMs)
      this.#connecting--
      this.#breaker.succeeded()
      this.release(connection)
      this.#grow()
    } catch (error) {
      this.#connecting--
      const reason = error instanceof SqlError ? error : new SqlError('connection', 'The database failed.', error)
      this.#breaker.failed(reason)
      this.discard(connection)
    }
  }

  #rejectAll(error: SqlError): void {
    for (const waiter of this.#waiting) waiter.reject(error)
  }
}

function closed(): SqlError {
  return new SqlError('connection', 'The connections to the database have been closed.')
}
