/**
 * What the SQL user store asks of a database, whichever it is.
 *
 * @module
 */

import { StoreError } from '../../../core/errors.js'

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
  /**
   * Milliseconds for all of it: waiting for a connection, connecting, and the statements.
   *
   * @defaultValue the database's own
   */
  readonly timeoutMs?: number | undefined
}

/** A database with a bounded number of connections, which are made when they are needed. */
export interface SqlDatabase {
  /** Which SQL the database speaks. */
  readonly dialect: SqlDialect
  /**
   * Runs one statement. A statement that reads is run once more on a new connection when its connection breaks; one that
   * writes is not, because it may have been done.
   *
   * @throws `StoreError` by rejecting, whatever goes wrong.
   */
  query(sql: string, parameters?: readonly SqlValue[], options?: SqlQueryOptions): Promise<readonly SqlRow[]>
  /**
   * Runs statements all or none. `work` is run again, at most twice, when the database gave the transaction up in favour of
   * another one, so it must do nothing but statements.
   *
   * @throws `StoreError` by rejecting; whether the transaction was done is then not known. What `work` throws is
   * passed on after everything is undone.
   */
  transaction<T>(work: (query: SqlQuery) => Promise<T>, options?: SqlQueryOptions): Promise<T>
  /** Ends all connections. */
  close(): Promise<void>
}

/** What went wrong in a database, as far as it makes a difference. */
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

/**
 * A database that failed. The cause is not the driver's own error, which may hold parameters and whole rows, but a copy of
 * its message and code.
 */
export class SqlError extends StoreError {
  readonly kind: SqlErrorKind

  constructor(kind: SqlErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause: withoutData(kind, cause) })
    this.kind = kind
  }
}

/** Whether an error is a {@link SqlError} of one of these kinds. */
export function isSqlError(error: unknown, ...kinds: readonly SqlErrorKind[]): error is SqlError {
  return error instanceof SqlError && kinds.includes(error.kind)
}

/** Messages about values quote them, and the value may be a password in plain text. */
function withoutData(kind: SqlErrorKind, cause: unknown): Error {
  const { message, code } = cause as { readonly message?: unknown; readonly code?: unknown }
  const text = kind === 'data' ? 'a value does not fit its column' : String(message ?? 'unknown')
  return Object.assign(new Error(text), code === undefined ? {} : { code: String(code) })
}
