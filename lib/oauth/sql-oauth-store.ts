/**
 * What the authorization servers of several processes share in a database: each step is one transaction.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import { digest } from '../core/digest.js'
import type { SqlLink } from '../sql/sql-link.js'
import {
  type EntryModel,
  type OauthEntry,
  type OauthStore,
  type OauthStoreOptions,
  type RemovedEntry,
  usedTwiceAt,
} from './oauth-store.js'
import { OauthRows, type OauthScope } from './sql-oauth-rows.js'
import { isRoot, liveEntryFrom, refFor } from './stored-entry.js'

/** Options of {@link SqlOauthStore}. `maxEntries` are those of all processes together. */
export interface SqlOauthStoreOptions extends Omit<OauthStoreOptions, 'clock'> {
  readonly link: Pick<SqlLink, 'dialect' | 'locked' | 'now' | 'prefix' | 'query' | 'transaction'>
  /** Milliseconds since the epoch. @defaultValue the clock of the database */
  readonly clock?: (() => number) | undefined
}

/** Each method rejects with `StoreError` when the database fails, and may have done its work then. */
export class SqlOauthStore implements OauthStore {
  readonly #link: SqlOauthStoreOptions['link']
  readonly #maxEntries: number
  readonly #onEvict: OauthStoreOptions['onEvict']
  readonly #scope: OauthScope

  constructor({ link, maxEntries, onEvict, clock = link.now }: SqlOauthStoreOptions) {
    this.#link = link
    this.#maxEntries = maxEntries
    this.#onEvict = onEvict
    this.#scope = { prefix: link.prefix, dialect: link.dialect, clock }
  }

  async find(model: EntryModel, id: string): Promise<OauthEntry | undefined> {
    if (isRoot(model)) return this.#findRoot(model, 'id', refFor(model, id), id)
    const [row] = await this.#link.query(
      `SELECT p.entry, p.consumed_at, p.grant_id FROM sallyport_oauth p
        JOIN sallyport_oauth g ON g.prefix = p.prefix AND g.model = 'Grant' AND g.id = p.grant_id AND g.expires_at > ?
        WHERE p.prefix = ? AND p.model = ? AND p.id = ?`,
      [this.#scope.clock(), this.#scope.prefix, model, id],
    )
    if (row === undefined) return undefined
    await this.#noteUse('Grant', String(row['grant_id']))
    const consumedAt = row['consumed_at'] === null ? undefined : Number(row['consumed_at'])
    return liveEntryFrom(String(row['entry']), { model, id, consumedAt }, this.#scope.clock())
  }

  findSession(uid: string): Promise<OauthEntry | undefined> {
    return this.#findRoot('Session', 'uid', digest(uid))
  }

  async put(entry: OauthEntry): Promise<void> {
    const gone = await (isRoot(entry.model) ? this.#putRoot(entry) : this.#putPart(entry))
    if (gone.length > 0) inBackground(() => this.#onEvict(accessTokensFrom(gone)))
  }

  rename(model: 'AccessToken', from: string, to: string): Promise<boolean> {
    return this.#step(async (rows) => {
      const part = await rows.holdPart(model, from)
      if (part?.isLive !== true) return false
      await rows.rename(model, from, to)
      return true
    })
  }

  consume(model: EntryModel, id: string): Promise<boolean> {
    return this.#step(async (rows) => {
      const part = await rows.holdPart(model, id)
      if (part?.isLive !== true || part.consumedAt !== null) return false
      await rows.consume(model, id, this.#scope.clock())
      return true
    })
  }

  consumeAgain(model: EntryModel, id: string, windowMs: number): Promise<boolean> {
    return this.#step(async (rows) => {
      const part = await rows.holdPart(model, id)
      if (part?.isLive !== true || part.consumedAt === null) return false
      if (part.consumedAt <= this.#scope.clock() - windowMs) return false
      await rows.consume(model, id, usedTwiceAt)
      return true
    })
  }

  async remove(model: EntryModel, id: string): Promise<readonly RemovedEntry[]> {
    const gone = await this.#step(async (rows) => {
      if (isRoot(model)) return rows.dropRoot(model, refFor(model, id))
      const part = await rows.holdPart(model, id)
      return part && rows.dropParts(part.grant, 'AND model = ? AND id = ?', [model, id])
    })
    return gone === undefined ? [] : [{ model, id }, ...accessTokensFrom(gone).filter((token) => token.id !== id)]
  }

  async removeMembers(grantId: string): Promise<readonly RemovedEntry[]> {
    const grant = refFor('Grant', grantId)
    const gone = await this.#step(async (rows) => {
      await rows.holdGrant(grant)
      return rows.dropParts(grant)
    })
    return accessTokensFrom(gone)
  }

  /** Nothing ends with this process. */
  close(): void {}

  #step<T>(work: (rows: OauthRows) => Promise<T>): Promise<T> {
    return this.#link.transaction((query) => work(new OauthRows(query, this.#scope)))
  }

  /** A database that takes no writes may not know what has ended: then this fails. */
  #noteUse(model: EntryModel, ref: string): Promise<void> {
    return new OauthRows((sql, values) => this.#link.query(sql, values), this.#scope).use(model, ref)
  }

  async #findRoot(
    model: EntryModel,
    column: 'id' | 'uid',
    value: string,
    knownId?: string,
  ): Promise<OauthEntry | undefined> {
    const select = `SELECT id, entry FROM sallyport_oauth WHERE prefix = ? AND model = ? AND ${column} = ?`
    const [row] = await this.#link.query(select, [this.#scope.prefix, model, value])
    if (row === undefined) return undefined
    await this.#noteUse(model, String(row['id']))
    return liveEntryFrom(String(row['entry']), { model, id: knownId ?? String(row['id']) }, this.#scope.clock())
  }

  /** Adds or replaces a grant, session or sign-in. Answers the access tokens that were evicted. */
  #putRoot(entry: OauthEntry): Promise<readonly string[]> {
    const { model, subject = '', payload } = entry
    const ref = refFor(model, entry.id)
    const user = digest(subject)
    const uid = model === 'Session' ? digest(String(payload['uid'])) : null
    return this.#link.locked(`oauth:${model}`, async (query) => {
      const rows = new OauthRows(query, this.#scope)
      const isThere = (await rows.get(model, ref)) !== undefined
      const gone = isThere ? [] : await rows.makeRoom(model, user, this.#maxEntries)
      if (uid !== null) await rows.takeUid(uid, ref)
      await rows.write(entry, { ref, grant: null, user, uid, consumedAt: null }, isThere)
      return gone
    })
  }

  /** Adds or replaces a code or token, where its grant is there. One that was used stays so. */
  #putPart(entry: OauthEntry): Promise<readonly string[]> {
    const { model, id: ref, subject = '', grantId = '', consumedAt = null } = entry
    const grant = refFor('Grant', grantId)
    return this.#step(async (rows) => {
      if (!(await rows.holdGrant(grant))) return []
      await rows.use('Grant', grant)
      const before = await rows.get(model, ref)
      const gone: string[] = []
      if (before === undefined) {
        const victims = await rows.victims(grant)
        if (victims === undefined) return (await rows.dropRoot('Grant', grant)) ?? []
        for (const victim of victims) gone.push(...(await rows.dropParts(grant, 'AND id = ?', [victim])))
      }
      const usedAt = before?.['consumed_at'] ?? consumedAt
      const columns = {
        ref,
        grant,
        user: digest(subject),
        uid: null,
        consumedAt: usedAt === null ? null : Number(usedAt),
      }
      await rows.write(entry, columns, before !== undefined)
      return gone
    })
  }
}

function accessTokensFrom(ids: readonly string[]): readonly RemovedEntry[] {
  return ids.map((id) => ({ model: 'AccessToken', id }))
}
