/**
 * What a driver does: one connection, one statement at a time. Pooling, time-outs and retries are done above it.
 *
 * @module
 */

import type { SqlDialect, SqlRow, SqlValue } from './sql-database.js'

/** One connection to a database. */
export interface SqlConnection {
  /** Connects and sets the session up. Rejects with `SqlError`. */
  open(): Promise<void>
  /** Runs one statement with `?` for each parameter. Rejects with `SqlError`. */
  query(sql: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** The connection has broken: the server has closed it, or the network. */
  readonly isLost: boolean
  /** Called once when the connection breaks while it is idle. */
  onLost: (() => void) | undefined
  /** Says goodbye to the server and closes. */
  end(): Promise<void>
  /** Closes at once, in the middle of a statement too. */
  destroy(): void
}

/** Makes connections to one database. */
export interface SqlDriver {
  readonly dialect: SqlDialect
  /** Statement that begins a transaction that writes. */
  readonly beginStatement: string
  /** The most connections that make sense; `undefined`: as many as the operator allows. */
  readonly maxConnections?: number
  /** Makes a connection that is not open yet. */
  create(): SqlConnection
}
