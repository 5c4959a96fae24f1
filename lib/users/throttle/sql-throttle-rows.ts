/**
 * The rows in which a login throttle counts in a database. Whoever writes holds the lock of the throttle.
 *
 * @module
 */

import type { SqlDialect, SqlQuery, SqlValue } from '../../sql/sql-database.js'
import type { SharedCounterSettings, ThrottleNews } from './shared-throttle.js'
import type { StartedLock } from './throttle-keys.js'
import { knownMs } from './throttle-rules.js'

export const tableNames = ['pairs', 'knownPairs', 'crowds', 'users', 'sources'] as const
export type TableName = (typeof tableNames)[number]

/**
 * `good`: the last good logins, by pair. `unlocks`: the last unlocks, by user or source. `notes`: the locks that have begun. They end so
 * long after their moment. `totals`: one row.
 */
export type RowName = TableName | 'good' | 'unlocks' | 'notes' | 'totals'

export interface Row {
  readonly name: RowName
  readonly key: string
  /** The user whose unlock ends what is counted here. */
  readonly user: string | null
  /** JSON of what is counted; nothing: nothing. */
  readonly fields: string
  /** JSON of the logins under way, and until when each counts; nothing: none. */
  readonly holds: string
  /** From then on the row says nothing, and its place is free. */
  readonly endsAt: number
}

export const endingNames: readonly RowName[] = [...tableNames, 'good', 'unlocks', 'notes']

/** How many rows there are of each name, when ended ones were last removed, and the number of the last unlock. */
export type Totals = Partial<Record<RowName | 'sweptAt' | 'lastUnlock', number>>

export interface ThrottleScope extends SharedCounterSettings {
  readonly prefix: string
  readonly dialect: SqlDialect
}

export const noRow: Pick<Row, 'user' | 'fields' | 'holds'> = { user: null, fields: '', holds: '' }
const inScope = 'FROM sallyport_throttle WHERE prefix = ? AND throttle = ?'

export interface ReadRows {
  readonly rows: Map<string, Row>
  readonly totals: Totals
}

/** The rows with these keys, and those that many keys share. */
export async function readRows(query: SqlQuery, scope: ThrottleScope, keys: readonly string[]): Promise<ReadRows> {
  const found = await selectRows(query, scope, `record_key IN (?, ${marks(keys)})`, ['', ...keys])
  const rows = new Map(found.map((row) => [placeOf(row), row]))
  const totals = rows.get('totals ')
  return { rows, totals: totals === undefined ? {} : (JSON.parse(totals.fields) as Totals) }
}

/** What other processes have changed. */
export async function newsIn(
  query: SqlQuery,
  scope: ThrottleScope,
  { rows, totals }: ReadRows,
  pair: string,
  since: number,
): Promise<ThrottleNews> {
  const { lastUnlock = 0 } = totals
  const hasNew = lastUnlock > since
  const unlocks = hasNew
    ? await selectRows(query, scope, `name = 'unlocks' AND ends_at > ?`, [since + unlockMs(scope)])
    : []
  return { goodAt: goodAt(rows, pair) ?? -1, lastUnlock, unlocked: unlocks.map(({ key }) => key) }
}

/** The locks that have begun, whether they have ended or not. */
export async function readNotes(query: SqlQuery, scope: ThrottleScope): Promise<readonly StartedLock[]> {
  const rows = await selectRows(query, scope, "name = 'notes' AND ends_at > ?", [Math.floor(scope.clock())])
  return rows.map(({ fields }) => JSON.parse(fields) as StartedLock)
}

export async function selectRows(
  query: SqlQuery,
  { prefix, name }: ThrottleScope,
  condition: string,
  parameters: readonly SqlValue[],
): Promise<readonly Row[]> {
  const columns = 'name, record_key, user_key, fields, holds, ends_at'
  const rows = await query(`SELECT ${columns} ${inScope} AND ${condition}`, [prefix, name, ...parameters])
  return rows.map((row) => ({
    name: String(row['name']) as RowName,
    key: String(row['record_key']),
    user: row['user_key'] === null ? null : String(row['user_key']),
    fields: String(row['fields']),
    holds: String(row['holds']),
    endsAt: Number(row['ends_at']),
  }))
}

/** Removes rows, and counts them no longer. */
export async function removeRows(
  query: SqlQuery,
  { prefix, name }: ThrottleScope,
  totals: Totals,
  condition: string,
  parameters: readonly SqlValue[],
): Promise<void> {
  const values = [prefix, name, ...parameters]
  const counts = await query(`SELECT name, COUNT(*) AS gone ${inScope} AND ${condition} GROUP BY name`, values)
  if (counts.length === 0) return
  await query(`DELETE ${inScope} AND ${condition}`, values)
  for (const row of counts) {
    countRows(totals, String(row['name']) as RowName, -Number(row['gone']))
  }
}

/** Adds or replaces rows, and removes others. */
export async function writeRows(
  query: SqlQuery,
  { prefix, name: throttle, dialect }: ThrottleScope,
  rows: readonly Row[],
  removed: readonly Row[],
): Promise<void> {
  if (removed.length > 0) {
    const places = removed.map(() => '(record_key = ? AND name = ?)').join(' OR ')
    const keys = removed.flatMap(({ key, name }) => [key, name])
    await query(`DELETE ${inScope} AND (${places})`, [prefix, throttle, ...keys])
  }
  if (rows.length === 0) return
  const values = rows.map(() => '(?, ?, ?, ?, ?, ?, ?, ?)').join(', ')
  await query(
    `INSERT INTO sallyport_throttle (prefix, throttle, record_key, name, user_key, fields, holds, ends_at)
      VALUES ${values} ${onConflict(dialect)}`,
    rows.flatMap(({ key, name, user, fields, holds, endsAt }) => [
      ...[prefix, throttle, key, name, user, fields, holds],
      endsAt,
    ]),
  )
}

export function countRows(totals: Totals, name: RowName, change: number): void {
  totals[name] = Math.max(0, (totals[name] ?? 0) + change)
}

function onConflict(dialect: SqlDialect): string {
  const columns = ['user_key', 'fields', 'holds', 'ends_at']
  return dialect === 'mysql'
    ? `ON DUPLICATE KEY UPDATE ${columns.map((column) => `${column} = VALUES(${column})`).join(', ')}`
    : `ON CONFLICT (prefix, throttle, record_key, name) DO UPDATE SET
        ${columns.map((column) => `${column} = EXCLUDED.${column}`).join(', ')}`
}

/** How long an unlock is told of: longer than any lock. */
export function unlockMs({ limits, holdMs }: ThrottleScope): number {
  return Math.max(limits.windowMs, limits.lockoutMs) + limits.windowMs + holdMs
}

export function goodAt(rows: ReadonlyMap<string, Row>, pair: string): number | undefined {
  const row = rows.get(placeOf({ name: 'good', key: pair }))
  return row === undefined ? undefined : row.endsAt - knownMs
}

export function placeOf({ name, key }: Pick<Row, 'name' | 'key'>): string {
  return `${name} ${key}`
}

export function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}
