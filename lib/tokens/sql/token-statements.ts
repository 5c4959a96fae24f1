/**
 * What a database does with tokens. A row is looked for without a lock, and then changed by its key: so no two transactions that meet at
 * the same rows wait for each other.
 *
 * @module
 */

import type { OpenedSqlLink } from '../../sql/link-listener.js'
import type { SqlQuery, SqlRow, SqlValue } from '../../sql/sql-database.js'
import { type Pool, poolFor } from '../external/pools.js'
import type { RecordKind } from '../token-store.js'

/** Rows that are removed at a time. */
export const sliceSize = 500

const parameterList = (values: readonly unknown[]): string => values.map(() => '?').join(', ')

const idsOf = (rows: readonly SqlRow[]): readonly string[] => rows.map((row) => String(row['id']))

/** One token as it is stored. */
export interface TokenRow {
  readonly id: string
  readonly kind: RecordKind
  readonly userKey: string
  readonly parent: string | undefined
  readonly json: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly idleMs: number | undefined
  readonly endsAt: number
  readonly lastUse: number
}

/** The statements on the tokens of one set of processes. */
export class TokenStatements {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  async insert(query: SqlQuery, row: TokenRow): Promise<void> {
    await query(
      `INSERT INTO sallyport_token (pool, kind, user_key, parent, record, issued_at, expires_at, idle_ms, ends_at, last_use, prefix, id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#values(row),
    )
  }

  /** In place, so that a removal that waits for the row removes it. */
  async replace(query: SqlQuery, row: TokenRow): Promise<void> {
    await query(
      `UPDATE sallyport_token SET pool = ?, kind = ?, user_key = ?, parent = ?, record = ?, issued_at = ?, expires_at = ?,
        idle_ms = ?, ends_at = ?, last_use = ? WHERE prefix = ? AND id = ?`,
      this.#values(row),
    )
  }

  #values(row: TokenRow): SqlValue[] {
    const { id, kind, userKey, parent = null, json, issuedAt, expiresAt, idleMs = null, endsAt, lastUse } = row
    const key = [this.#prefix, id]
    return [poolFor(kind), kind, userKey, parent, json, issuedAt, expiresAt, idleMs, endsAt, lastUse, ...key]
  }

  /** Whether a token is there, which nobody else removes until the end of the transaction. */
  async hold(query: SqlQuery, id: string): Promise<boolean> {
    const rows = await query('SELECT id FROM sallyport_token WHERE prefix = ? AND id = ? FOR UPDATE', [
      this.#prefix,
      id,
    ])
    return rows.length > 0
  }

  async remove(query: SqlQuery, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const sql = `DELETE FROM sallyport_token WHERE prefix = ? AND id IN (${parameterList(ids)})`
    await query(sql, [this.#prefix, ...ids])
  }

  /** How many live tokens there are in a pool besides one id, of one user or of all. */
  async count(query: SqlQuery, pool: Pool, now: number, id: string, userKey?: string): Promise<number> {
    const [row] = await query(
      `SELECT COUNT(*) AS count FROM sallyport_token
        WHERE prefix = ? AND pool = ? AND ends_at > ? AND id <> ? ${userKey === undefined ? '' : 'AND user_key = ?'}`,
      [this.#prefix, pool, now, id, ...(userKey === undefined ? [] : [userKey])],
    )
    return Number(row!['count'])
  }

  /** How many live tokens each pool has; one that is not named has none. */
  async countAll(query: SqlQuery, now: number): Promise<ReadonlyMap<string, number>> {
    const rows = await query(
      'SELECT pool, COUNT(*) AS count FROM sallyport_token WHERE prefix = ? AND ends_at > ? GROUP BY pool',
      [this.#prefix, now],
    )
    return new Map(rows.map(({ pool, count }) => [String(pool), Number(count)]))
  }

  /** Removes live tokens that were idle longest, besides one id, of one user or of all. Answers with their records. */
  async evict(
    query: SqlQuery,
    pool: Pool,
    now: number,
    { id, userKey, count }: { readonly id: string; readonly userKey: string | undefined; readonly count: number },
  ): Promise<readonly string[]> {
    const rows = await query(
      `SELECT id, record FROM sallyport_token
        WHERE prefix = ? AND pool = ? AND ends_at > ? AND id <> ? ${userKey === undefined ? '' : 'AND user_key = ?'}
        ORDER BY last_use LIMIT ${count}`,
      [this.#prefix, pool, now, id, ...(userKey === undefined ? [] : [userKey])],
    )
    await this.remove(query, idsOf(rows))
    return rows.map(({ record }) => String(record))
  }

  /** Removes a slice of what has ended. Whether there may be more. */
  async removeEnded(query: SqlQuery, pools: readonly Pool[], now: number): Promise<boolean> {
    const rows = await query(
      `SELECT id FROM sallyport_token WHERE prefix = ? AND pool IN (${parameterList(pools)}) AND ends_at <= ?
        ORDER BY id LIMIT ${sliceSize}`,
      [this.#prefix, ...pools, now],
    )
    const ids = idsOf(rows)
    if (ids.length > 0) {
      const sql = `DELETE FROM sallyport_token WHERE prefix = ? AND id IN (${parameterList(ids)}) AND ends_at <= ?`
      await query(sql, [this.#prefix, ...ids, now])
    }
    return ids.length === sliceSize
  }

  /** Notes a use of a token that has not ended by then. `slack`: milliseconds by which its end is later than its idle time-out says. */
  async touch(query: SqlQuery, id: string, use: number, at: number, slack: number): Promise<void> {
    await query(
      `UPDATE sallyport_token SET last_use = ?,
        ends_at = CASE WHEN idle_ms IS NULL THEN expires_at ELSE LEAST(expires_at, idle_ms + ?) END
        WHERE prefix = ? AND id = ? AND last_use < ? AND ends_at > ?`,
      [use, at + slack, this.#prefix, id, use, at],
    )
  }

  /**
   * Removes all tokens of a user in a pool that were issued until a moment. It waits for logins that are adding one, a slice at a time. How
   * many there were.
   */
  async removeByUser(link: OpenedSqlLink, pool: Pool, userKey: string, issuedUntil: number): Promise<number> {
    let removed = 0
    for (let count = sliceSize; count === sliceSize; removed += count) {
      count = await link.locked(`pool:${pool}`, async (query) => {
        const rows = await query(
          `SELECT id FROM sallyport_token WHERE prefix = ? AND user_key = ? AND pool = ? AND issued_at <= ?
            LIMIT ${sliceSize}`,
          [this.#prefix, userKey, pool, issuedUntil],
        )
        const ids = idsOf(rows)
        await this.remove(query, ids)
        return ids.length
      })
    }
    return removed
  }

  /** Refuses logins that began before an entry of the log. `now`: SQL for the moment. */
  async mark(query: SqlQuery, userKey: string, number: number, now: string, endsAt: number): Promise<void> {
    await query('DELETE FROM sallyport_revocation WHERE prefix = ? AND user_key = ?', [this.#prefix, userKey])
    await query(
      `INSERT INTO sallyport_revocation (prefix, user_key, number, ends_at, revoked_at) VALUES (?, ?, ?, ?, ${now})`,
      [this.#prefix, userKey, number, endsAt],
    )
  }

  async removeMarks(query: SqlQuery, now: number): Promise<void> {
    await query('DELETE FROM sallyport_revocation WHERE prefix = ? AND ends_at <= ?', [this.#prefix, now])
  }

  /** Live tokens whose parent is live too, the most recently used first. */
  list(
    query: SqlQuery,
    pools: readonly Pool[],
    now: number,
    { kind, userKey, limit }: { kind: RecordKind | undefined; userKey: string | undefined; limit: number },
  ): Promise<readonly SqlRow[]> {
    const conditions = `${kind === undefined ? '' : 'AND t.kind = ?'} ${userKey === undefined ? '' : 'AND t.user_key = ?'}`
    const parts = pools.map(
      () => `(SELECT t.record, t.last_use FROM sallyport_token t
        WHERE t.prefix = ? AND t.pool = ? AND t.ends_at > ? ${conditions} AND (t.parent IS NULL OR EXISTS (
          SELECT 1 FROM sallyport_token p WHERE p.prefix = t.prefix AND p.id = t.parent AND p.ends_at > ?))
        ORDER BY t.last_use DESC LIMIT ${limit})`,
    )
    const more = [kind, userKey].filter((value) => value !== undefined)
    return query(
      `SELECT record, last_use FROM (${parts.join(' UNION ALL ')}) u ORDER BY last_use DESC LIMIT ${limit}`,
      pools.flatMap((pool) => [this.#prefix, pool, now, ...more, now]),
    )
  }
}
