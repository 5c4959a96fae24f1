/** A PostgreSQL server for tests: the one of the distribution's package `postgresql`. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { certificatesIn, type DatabaseServer, startDatabaseServer } from './database-server.js'

/** Whom tests log in as. */
export const postgresqlUser = 'postgres'
const packageFolder = '/usr/lib/postgresql'

/** A running PostgreSQL. */
export interface PostgresqlServer extends DatabaseServer {
  /** Makes an empty database and returns its JDBC URL. */
  createDatabase(name: string): Promise<string>
  /** Runs statements as the superuser, in a database. */
  run(database: string, sql: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  /** Processes that serve clients of a database. */
  backends(database: string): Promise<readonly number[]>
}

/** Starts a server. Logins need no password: it listens on the loopback interface only. */
export async function startPostgresql(): Promise<PostgresqlServer> {
  const [version] = readdirSync(packageFolder).toSorted((one, other) => Number(other) - Number(one))
  const bin = join(packageFolder, version ?? '', 'bin')
  const server = await startDatabaseServer({
    user: 'postgres',
    prepare: (folder) => [
      [
        join(bin, 'initdb'),
        '-D',
        join(folder, 'data'),
        '-U',
        postgresqlUser,
        '-A',
        'trust',
        '-E',
        'UTF8',
        '--no-locale',
        '-N',
      ],
    ],
    command: (folder, port) => {
      const { certificate, key } = certificatesIn(folder)
      return [
        join(bin, 'postgres'),
        ...['-D', join(folder, 'data'), '-p', String(port), '-k', folder],
        ...['-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off', '-c', 'max_connections=60'],
        ...['-c', 'ssl=on', '-c', `ssl_cert_file=${certificate}`, '-c', `ssl_key_file=${key}`],
      ]
    },
    check: (port) => runOn(port, 'postgres', 'SELECT 1'),
  })

  const run: PostgresqlServer['run'] = (database, sql, values) => runOn(server.port, database, sql, values)
  return {
    ...server,
    run,
    async createDatabase(name) {
      await run('postgres', `CREATE DATABASE ${name}`)
      return `jdbc:postgresql://127.0.0.1:${server.port}/${name}`
    },
    async backends(database) {
      const sql = 'SELECT pid FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()'
      return (await run(database, sql, [database])).map(({ pid }) => Number(pid))
    },
  }
}

async function runOn(
  port: number,
  database: string,
  sql: string,
  values?: readonly unknown[],
): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ host: '127.0.0.1', port, database, user: postgresqlUser })
  client.on('error', () => {})
  await client.connect()
  try {
    // Without values, several statements in one text are allowed.
    const result = values === undefined ? await client.query(sql) : await client.query(sql, [...values])
    return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows
  } finally {
    await client.end()
  }
}
