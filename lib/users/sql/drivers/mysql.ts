/**
 * MariaDB and MySQL, by the package `mysql2`.
 *
 * @module
 */

import type { Connection, ConnectionOptions } from 'mysql2'
import type { SqlConnection, SqlDriver } from '../database/sql-connection.js'
import { SqlError, type SqlErrorKind, type SqlRow, type SqlValue } from '../database/sql-database.js'
import type { ServerLocation } from './jdbc-url.js'
import { loadDriver } from './load-driver.js'
import type { SessionOptions } from './postgresql.js'

/**
 * No value is cut to fit its column, and a backslash in a pattern is a character like any other, whatever the server's own
 * mode is.
 */
const sqlMode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES'

/**
 * Makes the driver.
 *
 * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`) without the package `mysql2`.
 */
export async function mysqlDriver(location: ServerLocation, session: SessionOptions): Promise<SqlDriver> {
  const { createConnection } = (await loadDriver('MariaDB or MySQL', 'mysql2', () => import('mysql2'))).default
  const { host, port, database, user, password, tls } = location
  const config: ConnectionOptions = {
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
  }
  return {
    dialect: 'mysql',
    beginStatement: 'START TRANSACTION',
    create: () => new MysqlConnection(createConnection, config, session),
  }
}

class MysqlConnection implements SqlConnection {
  readonly #createConnection: typeof import('mysql2').createConnection
  readonly #config: ConnectionOptions
  readonly #session: SessionOptions
  #connection: Connection | undefined
  #isLost = false
  onLost: (() => void) | undefined

  constructor(
    createConnection: typeof import('mysql2').createConnection,
    config: ConnectionOptions,
    session: SessionOptions,
  ) {
    this.#createConnection = createConnection
    this.#config = config
    this.#session = session
  }

  get isLost(): boolean {
    return this.#isLost
  }

  async open(): Promise<void> {
    // mysql2 connects as soon as it is made.
    const connection = this.#createConnection(this.#config)
    this.#connection = connection
    const lose = (): void => {
      this.#isLost = true
      this.onLost?.()
      this.onLost = undefined
    }
    connection.on('error', lose)
    connection.on('end', lose)
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => {
        if (error) reject(new SqlError('connection', 'MariaDB or MySQL cannot be reached.', error))
        else resolve()
      })
    })
    const seconds = Math.max(1, Math.ceil(this.#session.statementTimeoutMs / 1000))
    await this.#run('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')
    await this.#run(`SET SESSION sql_mode = '${sqlMode}', SESSION innodb_lock_wait_timeout = ${seconds}`)
    await this.#limitStatements(seconds)
  }

  async query(sql: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    if (parameters.length === 0) return this.#run(sql)
    return new Promise((resolve, reject) => {
      // Bound by the server, not written into the statement by the driver.
      this.#connection!.execute(sql, [...parameters], (error, result) => {
        if (error) reject(new SqlError(kindOf(error), 'MariaDB or MySQL failed.', error))
        else resolve(rowsOf(result))
      })
    })
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve) => this.#connection?.end(() => resolve()) ?? resolve())
  }

  destroy(): void {
    this.#isLost = true
    this.#connection?.destroy()
  }

  /** For transactions and settings, which cannot all be prepared. */
  #run(sql: string): Promise<readonly SqlRow[]> {
    return new Promise((resolve, reject) => {
      this.#connection!.query(sql, (error, result) => {
        if (error) reject(new SqlError(kindOf(error), 'MariaDB or MySQL failed.', error))
        else resolve(rowsOf(result))
      })
    })
  }

  /** MariaDB counts seconds and ends any statement; MySQL counts milliseconds, and ends only those that read. */
  async #limitStatements(seconds: number): Promise<void> {
    const [row] = await this.#run('SELECT VERSION() AS version')
    const isMariaDb = /mariadb/i.test(String(row?.['version']))
    await this.#run(
      isMariaDb ? `SET SESSION max_statement_time = ${seconds}` : `SET SESSION max_execution_time = ${seconds * 1000}`,
    )
  }
}

/** A statement that writes answers with counts, not with rows. */
function rowsOf(result: unknown): readonly SqlRow[] {
  return Array.isArray(result) ? (result as readonly SqlRow[]) : []
}

/** By error number (MariaDB and MySQL server error references); errors of the network have none. */
const kindsByNumber: ReadonlyMap<number, SqlErrorKind> = new Map([
  [1062, 'duplicate'],
  [1146, 'missing-table'],
  [1213, 'conflict'],
  [1205, 'timeout'],
  [1969, 'timeout'],
  [3024, 'timeout'],
  [1264, 'data'],
  [1265, 'data'],
  [1366, 'data'],
  [1406, 'data'],
  [1300, 'data'],
  [3854, 'data'],
  [3988, 'data'],
  [1053, 'connection'],
  [1077, 'connection'],
  [1317, 'connection'],
  [1927, 'connection'],
])

function kindOf(error: { readonly errno?: number | undefined; readonly sqlState?: string | undefined }): SqlErrorKind {
  const kind = kindsByNumber.get(error.errno ?? 0)
  if (kind !== undefined) return kind
  return error.sqlState === undefined || error.sqlState.startsWith('08') ? 'connection' : 'other'
}
