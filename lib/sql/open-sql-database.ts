/**
 * Opens the database that a JDBC URL names.
 *
 * @module
 */

import { maxTimerMs } from '../async/deadline.js'
import { assertIntegers, assertNumbers } from '../core/option-numbers.js'
import { readJdbcUrl } from './jdbc-url.js'
import { createMysqlDriver } from './mysql.js'
import { createPooledDatabase, type SqlPoolOptions } from './pooled-database.js'
import { createPostgresqlDriver } from './postgresql.js'
import type { SqlDatabase } from './sql-database.js'
import { createSqliteDriver } from './sqlite.js'

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
  /** Folder that relative file names in the URL start from. @defaultValue the working directory */
  readonly home?: string | undefined
  /** Told of what should be put right, in words for an operator. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/**
 * Opens a database. Nothing is connected yet: a server that is down is no start failure.
 *
 * @throws `ConfigError` when the URL cannot be used, and (`ERR_CONFIG_MISSING_PACKAGE`) when its optional package is
 * not installed; TypeError when a number is out of range.
 */
export async function openSqlDatabase(options: SqlDatabaseOptions): Promise<SqlDatabase> {
  const { url, username, password, home = process.cwd(), onWarning, ...pool } = options
  const { maxConnections = 10, maxWaiting = 1000, timeoutMs = 5000, connectTimeoutMs = 3000 } = pool
  assertIntegers({ maxConnections }, 1)
  assertIntegers({ maxWaiting }, 0)
  assertNumbers({ timeoutMs, connectTimeoutMs }, 1, maxTimerMs)
  const location = readJdbcUrl(url, { username, password, home })
  for (const warning of location.warnings) onWarning?.(warning)
  if (location.dialect === 'sqlite') {
    return createPooledDatabase(await createSqliteDriver(location.file), { ...pool, maxConnections: 1 })
  }
  const bounds = { maxConnections, connectTimeoutMs, statementTimeoutMs: timeoutMs }
  return location.dialect === 'postgresql'
    ? createPooledDatabase(await createPostgresqlDriver(location.server, bounds), pool)
    : createPooledDatabase(await createMysqlDriver(location.server, bounds), pool)
}
