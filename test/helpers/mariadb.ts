/** A MariaDB server for tests: the one of the distribution's package `mariadb-server`. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import mysql, { type RowDataPacket } from 'mysql2/promise'
import { certificatesIn, type DatabaseServer, startDatabaseServer } from './database-server.js'

/** Whom tests log in as; a throw-away password of a throw-away server. */
export const mariadbUser = 'sallyport'
export const mariadbPassword = 'throw-away'

/** A running MariaDB. */
export interface MariadbServer extends DatabaseServer {
  /** Makes an empty database and returns its JDBC URL. `options` follow its name: a character set, for example. */
  createDatabase(name: string, options?: string): Promise<string>
  /** Runs statements, in a database. */
  run(database: string, sql: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  /** Connections of clients to a database. */
  backends(database: string): Promise<readonly number[]>
}

/** Starts a server with one user, who may do everything. */
export async function startMariadb(): Promise<MariadbServer> {
  const server = await startDatabaseServer({
    user: 'mysql',
    prepare: (folder) => [
      [
        '/usr/bin/mariadb-install-db',
        '--no-defaults',
        `--datadir=${join(folder, 'data')}`,
        // Another server that starts meanwhile clears the common one.
        `--tmpdir=${folder}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ],
    ],
    command: (folder, port) => {
      const { certificate, key, ca } = certificatesIn(folder)
      const initFile = join(folder, 'init.sql')
      writeFileSync(
        initFile,
        `CREATE USER IF NOT EXISTS ${mariadbUser}@'%' IDENTIFIED BY '${mariadbPassword}';\n` +
          `GRANT ALL ON *.* TO ${mariadbUser}@'%' WITH GRANT OPTION;\n`,
      )
      return [
        '/usr/sbin/mariadbd',
        '--no-defaults',
        `--datadir=${join(folder, 'data')}`,
        `--tmpdir=${folder}`,
        `--socket=${join(folder, 'mariadb.sock')}`,
        `--pid-file=${join(folder, 'mariadb.pid')}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--innodb-flush-log-at-trx-commit=2',
        `--ssl-cert=${certificate}`,
        `--ssl-key=${key}`,
        `--ssl-ca=${ca}`,
        `--init-file=${initFile}`,
      ]
    },
    check: (port) => runOn(port, undefined, 'SELECT 1'),
  })

  const run: MariadbServer['run'] = (database, sql, values) => runOn(server.port, database, sql, values)
  return {
    ...server,
    run,
    async createDatabase(name, options = 'CHARACTER SET utf8mb4') {
      await runOn(server.port, undefined, `CREATE DATABASE ${name} ${options}`)
      return `jdbc:mariadb://127.0.0.1:${server.port}/${name}`
    },
    async backends(database) {
      const sql = 'SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()'
      return (await run(database, sql, [database])).map(({ id }) => Number(id))
    },
  }
}

async function runOn(
  port: number,
  database: string | undefined,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Record<string, unknown>[]> {
  const connection = await mysql.createConnection({
    host: '127.0.0.1',
    port,
    ...(database === undefined ? {} : { database }),
    user: mariadbUser,
    password: mariadbPassword,
    multipleStatements: true,
  })
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql, [...values])
    return Array.isArray(rows) ? rows : []
  } finally {
    await connection.end()
  }
}
