/**
 * PostgreSQL, by the package `pg`.
 *
 * @module
 */

import type { ConnectionOptions } from 'node:tls'
import type { PoolClient } from 'pg'
import { maxTimerMs } from '../async/deadline.js'
import type { ServerLocation, TlsSettings } from './jdbc-url.js'
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

/** A connection older than that is replaced, so that a name which has moved to another host is looked up again. */
const maxLifetimeSeconds = 1800

/** @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) without the package `pg`. */
export async function createPostgresqlDriver(
  location: ServerLocation,
  { maxConnections, connectTimeoutMs, statementTimeoutMs }: ServerPoolOptions,
): Promise<SqlDriver<PoolClient>> {
  const { Pool } = (await loadPostgresql()).default
  const { host, port, database, user, password, schema, tls } = location
  const pool = new Pool({
    host,
    port,
    database,
    user,
    // Without any password pg reads ~/.pgpass and the environment, which the configuration does not name.
    password: password ?? '',
    ssl: tls === undefined ? false : tlsOptions(tls),
    application_name: 'sallyport',
    keepAlive: true,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
    maxLifetimeSeconds,
    // A server that stands still answers no goodbye, and must not keep the process running.
    allowExitOnIdle: true,
  })
  // Without a listener, a server that closes a connection would end the process. The pool listens to idle ones alone, and
  // drops one that has broken by itself.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))

  async function query(client: PoolClient, sql: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    try {
      const { rows } = await client.query<SqlRow>(numbered(sql), [...parameters])
      return rows
    } catch (error) {
      throw new SqlError(classify(error), 'PostgreSQL failed.', error)
    }
  }

  return {
    dialect: 'postgresql',
    // Who gets a lock reads what was committed by then, whatever the database's own default is.
    beginStatement: 'BEGIN ISOLATION LEVEL READ COMMITTED',
    query,

    async connect() {
      try {
        return await pool.connect()
      } catch (error) {
        throw new SqlError('connection', 'PostgreSQL cannot be reached.', error)
      }
    },

    async setUp(client) {
      const timeout = String(statementTimeoutMs)
      // Set by statements and not in the start-up message, which a pooler in between may not take.
      await query(
        client,
        `SELECT set_config('statement_timeout', ?, false), set_config('lock_timeout', ?, false),
          set_config('idle_in_transaction_session_timeout', ?, false),
          set_config('default_transaction_isolation', 'read committed', false)`,
        [timeout, timeout, String(Math.min(statementTimeoutMs * 2, maxTimerMs))],
      )
      if (schema !== undefined) await query(client, `SELECT set_config('search_path', ?, false)`, [schema])
    },

    release: (client) => client.release(),
    // Cuts the connection in the middle of a statement.
    destroy: (client) => client.release(true),
    close: () => pool.end(),
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
function classify(error: unknown): SqlErrorKind {
  const code = (error as { readonly code?: unknown }).code
  // Errors of the network (EPIPE) and of pg itself have no SQLSTATE, each of which has a digit.
  if (typeof code !== 'string' || !/^(?=.*\d)[0-9A-Z]{5}$/.test(code)) return 'connection'
  if (code === '23505') return 'duplicate'
  if (code === '42P01') return 'missing-table'
  if (code === '40001' || code === '40P01') return 'conflict'
  if (code === '57014' || code === '55P03') return 'timeout'
  if (code.startsWith('22')) return 'data'
  return /^(?:08|57P|25P03)/.test(code) ? 'connection' : 'other'
}

/** @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs it. */
export function loadPostgresql(): Promise<typeof import('pg')> {
  return loadDriver('PostgreSQL', 'pg', () => import('pg'))
}
