/**
 * Opens the database that a JDBC URL names.
 *
 * @module
 */

import { readJdbcUrl } from '../drivers/jdbc-url.js'
import { mysqlDriver } from '../drivers/mysql.js'
import { postgresqlDriver } from '../drivers/postgresql.js'
import { sqliteDriver } from '../drivers/sqlite.js'
import { pooledDatabase, type SqlPoolOptions } from './pooled-database.js'
import type { SqlDriver } from './sql-connection.js'
import type { SqlDatabase } from './sql-database.js'

/** Options of {@link openSqlDatabase}: the keys of a `[[datasource]]`. */
export interface SqlDatabaseOptions extends SqlPoolOptions {
  /**
   * `url`
   *
   * @example 'jdbc:postgresql://db.example:5432/users?sslmode=verify-full'
   */
  readonly url: string
  /** `username`; the URL's `user` when absent. */
  readonly username?: string | undefined
  /** `password`; the URL's `password` when absent. */
  readonly password?: string | undefined
  /**
   * Folder that relative file names in the URL start from.
   *
   * @defaultValue the working directory
   */
  readonly home?: string | undefined
  /** Told of what should be put right, in words for an operator. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/**
 * Opens a database. Nothing is connected yet: a server that is down is no start failure.
 *
 * @throws `ConfigError` when the URL cannot be used, and (`ERR_CONFIG_MISSING_PACKAGE`) when its optional package is
 * not installed.
 */
export async function openSqlDatabase(options: SqlDatabaseOptions): Promise<SqlDatabase> {
  const { url, username, password, home = process.cwd(), onWarning, ...pool } = options
  const location = readJdbcUrl(url, { username, password, home })
  for (const warning of location.warnings) onWarning?.(warning)
  return pooledDatabase(await driverOf(location, pool.timeoutMs ?? 5000), pool)
}

async function driverOf(location: ReturnType<typeof readJdbcUrl>, statementTimeoutMs: number): Promise<SqlDriver> {
  if (location.dialect === 'sqlite') return sqliteDriver(location.file)
  const makeDriver = location.dialect === 'postgresql' ? postgresqlDriver : mysqlDriver
  return makeDriver(location.server, { statementTimeoutMs })
}
