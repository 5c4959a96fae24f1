/**
 * What is asked of a database, whichever it is.
 *
 * @module
 */

import { ConfigError, StoreError } from '../core/errors.js'

/** Kinds of databases, by the SQL they speak. `mysql` is MariaDB as well. */
export type SqlDialect = 'postgresql' | 'mysql' | 'sqlite'

/** What can be bound to a parameter. Anything else is refused: some drivers turn an object into SQL. */
export type SqlValue = string | number | boolean | null

/** One row by column name, in lower case. */
export type SqlRow = Readonly<Record<string, unknown>>

/** Runs one statement with `?` for each parameter. */
export type SqlQuery = (sql: string, parameters?: readonly SqlValue[]) => Promise<readonly SqlRow[]>

/** Options of a statement or a transaction. */
export interface SqlQueryOptions {
  /** Leaves the queue for a connection. A statement that has been sent is not taken back. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds for all of it, waiting and connecting too. @defaultValue the database's own */
  readonly timeoutMs?: number | undefined
}

/** A database. Connections are bounded in number, and made when they are needed. */
export interface SqlDatabase {
  /** Which SQL the database speaks. */
  readonly dialect: SqlDialect
  /**
   * Runs one statement. One that reads is repeated once on a new connection when its connection breaks.
   *
   * @throws `StoreError`
   */
  query(sql: string, parameters?: readonly SqlValue[], options?: SqlQueryOptions): Promise<readonly SqlRow[]>
  /**
   * Runs statements all or none. `work` does nothing but statements: it is repeated, at most twice, when the database gave the
   * transaction up in favour of another one.
   *
   * @throws `StoreError`: whether the transaction was done is then not known. What `work` throws is passed on after everything
   * is undone.
   */
  transaction<T>(work: (query: SqlQuery) => Promise<T>, options?: SqlQueryOptions): Promise<T>
  /** Ends all connections. */
  close(): Promise<void>
}

export type SqlErrorKind =
  /** The connection broke, or could not be made. */
  | 'connection'
  /** The database did not answer in time, or a lock was not given. */
  | 'timeout'
  /** Too many callers wait for a connection already. */
  | 'overloaded'
  /** A unique index has this value already. */
  | 'duplicate'
  /** A value does not fit its column. */
  | 'data'
  /** The transaction was given up in favour of another one. */
  | 'conflict'
  | 'missing-table'
  | 'other'

/** A database that failed. The cause is a copy of message and code: the driver's own error may hold parameters and whole rows. */
export class SqlError extends StoreError {
  readonly kind: SqlErrorKind

  constructor(kind: SqlErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause: withoutData(kind, cause) })
    this.kind = kind
  }
}

export function isSqlError(error: unknown, ...kinds: readonly SqlErrorKind[]): error is SqlError {
  return error instanceof SqlError && kinds.includes(error.kind)
}

/** Messages about values quote them, and the value may be a password in plain text. */
function withoutData(kind: SqlErrorKind, cause: unknown): Error {
  const { message, code } = cause as { readonly message?: unknown; readonly code?: unknown }
  const text = kind === 'data' ? 'a value does not fit its column' : String(message ?? 'unknown')
  return Object.assign(new Error(text), code === undefined ? {} : { code: String(code) })
}

/** Whether a table is there. Its name must come from us: it cannot be a parameter. */
export async function hasTable(database: SqlDatabase, table: string): Promise<boolean> {
  try {
    await database.query(`SELECT 1 AS found FROM ${table} WHERE 1 = 0`)
    return true
  } catch (error) {
    if (isSqlError(error, 'missing-table')) return false
    throw error
  }
}

/** The pool of a database package. `Connection` is the package's own; all rejections are `SqlError`. */
export interface SqlDriver<Connection extends object> {
  readonly dialect: SqlDialect
  /** Statement that begins a transaction that writes. */
  readonly beginStatement: string
  /** An idle connection where there is one, else a new one. Settles within the time limit for connecting. */
  connect(): Promise<Connection>
  setUp(connection: Connection): Promise<void>
  /** Runs one statement with `?` for each parameter. */
  query(connection: Connection, sql: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** Gives a connection back to the pool, which drops it when it has broken. */
  release(connection: Connection): void
  /** Closes a connection at once, in the middle of a statement too, in place of {@link release}. */
  destroy(connection: Connection): void
  /** Ends the connections, all of which are idle. */
  close(): Promise<void>
}

/**
 * What `load` imports.
 *
 * @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs the package.
 */
export async function loadDriver<T>(database: string, packageName: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    const rule = `${database} needs an optional package; run: npm install ${packageName}`
    throw new ConfigError([{ key: 'datasource.url', rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  }
}

export interface ServerPoolOptions {
  readonly maxConnections: number
  readonly connectTimeoutMs: number
  /** The server itself ends a statement that takes longer, so that it is not left running when nobody waits for it. */
  readonly statementTimeoutMs: number
}

/** Connections that are idle for longer are closed. */
export const idleTimeoutMs = 60_000
