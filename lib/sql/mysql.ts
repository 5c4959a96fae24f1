/**
 * MariaDB and MySQL, by the package `mysql2`.
 *
 * @module
 */

import type { Socket } from 'node:net'
import type { PoolConnection } from 'mysql2'
import { within } from '../async/deadline.js'
import type { ServerLocation } from './jdbc-url.js'
import {
  idleTimeoutMs,
  loadDriver,
  type ServerPoolOptions,
  type SqlDriver,
  SqlError,
  type SqlErrorKind,
  type SqlRow,
  type SqlValue,
} from './sql-database.js'

/**
 * No value is cut to fit its column, and a backslash in a pattern is a character like any other, whatever the server's own
 * mode is.
 */
const sqlMode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES'

/** @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) without the package `mysql2`. */
export async function createMysqlDriver(
  location: ServerLocation,
  { maxConnections, connectTimeoutMs, statementTimeoutMs }: ServerPoolOptions,
): Promise<SqlDriver<PoolConnection>> {
  const { createPool } = (await loadMysql()).default
  const { host, port, database, user, password, tls } = location
  const pool = createPool({
    host,
    port,
    database,
    user: user ?? '',
    password: password ?? '',
    charset: 'utf8mb4',
    // Dates are read as numbers; see the statements.
    dateStrings: true,
    supportBigNumbers: true,
    enableKeepAlive: true,
    // Files of this machine are never sent, whatever the server asks for.
    flags: ['-LOCAL_FILES'],
    ...(tls === undefined
      ? {}
      : {
          ssl: {
            rejectUnauthorized: tls.rejectUnauthorized,
            verifyIdentity: tls.verifiesHost,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
          },
        }),
    connectTimeout: connectTimeoutMs,
    // One more than are used: `idleTimeout` has no effect unless `maxIdle` is below the limit.
    connectionLimit: maxConnections + 1,
    maxIdle: maxConnections,
    idleTimeout: idleTimeoutMs,
    gracefulEnd: true,
  })
  // The pool listens for the first error alone; a second one would end the process.
  const opened = new Set<PoolConnection>()
  pool.on('connection', (connection) => {
    connection.on('error', () => {})
    opened.add(connection.once('end', () => opened.delete(connection)))
  })

  /** Values are bound by the server, not written into the statement by the driver. Not all that has none can be prepared. */
  function query(connection: PoolConnection, sql: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return new Promise((resolve, reject) => {
      const settle = (error: MysqlError | null, result: unknown): void => {
        if (error) reject(new SqlError(classify(error), 'MariaDB or MySQL failed.', error))
        else resolve(readRows(result))
      }
      if (parameters.length === 0) connection.query(sql, settle)
      else connection.execute(sql, [...parameters], settle)
    })
  }

  return {
    dialect: 'mysql',
    beginStatement: 'START TRANSACTION',
    query,

    connect: () =>
      new Promise((resolve, reject) => {
        pool.getConnection((error, connection) => {
          if (error) reject(new SqlError('connection', 'MariaDB or MySQL cannot be reached.', error))
          else resolve(connection)
        })
      }),

    async setUp(connection) {
      const seconds = Math.max(1, Math.ceil(statementTimeoutMs / 1000))
      await query(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', [])
      const mode = `SET SESSION sql_mode = '${sqlMode}', SESSION innodb_lock_wait_timeout = ${seconds}`
      await query(connection, mode, [])
      const [row] = await query(connection, 'SELECT VERSION() AS version', [])
      // MariaDB counts seconds and ends any statement; MySQL counts milliseconds, and ends only those that read. Only MariaDB, from
      // 10.3 on, takes the locks from a process that stands still in a transaction.
      const limit = /mariadb/i.test(String(row?.['version']))
        ? `max_statement_time = ${seconds} /*M!100300 , SESSION idle_transaction_timeout = ${2 * seconds} */`
        : `max_execution_time = ${seconds * 1000}`
      await query(connection, `SET SESSION ${limit}`, [])
    },

    release: (connection) => connection.release(),
    destroy: cut,

    // A server that stands still answers no goodbye, and must not keep the process running.
    async close() {
      await within(pool.promise().end(), connectTimeoutMs, () => new Error('no goodbye')).catch(() => undefined)
      for (const connection of opened) cut(connection)
    },
  }
}

/** Closes a connection at once. The package alone waits for the server to do the same, which keeps the process running. */
function cut(connection: PoolConnection): void {
  connection.destroy()
  const { stream } = connection as unknown as { readonly stream?: Partial<Pick<Socket, 'destroy'>> }
  stream?.destroy?.()
}

interface MysqlError {
  readonly errno?: number | undefined
  readonly sqlState?: string | undefined
}

/** A statement that writes answers with counts, not with rows. */
function readRows(result: unknown): readonly SqlRow[] {
  return Array.isArray(result) ? (result as readonly SqlRow[]) : []
}

/** By error number (MariaDB and MySQL server error references); errors of the network have none. */
const numbers: readonly (readonly [SqlErrorKind, readonly number[]])[] = [
  ['duplicate', [1062]],
  ['missing-table', [1146]],
  ['conflict', [1213]],
  ['timeout', [1205, 1969, 3024]],
  ['data', [1264, 1265, 1300, 1366, 1406, 3854, 3988]],
  ['connection', [1053, 1077, 1317, 1927]],
]

function classify(error: MysqlError): SqlErrorKind {
  const known = numbers.find(([, members]) => members.includes(error.errno ?? 0))
  if (known !== undefined) return known[0]
  return error.sqlState === undefined || error.sqlState.startsWith('08') ? 'connection' : 'other'
}

/** @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs it. */
export function loadMysql(): Promise<{ readonly default: typeof import('mysql2') }> {
  return loadDriver('MariaDB or MySQL', 'mysql2', () => import('mysql2'))
}
