/**
 * What a login does while no other one adds to the same pool: revocations are heeded, and the bounds of the pool.
 *
 * @module
 */

import type { LockedRow } from '../../sql/lock-rows.js'
import type { Found } from '../../sql/look-up.js'
import type { SqlQuery } from '../../sql/sql-database.js'
import type { SqlLink } from '../../sql/sql-link.js'
import { type Pool, type PoolBounds, poolFor } from '../external/pools.js'
import type { LoginStart } from '../token-store.js'
import type { SqlRevocations } from './sql-revocations.js'
import type { TokenRow, TokenStatements } from './token-statements.js'

/** What adding comes to. */
export interface Addition {
  readonly answer: boolean | 'revoked'
  readonly found: Found
  /** Records of live tokens that had to go. */
  readonly evicted: readonly string[]
}

export interface TokenAdderParts {
  readonly link: SqlLink
  readonly statements: TokenStatements
  readonly revocations: SqlRevocations
  readonly boundsOf: (pool: Pool) => PoolBounds
  readonly clock: () => number
}

export class TokenAdder {
  readonly #parts: TokenAdderParts

  constructor(parts: TokenAdderParts) {
    this.#parts = parts
  }

  /** Rejects with `StoreError`; the token may have been added then. */
  add(row: TokenRow, login: LoginStart | undefined): Promise<Addition> {
    return this.#parts.link.locked(`pool:${poolFor(row.kind)}`, (query, lock) => this.#add(query, lock, row, login))
  }

  async #add(query: SqlQuery, lock: LockedRow, row: TokenRow, login: LoginStart | undefined): Promise<Addition> {
    const { link, statements, revocations } = this.#parts
    const found = await link.lookUpIn(query, {
      columns: 'r.number AS revoked, r.revoked_at, t.id AS known',
      joins: `LEFT JOIN sallyport_revocation r ON r.prefix = l.prefix AND r.user_key = ?
        LEFT JOIN sallyport_token t ON t.prefix = l.prefix AND t.id = ?`,
      parameters: [row.userKey, row.id],
    })
    const refused = (answer: false | 'revoked'): Addition => ({ answer, found, evicted: [] })
    const first = found.rows[0]!
    if (login !== undefined && revocations.isOvertaken(first, login.startedAt)) return refused('revoked')
    const isThere = first['known'] !== null && (await statements.hold(query, row.id))
    if (login?.mustExist && !isThere) return refused('revoked')
    const evicted = await this.#makeRoom(query, lock, row)
    if (evicted === undefined) return refused(false)
    lock.number++
    await (isThere ? statements.replace(query, row) : statements.insert(query, row))
    return { answer: true, found, evicted }
  }

  /**
   * Evicts what stands in the way; `undefined` where nothing may be evicted. The number of the lock is at least that of the live tokens,
   * so that they are counted only where it has reached the bound.
   */
  async #makeRoom(query: SqlQuery, lock: LockedRow, { id, kind, userKey }: TokenRow): Promise<string[] | undefined> {
    const { statements, clock } = this.#parts
    const pool = poolFor(kind)
    const { size, perUser, evicts } = this.#parts.boundsOf(pool)
    const now = clock()
    const isFull = lock.number >= size
    const evicted: string[] = []
    const evict = async (owner: string | undefined, count: number): Promise<void> => {
      evicted.push(...(await statements.evict(query, pool, now, { id, userKey: owner, count })))
    }
    let own = perUser < size || isFull ? await statements.count(query, pool, now, id, userKey) : 0
    if (own >= perUser) {
      if (!evicts) return undefined
      await evict(userKey, own - perUser + 1)
      own = perUser - 1
    }
    if (!isFull) return evicted
    await statements.removeEnded(query, [pool], now)
    const count = await statements.count(query, pool, now, id)
    if (count >= size) {
      if (!evicts) return undefined
      await evict(own > size / 2 ? userKey : undefined, count - size + 1)
    }
    lock.number = Math.min(count, size - 1)
    return evicted
  }
}
