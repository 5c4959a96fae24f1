/**
 * What one step of a login throttle reads from its rows and writes back.
 *
 * @module
 */

import type { SqlQuery } from '../../sql/sql-database.js'
import { Bucket, type HeldRecord, PairLock, RecordTable } from './counters.js'
import { maxListedLocks, noteKey } from './lock-notes.js'
import type { ThrottleNews } from './shared-throttle.js'
import {
  countRows,
  endingNames,
  goodAt,
  marks,
  newsIn,
  noRow,
  placeOf,
  type Row,
  type RowName,
  readRows,
  removeRows,
  selectRows,
  type TableName,
  type ThrottleScope,
  type Totals,
  tableNames,
  unlockMs,
  writeRows,
} from './sql-throttle-rows.js'
import type { StartedLock } from './throttle-keys.js'
import { type HeldLogin, knownMs, type ThrottleTables } from './throttle-rules.js'

type CountedRecord = HeldRecord & { readonly state: object }

/** The rows of one throttle that one step touches. */
export class ThrottleRecords {
  readonly tables: ThrottleTables
  readonly #query: SqlQuery
  readonly #scope: ThrottleScope
  readonly #now: number
  readonly #rows: Map<string, Row>
  readonly #totals: Totals
  readonly #changed = new Map<string, Row>()
  readonly #removed: Row[] = []
  readonly #holds = new Map<HeldRecord, Map<string, number>>()

  private constructor(query: SqlQuery, scope: ThrottleScope, now: number, rows: Map<string, Row>, totals: Totals) {
    this.#query = query
    this.#scope = scope
    this.#now = now
    this.#rows = rows
    this.#totals = totals
    this.tables = {
      pairs: this.#tableOf('pairs', (row) => this.#createLock(row)),
      knownPairs: this.#tableOf('knownPairs', (row) => this.#createLock(row)),
      crowds: this.#tableOf('crowds', (row) => this.#createLock(row)),
      users: this.#tableOf('users', (row) => this.#createBucket(row)),
      sources: this.#tableOf('sources', (row) => this.#createBucket(row)),
      goodLogins: {
        get: (pair) => goodAt(this.#rows, pair),
        set: (pair, at) => this.#put({ ...noRow, name: 'good', key: pair, endsAt: at + knownMs }),
      },
    }
  }

  /** Reads the rows with these keys. Where a table is full, and now and then, rows that have ended are removed first. */
  static async open(query: SqlQuery, scope: ThrottleScope, keys: readonly string[]): Promise<ThrottleRecords> {
    const { rows, totals } = await readRows(query, scope, keys)
    const now = scope.clock()
    const { maxEntries, windowMs } = scope.limits
    const isFull = tableNames.some((name) => (totals[name] ?? 0) >= maxEntries)
    if (isFull || now - (totals.sweptAt ?? 0) >= windowMs) {
      await removeRows(query, scope, totals, `name IN (${marks(endingNames)}) AND ends_at <= ?`, [...endingNames, now])
      for (const [place, { endsAt }] of rows) if (endsAt <= now) rows.delete(place)
      totals.sweptAt = now
    }
    return new ThrottleRecords(query, scope, now, rows, totals)
  }

  /** When the rows were read. */
  get now(): number {
    return this.#now
  }

  news(pair: string, since: number): Promise<ThrottleNews> {
    return newsIn(this.#query, this.#scope, { rows: this.#rows, totals: this.#totals }, pair, since)
  }

  /** Notes that a login is held, and until when. */
  hold(held: HeldLogin, id: string): void {
    for (const [table, key] of placesOf(held)) {
      this.#holdsOf(this.tables[table].get(key)!).set(id, this.#now + this.#scope.holdMs)
    }
  }

  /** Takes back where a login is held, to be settled by the rules. One that took too long is held once more for that. */
  release(held: HeldLogin, id: string): void {
    for (const [table, key, user] of placesOf(held)) {
      const records = this.tables[table] as RecordTable<CountedRecord>
      const record = records.get(key)
      if (record !== undefined && this.#holdsOf(record).delete(id)) continue
      const row: Row = { ...noRow, name: table, key, user: user ?? null, endsAt: 0 }
      const late = records.hold(key, () =>
        table === 'users' || table === 'sources' ? this.#createBucket(row) : this.#createLock(row),
      )
      if (late instanceof PairLock) late.pending++
    }
  }

  /** Notes locks that have begun. */
  async note(locks: readonly StartedLock[]): Promise<void> {
    for (const lock of locks) {
      const endsAt = Math.ceil(this.#now) + knownMs
      this.#put({ ...noRow, name: 'notes', key: noteKey(lock), fields: JSON.stringify(lock), endsAt })
    }
    await this.#write()
  }

  /** `keys`: those of users and of sources. */
  async unlock(keys: readonly string[]): Promise<void> {
    const { prefix, name } = this.#scope
    const number = Math.ceil(Math.max(this.#now, (this.#totals.lastUnlock ?? 0) + 1))
    const own = `(user_key IN (${marks(keys)}) OR (name IN ('sources', 'crowds') AND record_key IN (${marks(keys)})))`
    await removeRows(this.#query, this.#scope, this.#totals, `${own} AND holds = ''`, [...keys, ...keys])
    // Logins under way stay counted.
    const update = `UPDATE sallyport_throttle SET fields = '' WHERE prefix = ? AND throttle = ? AND ${own}`
    await this.#query(update, [prefix, name, ...keys, ...keys])
    for (const key of keys) this.#put({ ...noRow, name: 'unlocks', key, endsAt: number + unlockMs(this.#scope) })
    this.#totals.lastUnlock = number
    await this.#write()
  }

  /** Writes what the rules have changed. */
  async save(): Promise<void> {
    for (const name of tableNames) {
      const table = this.tables[name] as RecordTable<CountedRecord>
      for (const row of this.#rows.values()) if (row.name === name && table.get(row.key) === undefined) this.#drop(row)
      for (const [key, record] of table.entries()) this.#put(this.#rowFrom(name, key, record))
    }
    await this.#write()
  }

  #tableOf<T extends CountedRecord>(name: TableName, create: (row: Row) => T): RecordTable<T> {
    const records = new Map<string, T>()
    for (const row of this.#rows.values()) {
      if (row.name !== name) continue
      const record = create(row)
      const holds = Object.entries<number>(row.holds === '' ? {} : JSON.parse(row.holds))
      this.#holds.set(record, new Map(holds.filter(([, until]) => until > this.#now)))
      record.holds = this.#holdsOf(record).size
      if (record instanceof PairLock) record.pending = record.holds
      records.set(row.key, record)
    }
    const others = (this.#totals[name] ?? 0) - records.size
    return new RecordTable(this.#scope.limits.maxEntries - others, records)
  }

  #createLock({ user, fields }: Row): PairLock {
    return new PairLock(user ?? undefined, this.#scope.limits, fields === '' ? undefined : JSON.parse(fields))
  }

  #createBucket({ name, fields }: Row): Bucket {
    const { windowMs, maxUserFailures, maxSourceFailures } = this.#scope.limits
    const leakMs = windowMs / (name === 'users' ? maxUserFailures : maxSourceFailures)
    return new Bucket(leakMs, fields === '' ? undefined : JSON.parse(fields))
  }

  #holdsOf(record: HeldRecord): Map<string, number> {
    const holds = this.#holds.get(record) ?? new Map<string, number>()
    this.#holds.set(record, holds)
    return holds
  }

  #rowFrom(name: TableName, key: string, record: CountedRecord): Row {
    const holds = this.#holdsOf(record)
    return {
      name,
      key,
      user: (record instanceof PairLock ? record.user : name === 'users' && key) || null,
      fields: JSON.stringify(record.state),
      holds: holds.size === 0 ? '' : JSON.stringify(Object.fromEntries(holds)),
      endsAt: Math.ceil(Math.max(record.endsAt, ...holds.values())),
    }
  }

  #put(row: Row): void {
    const { name } = row
    const before = this.#rows.get(placeOf(row))
    if (before?.fields === row.fields && before.holds === row.holds && before.endsAt === row.endsAt) return
    if (before === undefined) countRows(this.#totals, name, 1)
    this.#rows.set(placeOf(row), row)
    this.#changed.set(placeOf(row), row)
  }

  #drop(row: Row): void {
    countRows(this.#totals, row.name, -1)
    this.#rows.delete(placeOf(row))
    this.#removed.push(row)
  }

  /** Of those that were not written just now. */
  async #dropOldest(name: RowName, count: number): Promise<void> {
    const condition = `name = ? ORDER BY ends_at LIMIT ${count + this.#changed.size}`
    const rows = await selectRows(this.#query, this.#scope, condition, [name])
    const others = rows.filter((row) => !this.#changed.has(placeOf(row)))
    for (const row of others.slice(0, count)) this.#drop(row)
  }

  async #write(): Promise<void> {
    const { limits } = this.#scope
    for (const name of ['good', 'unlocks', 'notes'] as const) {
      const most = name === 'notes' ? Math.min(limits.maxEntries, maxListedLocks) : limits.maxEntries
      const surplus = (this.#totals[name] ?? 0) - most
      if (surplus > 0) await this.#dropOldest(name, surplus)
    }
    this.#put({
      ...noRow,
      name: 'totals',
      key: '',
      fields: JSON.stringify(this.#totals),
      endsAt: Number.MAX_SAFE_INTEGER,
    })
    await writeRows(this.#query, this.#scope, [...this.#changed.values()], this.#removed)
  }
}

function placesOf({
  place,
  userKey,
  sourceKey,
}: HeldLogin): readonly (readonly [TableName, string, user?: string | undefined])[] {
  return [
    [place.table, place.key, place.user],
    ...(userKey === undefined ? [] : [['users', userKey] as const]),
    ['sources', sourceKey],
  ]
}
