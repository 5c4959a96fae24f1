/**
 * Reading with the clock of the database, and the number of the last change of rights, in the same step.
 *
 * @module
 */

import { type Moment, presentMoment } from '../core/moment.js'
import { changesLock } from './change-table.js'
import { type SqlDialect, SqlError, type SqlQuery, type SqlRow, type SqlValue } from './sql-database.js'

/** What a look-up asks for. */
export interface LookUp {
  /** Columns after those of the link. */
  readonly columns?: string
  /** Joins to the row `l` of the log's lock. */
  readonly joins?: string
  /** Of the joins. */
  readonly parameters?: readonly SqlValue[]
}

/** What a look-up finds. */
export interface Found {
  /** At least one row. */
  readonly rows: readonly SqlRow[]
  /** What was found counts as of this moment. */
  readonly sentAt: Moment
}

/** Milliseconds since the epoch, whatever time zone the session has. */
export const nowIn: Readonly<Record<SqlDialect, string>> = {
  postgresql: 'FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)',
  mysql: "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6)) DIV 1000",
  sqlite: "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}

/** What servers answer where writes are taken. */
const isOff: ReadonlySet<string> = new Set(['0', 'false', 'OFF'])

const isReadOnly: Readonly<Record<SqlDialect, string>> = {
  postgresql: 'pg_is_in_recovery()',
  mysql: '@@global.read_only',
  sqlite: '0',
}

/**
 * Rejects with `StoreError`, also where the database takes no writes: then it may not know what another one does.
 */
export async function lookUp(
  query: SqlQuery,
  { dialect, prefix }: { readonly dialect: SqlDialect; readonly prefix: string },
  { columns, joins = '', parameters = [] }: LookUp = {},
): Promise<Found> {
  const sentAt = presentMoment()
  const rows = await query(
    `SELECT l.number AS link_number, ${nowIn[dialect]} AS link_now, ${isReadOnly[dialect]} AS link_read_only
      ${columns === undefined ? '' : `, ${columns}`} FROM sallyport_lock l ${joins}
      WHERE l.prefix = ? AND l.name = '${changesLock}'`,
    [...parameters, prefix],
  )
  const [row] = rows
  if (row === undefined) throw new SqlError('missing-table', 'The rows of the shared store are not there.')
  if (!isOff.has(String(row['link_read_only']))) throw new SqlError('connection', 'The database takes no writes.')
  return { rows, sentAt }
}
