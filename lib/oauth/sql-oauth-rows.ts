/**
 * The rows of the authorization server in a database, for one transaction.
 *
 * A grant, session or sign-in is a root; codes and tokens are parts of a grant. Whoever changes parts holds the row of their grant first.
 * Whoever adds a root holds the lock of its model before that. So no two of them wait for each other.
 *
 * @module
 */

import type { SqlDialect, SqlQuery, SqlRow, SqlValue } from '../sql/sql-database.js'
import { type EntryModel, maxPerGrant, type OauthEntry } from './oauth-store.js'
import { jsonFrom } from './stored-entry.js'

export interface OauthScope {
  readonly prefix: string
  readonly dialect: SqlDialect
  readonly clock: () => number
}

/** What is looked up by. All but the moment are digests. */
export interface EntryColumns {
  readonly ref: string
  readonly grant: string | null
  readonly user: string
  /** The name of a session. */
  readonly uid: string | null
  readonly consumedAt: number | null
}

/** A part, as its row has it. */
export interface PartRow {
  readonly grant: string
  readonly consumedAt: number | null
  /** Whether neither it nor its grant has expired. */
  readonly isLive: boolean
}

/** What has expired is removed by those that are added, so many at a time. */
const maxSwept = 20

const whereOne = 'WHERE prefix = ? AND model = ? AND id = ?'
const fromOne = `FROM sallyport_oauth ${whereOne}`
const fromParts = 'FROM sallyport_oauth WHERE prefix = ? AND grant_id = ?'
const fromModel = 'FROM sallyport_oauth WHERE prefix = ? AND model = ?'

/** Microseconds by the clock of the database: the order of uses. */
function present(dialect: SqlDialect): string {
  return dialect === 'mysql'
    ? "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6))"
    : 'FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)'
}

export class OauthRows {
  readonly #query: SqlQuery
  readonly #scope: OauthScope

  constructor(query: SqlQuery, scope: OauthScope) {
    this.#query = query
    this.#scope = scope
  }

  /** One row, whether it has expired or not. */
  async get(model: EntryModel, ref: string): Promise<SqlRow | undefined> {
    const select = `SELECT grant_id, expires_at, consumed_at ${fromOne}`
    return (await this.#query(select, [this.#scope.prefix, model, ref]))[0]
  }

  /** A part, with its grant held: nobody else changes it then. */
  async holdPart(model: EntryModel, id: string): Promise<PartRow | undefined> {
    const found = await this.get(model, id)
    if (found === undefined) return undefined
    const grant = String(found['grant_id'])
    const isGrantLive = await this.holdGrant(grant)
    // What was read before may have changed.
    const row = await this.get(model, id)
    if (row === undefined) return undefined
    await this.use('Grant', grant)
    const isLive = isGrantLive && Number(row['expires_at']) > this.#scope.clock()
    return { grant, consumedAt: row['consumed_at'] === null ? null : Number(row['consumed_at']), isLive }
  }

  async consume(model: EntryModel, id: string, at: number): Promise<void> {
    await this.#query(`UPDATE sallyport_oauth SET consumed_at = ? ${whereOne}`, [at, this.#scope.prefix, model, id])
  }

  async rename(model: EntryModel, from: string, to: string): Promise<void> {
    const set = `UPDATE sallyport_oauth SET id = ?, used_at = ${present(this.#scope.dialect)} ${whereOne}`
    await this.#query(set, [to, this.#scope.prefix, model, from])
  }

  /** The name of a session leads to no other one. */
  async takeUid(uid: string, ref: string): Promise<void> {
    const set = 'UPDATE sallyport_oauth SET uid = NULL WHERE prefix = ? AND uid = ? AND id <> ?'
    await this.#query(set, [this.#scope.prefix, uid, ref])
  }

  /** Notes a use. A database that takes no writes may not know what has ended: then it fails. */
  async use(model: EntryModel, ref: string): Promise<void> {
    await this.#query(`UPDATE sallyport_oauth SET used_at = ${present(this.#scope.dialect)} ${whereOne}`, [
      this.#scope.prefix,
      model,
      ref,
    ])
  }

  /** What has expired leaves; if that is not enough, the longest idle of a user who has more than half, or of all. */
  async makeRoom(model: EntryModel, user: string, maxEntries: number): Promise<readonly string[]> {
    const gone: string[] = []
    const place = [this.#scope.prefix, model]
    const drop = async (rows: readonly SqlRow[]): Promise<void> => {
      for (const { id } of rows) gone.push(...((await this.dropRoot(model, String(id))) ?? []))
    }
    const sweep = `SELECT id ${fromModel} AND expires_at <= ? ORDER BY expires_at LIMIT ${maxSwept}`
    await drop(await this.#query(sweep, [...place, this.#scope.clock()]))
    const count = async (condition: string, ...values: readonly SqlValue[]): Promise<number> =>
      Number(
        (await this.#query(`SELECT COUNT(*) AS found ${fromModel} ${condition}`, [...place, ...values]))[0]?.['found'],
      )
    for (let left = await count(''); left >= maxEntries; left--) {
      const isOwn = (await count('AND user_key = ?', user)) > maxEntries / 2
      const oldest = `SELECT id ${fromModel} ${isOwn ? 'AND user_key = ?' : ''} ORDER BY used_at LIMIT 1`
      await drop(await this.#query(oldest, isOwn ? [...place, user] : place))
    }
    return gone
  }

  /** What must leave a grant before one more is added. `undefined`: nothing can, and the grant is over. */
  async victims(grant: string): Promise<readonly string[] | undefined> {
    const place = [this.#scope.prefix, grant]
    const [row] = await this.#query(`SELECT COUNT(*) AS found ${fromParts}`, place)
    if (Number(row?.['found']) < maxPerGrant) return []
    const expired = await this.#query(`SELECT id ${fromParts} AND expires_at <= ?`, [...place, this.#scope.clock()])
    const oldest = `SELECT id ${fromParts} AND model = 'AccessToken' ORDER BY used_at LIMIT 1`
    const rows = expired.length > 0 ? expired : await this.#query(oldest, place)
    return rows.length === 0 ? undefined : rows.map(({ id }) => String(id))
  }

  async write(entry: OauthEntry, columns: EntryColumns, isThere: boolean): Promise<void> {
    const { ref, grant, user, uid, consumedAt } = columns
    const isPart = grant !== null
    const values = [grant, user, uid, jsonFrom(entry), Math.ceil(entry.expiresAt), consumedAt]
    await this.#query(
      isThere
        ? `UPDATE sallyport_oauth SET grant_id = ?, user_key = ?, uid = ?, entry = ?, expires_at = ?, consumed_at = ?
            ${isPart ? '' : `, used_at = ${present(this.#scope.dialect)}`} ${whereOne}`
        : `INSERT INTO sallyport_oauth (grant_id, user_key, uid, entry, expires_at, consumed_at, prefix, model, id, used_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ${present(this.#scope.dialect)})`,
      [...values, this.#scope.prefix, entry.model, ref],
    )
  }

  /** Holds the row of a grant to the end of the transaction. Answers whether it is there and has not expired. */
  async holdGrant(grant: string): Promise<boolean> {
    const [row] = await this.#query(`SELECT expires_at ${fromOne} FOR UPDATE`, [this.#scope.prefix, 'Grant', grant])
    return row !== undefined && Number(row['expires_at']) > this.#scope.clock()
  }

  /** Answers the access tokens that went with it; `undefined`: it was not there. */
  async dropRoot(model: EntryModel, ref: string): Promise<readonly string[] | undefined> {
    const place = [this.#scope.prefix, model, ref]
    const [row] = await this.#query(`SELECT id ${fromOne} FOR UPDATE`, place)
    if (row === undefined) return undefined
    const gone = model === 'Grant' ? await this.dropParts(ref) : []
    await this.#query(`DELETE ${fromOne}`, place)
    return gone
  }

  /** Access tokens take their records along. */
  async dropParts(grant: string, condition = '', values: readonly SqlValue[] = []): Promise<readonly string[]> {
    const place = [this.#scope.prefix, grant, ...values]
    const tokens = await this.#query(`SELECT id ${fromParts} ${condition} AND model = 'AccessToken'`, place)
    await this.#query(`DELETE ${fromParts} ${condition}`, place)
    const ids = tokens.map(({ id }) => String(id))
    if (ids.length > 0) {
      const marks = ids.map(() => '?').join(', ')
      await this.#query(`DELETE FROM sallyport_token WHERE prefix = ? AND id IN (${marks})`, [
        this.#scope.prefix,
        ...ids,
      ])
    }
    return ids
  }
}
