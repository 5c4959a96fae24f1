/**
 * PostgreSQL, by the package `pg`.
 *
 * @module
 */

import type { ConnectionOptions } from 'node:tls'
import type { Client, ClientConfig } from 'pg'
import type { SqlConnection, SqlDriver } from '../database/sql-connection.js'
import { SqlError, type SqlErrorKind, type SqlRow, type SqlValue } from '../database/sql-database.js'
import type { ServerLocation } from './jdbc-url.js'
import { loadDriver } from './load-driver.js'
import type { TlsSettings } from './tls-parameters.js'

/** Settings of each session beside where the server is. */
export interface SessionOptions {
  /** The server itself ends a statement that takes longer, so that it is not left running when nobody waits for it. */
  readonly statementTimeoutMs: number
}

/**
 * Makes the driver.
 *
 * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`) without the package `pg`.
 */
export async function postgresqlDriver(location: ServerLocation, session: SessionOptions): Promise<SqlDriver> {
  const pg = await loadDriver('PostgreSQL', 'pg', () => import('pg'))
  const { host, port, database, user, password, tls } = location
  const config: ClientConfig = {
    host,
    port,
    database,
    user,
    // Without any password pg reads ~/.pgpass and the environment, which the configuration does not name.
    password: password ?? '',
    ssl: tls === undefined ? false : tlsOptions(tls),
    application_name: 'sallyport',
    keepAlive: true,
  }
  return {
    dialect: 'postgresql',
    beginStatement: 'BEGIN',
    create: () => new PostgresqlConnection(new pg.Client(config), location.schema, session),
  }
}

class PostgresqlConnection implements SqlConnection {
  readonly #client: Client
  readonly #schema: string | undefined
  readonly #session: SessionOptions
  #isLost = false
  onLost: (() => void) | undefined

  constructor(client: Client, schema: string | undefined, session: SessionOptions) {
    this.#client = client
    this.#schema = schema
    this.#session = session
    const lose = (): void => {
      this.#isLost = true
      this.onLost?.()
      this.onLost = undefined
    }
    // Without a listener, a server that closes an idle connection would end the process.
    client.on('error', lose)
    client.on('end', lose)
  }

  get isLost(): boolean {
    return this.#isLost
  }

  async open(): Promise<void> {
    try {
      await this.#client.connect()
    } catch (error) {
      throw new SqlError('connection', 'PostgreSQL cannot be reached.', error)
    }
    const timeout = String(this.#session.statementTimeoutMs)
    // Set by statements and not in the start-up message, which a pooler in between may not take.
    await this.query(
      `SELECT set_config('statement_timeout', ?, false), set_config('lock_timeout', ?, false),
        set_config('idle_in_transaction_session_timeout', ?, false)`,
      [timeout, timeout, String(this.#session.statementTimeoutMs * 2)],
    )
    if (this.#schema !== undefined) await this.query(`SELECT set_config('search_path', ?, false)`, [this.#schema])
  }

  async query(sql: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    try {
      const { rows } = await this.#client.query<SqlRow>(numbered(sql), [...parameters])
      return rows
    } catch (error) {
      throw new SqlError(kindOf(error), 'PostgreSQL failed.', error)
    }
  }

  async end(): Promise<void> {
    await this.#client.end()
  }

  destroy(): void {
    this.#isLost = true
    // There is no public way to close in the middle of a statement.
    const { connection } = this.#client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }
    connection.stream.destroy()
  }
}

function tlsOptions({ rejectUnauthorized, verifiesHost, ca }: TlsSettings): ConnectionOptions {
  return {
    rejectUnauthorized,
    ...(ca === undefined ? {} : { ca }),
    ...(verifiesHost ? {} : { checkServerIdentity: () => undefined }),
  }
}

const numberedStatements = new Map<string, string>()

/** `$1`, `$2` and so on for each `?`. Our statements have no `?` in a literal, and there are few of them. */
function numbered(sql: string): string {
  let text = numberedStatements.get(sql)
  if (text === undefined) {
    let index = 0
    text = sql.replaceAll('?', () => `$${++index}`)
    numberedStatements.set(sql, text)
  }
  return text
}

/** By SQLSTATE (PostgreSQL manual, appendix A). */
function kindOf(error: unknown): SqlErrorKind {
  const code = (error as { readonly code?: unknown }).code
  // Errors of the network and of pg itself have no SQLSTATE.
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return 'connection'
  if (code === '23505') return 'duplicate'
  if (code === '42P01') return 'missing-table'
  if (code === '40001' || code === '40P01') return 'conflict'
  if (code === '57014' || code === '55P03') return 'timeout'
  if (code.startsWith('22')) return 'data'
  return /^(?:08|57P|25P03)/.test(code) ? 'connection' : 'other'
}
