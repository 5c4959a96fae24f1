/** The databases that processes can share, each with a server of its own and with the shared tables. */

import mysql from 'mysql2/promise'
import pg from 'pg'
import { openSqlDatabase } from '../../lib/sql/open-sql-database.js'
import type { SqlPoolOptions } from '../../lib/sql/pooled-database.js'
import { initSharedTables } from '../../lib/sql/shared-tables.js'
import type { SqlDatabase } from '../../lib/sql/sql-database.js'
import type { DatabaseServer } from './database-server.js'
import { holdProcess, resumeProcess } from './hold-process.js'
import { mariadbPassword, mariadbUser, startMariadb } from './mariadb.js'
import { postgresqlUser, startPostgresql } from './postgresql.js'

const databaseName = 'shared_store'

/** A running server with one database, and what can happen to it. */
export interface SqlEngine {
  readonly server: DatabaseServer
  /** What `[[datasource]]` says. */
  readonly datasource: { readonly url: string; readonly username: string; readonly password: string }
  /** One more pool of connections to the database. */
  open(pool?: SqlPoolOptions): Promise<SqlDatabase>
  /** Runs statements by another connection. */
  run(sql: string): Promise<readonly Record<string, unknown>[]>
  /** Cuts off every connection of a client, from the side of the server. */
  cutOff(): Promise<void>
  /** Holds a lock on a table until the function it gives is called. */
  lockTable(table: string): Promise<() => Promise<void>>
  /** Lets every write to a table fail as on a disk without room, until the function it gives is called. */
  fillDisk(table: string): Promise<() => Promise<unknown>>
  /** Lets the database take no writes, as a standby, until the function it gives is called. */
  forbidWrites(): Promise<() => Promise<unknown>>
  /** Stops all of the server, until the function it gives is called. */
  hold(): Promise<() => void>
}

/** Kinds of databases that processes can share. */
export const sqlEngines: readonly { readonly name: string; readonly start: () => Promise<SqlEngine> }[] = [
  { name: 'PostgreSQL', start: startPostgresqlEngine },
  { name: 'MariaDB', start: startMariadbEngine },
]

async function startPostgresqlEngine(): Promise<SqlEngine> {
  const server = await startPostgresql()
  const url = await server.createDatabase(databaseName)
  const datasource = { url, username: postgresqlUser, password: '' }
  const engine: SqlEngine = {
    server,
    datasource,
    open: (pool) => openSqlDatabase({ ...pool, ...datasource }),
    run: (sql) => server.run(databaseName, sql),
    async cutOff() {
      await server.run(
        'postgres',
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()',
        [databaseName],
      )
    },
    async lockTable(table) {
      const { port } = server
      const client = new pg.Client({ host: '127.0.0.1', port, database: databaseName, user: postgresqlUser })
      await client.connect()
      await client.query(`BEGIN; LOCK TABLE ${table} IN EXCLUSIVE MODE`)
      return () => client.end()
    },
    async fillDisk(table) {
      await server.run(
        databaseName,
        `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION no_room()`,
      )
      return () => server.run(databaseName, 'DROP FUNCTION no_room CASCADE')
    },
    async forbidWrites() {
      await server.run('postgres', `ALTER DATABASE ${databaseName} SET default_transaction_read_only = on`)
      await engine.cutOff()
      return async () => {
        await server.run('postgres', `ALTER DATABASE ${databaseName} RESET default_transaction_read_only`)
        await engine.cutOff()
      }
    },
    hold: async () => holdAll([server.pid(), ...(await server.backends(databaseName))]),
  }
  return withTables(engine)
}

async function startMariadbEngine(): Promise<SqlEngine> {
  const server = await startMariadb()
  const url = await server.createDatabase(databaseName)
  const datasource = { url, username: mariadbUser, password: mariadbPassword }
  const engine: SqlEngine = {
    server,
    datasource,
    open: (pool) => openSqlDatabase({ ...pool, ...datasource }),
    run: (sql) => server.run(databaseName, sql),
    async cutOff() {
      for (const id of await server.backends(databaseName)) {
        // One that has ended meanwhile is no failure.
        await server.run(databaseName, `KILL CONNECTION ${id}`).catch(() => undefined)
      }
    },
    async lockTable(table) {
      const connection = await mysql.createConnection({
        host: '127.0.0.1',
        port: server.port,
        database: databaseName,
        user: mariadbUser,
        password: mariadbPassword,
      })
      await connection.query(`LOCK TABLES ${table} WRITE`)
      return () => connection.end()
    },
    async fillDisk(table) {
      const verbs = ['INSERT', 'UPDATE']
      for (const verb of verbs) {
        await server.run(
          databaseName,
          `CREATE TRIGGER no_room_${verb} BEFORE ${verb} ON ${table} FOR EACH ROW
            SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1021, MESSAGE_TEXT = 'Disk full; waiting for someone to free space'`,
        )
      }
      return () => server.run(databaseName, verbs.map((verb) => `DROP TRIGGER no_room_${verb}`).join('; '))
    },
    async forbidWrites() {
      await engine.run('SET GLOBAL read_only = 1')
      return () => engine.run('SET GLOBAL read_only = 0')
    },
    hold: async () => holdAll([server.pid()]),
  }
  return withTables(engine)
}

async function withTables(engine: SqlEngine): Promise<SqlEngine> {
  const database = await engine.open()
  await initSharedTables(database)
  await database.close()
  return engine
}

function holdAll(pids: readonly number[]): () => void {
  for (const pid of pids) holdProcess(pid)
  return () => {
    for (const pid of pids) resumeProcess(pid)
  }
}
