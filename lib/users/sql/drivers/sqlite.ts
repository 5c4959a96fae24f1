/**
 * SQLite, by Node's own `node:sqlite` (from 22.13) or the package `@photostructure/sqlite`, which has the same interface,
 * is compiled already, and runs on Node 20.
 *
 * @module
 */

import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { SqlConnection, SqlDriver } from '../database/sql-connection.js'
import { SqlError, type SqlErrorKind, type SqlRow, type SqlValue } from '../database/sql-database.js'
import { loadDriver } from './load-driver.js'

/** The part of `node:sqlite` that is used. */
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

const closedMessage = 'the database has been closed'

/**
 * Makes the driver. There is one connection: SQLite allows one writer at a time, and a statement takes microseconds.
 *
 * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`) where Node has no SQLite and the package is not installed.
 */
export async function sqliteDriver(file: string): Promise<SqlDriver> {
  const { DatabaseSync } = await loadDriver('SQLite', '@photostructure/sqlite', loadSqlite)
  return {
    dialect: 'sqlite',
    // Takes the lock for writing at once: two transactions that both read first could not both go on.
    beginStatement: 'BEGIN IMMEDIATE',
    maxConnections: 1,
    create: () => new SqliteConnection(DatabaseSync, file),
  }
}

async function loadSqlite(): Promise<SqliteModule> {
  const builtIn: unknown = process.getBuiltinModule?.('node:sqlite' as 'node:fs')
  return builtIn === undefined ? await import('@photostructure/sqlite') : (builtIn as SqliteModule)
}

class SqliteConnection implements SqlConnection {
  readonly #DatabaseSync: SqliteModule['DatabaseSync']
  readonly #file: string
  #database: SqliteDatabase | undefined
  #isClosed = false
  readonly isLost: boolean = false
  onLost: (() => void) | undefined

  constructor(DatabaseSync: SqliteModule['DatabaseSync'], file: string) {
    this.#DatabaseSync = DatabaseSync
    this.#file = file
  }

  async open(): Promise<void> {
    try {
      // Made here when it is missing, so that no other user of the machine can read the hashes in it.
      if (this.#file !== ':memory:') await (await open(this.#file, 'a', 0o600)).close()
      this.#database = new this.#DatabaseSync(this.#file)
      this.#database.exec('PRAGMA foreign_keys = ON')
      this.#database.exec('PRAGMA busy_timeout = 0')
    } catch (error) {
      throw new SqlError('connection', 'The SQLite file cannot be opened.', error)
    }
  }

  async query(sql: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const values = parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value))
    for (;;) {
      try {
        if (this.#isClosed) throw new Error(closedMessage)
        return this.#database!.prepare(sql).all(...values)
      } catch (error) {
        if (!isBusy(error)) throw new SqlError(kindOf(error), 'SQLite failed.', error)
      }
      // SQLite's own waiting would stop the whole process. Whoever called gives up in time and destroys this connection.
      await delay(busyPauseMs)
    }
  }

  async end(): Promise<void> {
    this.destroy()
  }

  destroy(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#database?.close()
  }
}

/** By the message, which is SQLite's own: not every version of the package passes the result code on. */
function isBusy(error: unknown): boolean {
  return /^database (?:table )?is locked/.test(messageOf(error))
}

function kindOf(error: unknown): SqlErrorKind {
  const message = messageOf(error)
  if (/^UNIQUE constraint failed/.test(message)) return 'duplicate'
  if (/^no such table/.test(message)) return 'missing-table'
  return message === closedMessage ? 'connection' : 'other'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
