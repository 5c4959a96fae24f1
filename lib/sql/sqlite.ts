/**
 * SQLite, by Node's own `node:sqlite` (from 22.13) or the package `@photostructure/sqlite`, which has the same interface,
 * is compiled already, and runs on Node 20.
 *
 * @module
 */

import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { loadDriver, type SqlDriver, SqlError, type SqlErrorKind, type SqlRow } from './sql-database.js'

interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqliteDatabase
}

interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): { all(...parameters: readonly (string | number | null)[]): readonly SqlRow[] }
  close(): void
}

/** Between two attempts while another process writes. */
const busyPauseMs = 10

/**
 * There is one connection: SQLite allows one writer at a time, and a statement takes microseconds.
 *
 * @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) where Node has no SQLite and the package is not installed.
 */
export async function createSqliteDriver(file: string): Promise<SqlDriver<SqliteDatabase>> {
  const { DatabaseSync } = await loadDriver('SQLite', '@photostructure/sqlite', loadSqlite)
  let current: SqliteDatabase | undefined

  return {
    dialect: 'sqlite',
    // Takes the lock for writing at once: two transactions that both read first could not both go on.
    beginStatement: 'BEGIN IMMEDIATE',

    async connect() {
      if (current !== undefined) return current
      try {
        // Made here when it is missing, so that no other user of the machine can read the hashes in it.
        if (file !== ':memory:') await (await open(file, 'a', 0o600)).close()
        current = new DatabaseSync(file)
        return current
      } catch (error) {
        throw new SqlError('connection', 'The SQLite file cannot be opened.', error)
      }
    },

    async setUp(database) {
      try {
        database.exec('PRAGMA foreign_keys = ON')
        database.exec('PRAGMA busy_timeout = 0')
      } catch (error) {
        throw new SqlError('connection', 'The SQLite file cannot be opened.', error)
      }
    },

    async query(database, sql, parameters) {
      const values = parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value))
      while (database === current) {
        try {
          return database.prepare(sql).all(...values)
        } catch (error) {
          if (!isBusy(error)) throw new SqlError(classify(error), 'SQLite failed.', error)
        }
        // SQLite's own waiting would stop the whole process. Whoever called gives up in time and destroys this connection.
        await delay(busyPauseMs)
      }
      throw new SqlError('connection', 'The SQLite file has been closed.')
    },

    release() {},

    destroy(database) {
      current = undefined
      database.close()
    },

    async close() {
      current?.close()
      current = undefined
    },
  }
}

async function loadSqlite(): Promise<SqliteModule> {
  const builtIn: unknown = process.getBuiltinModule?.('node:sqlite' as 'node:fs')
  return builtIn === undefined ? await import('@photostructure/sqlite') : (builtIn as SqliteModule)
}

/** By the message, which is SQLite's own: not every version of the package passes the result code on. */
function isBusy(error: unknown): boolean {
  return /^database (?:table )?is locked/.test(messageFrom(error))
}

function classify(error: unknown): SqlErrorKind {
  const message = messageFrom(error)
  if (/^UNIQUE constraint failed/.test(message)) return 'duplicate'
  return /^no such table/.test(message) ? 'missing-table' : 'other'
}

function messageFrom(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
