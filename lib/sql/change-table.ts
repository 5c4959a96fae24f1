/**
 * The table of the log in which processes tell each other that the rights of users have changed.
 *
 * @module
 */

import { presentMoment } from '../core/moment.js'
import type { LockedRow, LockRows } from './lock-rows.js'
import type { Found } from './look-up.js'
import type { SqlQuery } from './sql-database.js'

/** The lock that is held to add an entry; its number is that of the last one. */
export const changesLock = 'changes'

/** Entries that are read at a time. Where there are more, everything may have changed. */
export const maxChanges = 1000

/** Entries are kept for so long, in milliseconds. */
const keptMs = 10 * 60 * 1000

/** Begins the log, unless another process has. */
export async function beginChanges(query: SqlQuery, prefix: string, locks: LockRows): Promise<void> {
  const number = Date.now()
  await locks.insert(query, changesLock, number)
  await query(
    `INSERT INTO sallyport_change (prefix, number, subject) SELECT prefix, number, '' FROM sallyport_lock
      WHERE prefix = ? AND name = '${changesLock}' AND number = ?`,
    [prefix, number],
  )
}

/** A subject is kept as JSON: databases refuse some characters, and half of one. */
export function subjectFrom(text: string): string | undefined {
  return text === '' ? undefined : (JSON.parse(text) as string)
}

/** Adds an entry, and removes what is old; never the one before, by which others know that they have missed none. */
export async function addChange(
  query: SqlQuery,
  prefix: string,
  row: LockedRow,
  { subject, now }: { readonly subject: string; readonly now: number },
): Promise<void> {
  await query('DELETE FROM sallyport_change WHERE prefix = ? AND number < ?', [prefix, row.number - keptMs])
  // By the clock, so that the numbers of data that was lost or exchanged do not come twice.
  row.number = Math.max(row.number + 1, now)
  const insert = 'INSERT INTO sallyport_change (prefix, number, subject) VALUES (?, ?, ?)'
  await query(insert, [prefix, row.number, subject === '' ? '' : JSON.stringify(subject)])
}

/** The entries from a number on, that one too, and the number of the last one. */
export async function readChanges(query: SqlQuery, prefix: string, since: number): Promise<Found> {
  const sentAt = presentMoment()
  const rows = await query(
    `SELECT l.number AS link_number, c.number, c.subject FROM sallyport_lock l
      LEFT JOIN sallyport_change c ON c.prefix = l.prefix AND c.number >= ?
      WHERE l.prefix = ? AND l.name = '${changesLock}' ORDER BY c.number LIMIT ${maxChanges + 2}`,
    [since, prefix],
  )
  return { rows, sentAt }
}
