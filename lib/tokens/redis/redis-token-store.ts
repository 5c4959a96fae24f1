/**
 * The token store that several processes share. What this process has looked up stays here, and is answered without asking Redis while
 * it is proven that no other process has changed it: see docs/instances.md.
 *
 * @module
 */

import { inBackground } from '../../async/background.js'
import { digest } from '../../core/digest.js'
import { presentMoment } from '../../core/moment.js'
import { assertIntegers, assertNumbers } from '../../core/option-numbers.js'
import type { RedisLink } from '../../redis/redis-link.js'
import type { Script } from '../../redis/script.js'
import { AcknowledgedRevocations } from '../external/acknowledged-revocations.js'
import type { Reading } from '../external/local-tokens.js'
import {
  listedPools,
  type Pool,
  type PoolBounds,
  poolBounds,
  poolFor,
  type SharedTokenStoreOptions,
} from '../external/pools.js'
import { jsonFrom, type LocalToken, recordFrom, UseNotes } from '../external/stored-record.js'
import type { LoginStart, PoolFill, TokenQuery, TokenRecord, TokenStore } from '../token-store.js'
import { KnownTokens } from './known-tokens.js'
import { listTokens } from './list-tokens.js'
import { RedisRevocations } from './redis-revocations.js'
import { addScript, countScript, lookUpScript, tokenScripts, touchScript } from './token-scripts.js'

/** Options of {@link RedisTokenStore}. */
export interface RedisTokenStoreOptions extends SharedTokenStoreOptions {
  /** The link to Redis, which is not started yet. `close` closes it. */
  readonly link: RedisLink
}

export class RedisTokenStore implements TokenStore {
  readonly #options: RedisTokenStoreOptions
  readonly #link: RedisLink
  readonly #clock: () => number
  readonly #prefix: string
  readonly #boundsOf: (pool: Pool) => PoolBounds
  readonly #uses: UseNotes
  readonly #local: KnownTokens
  readonly #revocations: RedisRevocations
  /** Users whose rights have changed, of late. */
  readonly #changes = new AcknowledgedRevocations<undefined>()
  #incarnation = ''
  readonly #changeListeners: ((subject: string | undefined) => void)[] = []

  constructor(options: RedisTokenStoreOptions) {
    const { link, clock = link.now, maxLocal = 100_000, maxStalenessOnFailureMs = 0 } = options
    assertIntegers({ maxLocal }, 1)
    assertNumbers({ maxStalenessOnFailureMs }, 0)
    this.#options = options
    this.#link = link
    this.#clock = clock
    this.#prefix = link.key('')
    this.#boundsOf = poolBounds(options)
    this.#uses = new UseNotes(clock, options.touchIntervalMs)
    this.#local = new KnownTokens(maxLocal, maxStalenessOnFailureMs)
    this.#revocations = new RedisRevocations(this.#run, () => link.confirm(), clock)
    const tokenPrefix = this.#tokenKey('')
    link.listen({
      scripts: tokenScripts,
      onChange: (key) => {
        if (key.startsWith(tokenPrefix)) this.#local.forget(key.slice(tokenPrefix.length))
      },
      onLost: (isDataLost) => this.#local.lose(isDataLost ? undefined : link.provenAt),
      onOpen: async (opened) => {
        this.#incarnation = opened.incarnation
        await this.#revocations.reopen(opened)
        if (!opened.isOtherData) return
        // The others may have been told by a primary that they no longer listen to.
        for (const [subject] of this.#changes.list()) await link.publish(subject, opened.run)
      },
      onReady: () => {
        for (const { id, lastAccessAt } of this.#local.dropLastKnown()) this.touch(id, lastAccessAt)
      },
      onNews: (number, subject) => {
        this.#revocations.noteNumber(number)
        for (const tell of this.#changeListeners) inBackground(() => tell(subject))
      },
    })
  }

  /** Whether `find` answers at once. Redis is not asked about a token whose signature was not verified. */
  holds(id: string): boolean {
    return this.#local.get(id) !== undefined
  }

  find(id: string): TokenRecord | undefined | Promise<TokenRecord | undefined> {
    const local = this.#local.get(id)
    if (local !== undefined && this.#link.isProven && !this.#uses.looksIdle(local)) return local.record
    return this.#find(id)
  }

  async add(record: TokenRecord, login?: LoginStart): Promise<boolean | 'revoked'> {
    const { id, kind, subject, expiresAt, lastAccessAt } = record
    const pool = poolFor(kind)
    const user = digest(subject)
    const { size, perUser, evicts } = this.#boundsOf(pool)
    const now = this.#clock()
    const json = jsonFrom(record, { pool, user, loginAt: login?.startedAt })
    const answer = await this.#run(addScript, [
      id,
      user,
      pool,
      json,
      now,
      lastAccessAt,
      Math.max(1, Math.ceil(expiresAt - now)),
      size,
      perUser,
      evicts ? 1 : 0,
      this.#uses.slackFor(record),
      login === undefined ? Number.MAX_SAFE_INTEGER : this.#revocations.numberKnownAt(login.startedAt),
      this.#incarnation,
      login?.mustExist ? 1 : 0,
    ])
    const [outcome, evicted] = answer as ['added' | 'full' | 'revoked', string[]]
    const { onEvict } = this.#options
    for (const json of evicted) if (json !== '') inBackground(() => onEvict?.(recordFrom(json, 0).record))
    return outcome === 'revoked' ? outcome : outcome === 'added'
  }

  touch(id: string, at: number): void {
    const local = this.#local.get(id) ?? this.#local.getLastKnown(id)
    if (local !== undefined && !this.#uses.use(local, at)) return
    const slack = local === undefined ? 0 : this.#uses.slackFor(local.record)
    inBackground(
      () => this.#run(touchScript, [id, at, slack]),
      () => {
        if (local !== undefined) local.notedAt = 0
      },
    )
  }

  remove(id: string): Promise<boolean> {
    return this.#local.end(id, () => this.#revocations.remove(id))
  }

  removeBySubject(subject: string): Promise<number> {
    return this.#local.endUser(subject, () => this.#revocations.removeBySubject(subject))
  }

  list(query: TokenQuery = {}): Promise<readonly TokenRecord[]> {
    const { touchIntervalMs: slackMs = 30_000 } = this.#options
    return listTokens({ run: this.#run, now: this.#clock(), slackMs }, query)
  }

  async fill(): Promise<readonly PoolFill[]> {
    const counts = (await this.#run(countScript, [this.#clock(), ...listedPools])) as number[]
    return listedPools.map((kind, index) => ({ kind, count: counts[index]!, capacity: this.#boundsOf(kind).size }))
  }

  async close(): Promise<void> {
    await this.#link.close()
  }

  /** @throws StoreError when Redis cannot be reached. */
  assertReady(): void {
    this.#link.assertReady()
  }

  /** At once while the last proof holds. Rejects with `StoreError`. */
  assertCurrent(): undefined | Promise<void> {
    return this.#link.isProven ? undefined : this.#link.assertProven()
  }

  /** Calls `tell` when another process says that the rights of a user, or of all, have changed. */
  onAccountChange(tell: (subject: string | undefined) => void): void {
    this.#changeListeners.push(tell)
  }

  /** Tells the other processes that the rights of a user, or of all, have changed. Rejects with `StoreError`. */
  async publishAccountChange(subject?: string): Promise<void> {
    await this.#link.publish(subject)
    this.#changes.set(subject ?? '', undefined)
  }

  readonly #run = (script: Script, args: readonly (string | number)[], run = this.#link.run): Promise<unknown> =>
    run.call(this.#link, script, [this.#prefix], args)

  #tokenKey(id: string): string {
    return `${this.#prefix}token:${id}`
  }

  async #find(id: string): Promise<TokenRecord | undefined> {
    try {
      return await this.#local.lookUp(id, (reading) => this.#read(id, reading))
    } catch (error) {
      const known = this.#local.getLastKnown(id)
      if (known === undefined) throw error
      return known.record
    }
  }

  /**
   * Asks the primary for the record, and then once more on the connection that is told of its changes: an id that is not there must
   * not be watched, or whoever makes ids up fills the table of the server.
   */
  async #read(id: string, reading: Reading): Promise<TokenRecord | undefined | 'outdated'> {
    let sentAt = presentMoment()
    const answer = (await this.#run(lookUpScript, [id])) as [string, string] | null
    if (answer === null) return undefined
    const notedAt = Number(answer[1])
    if (!this.#link.isTracking && !this.#link.isRecent(sentAt)) return 'outdated'
    if (!this.#link.isTracking) return this.#recordFrom(answer[0], notedAt, id).record
    sentAt = presentMoment()
    const json = await this.#link.readTracked(this.#tokenKey(id))
    if (reading.isOutdated || !this.#link.isRecent(sentAt)) return 'outdated'
    if (json === null) return undefined
    const local = this.#local.get(id)
    if (local !== undefined) {
      this.#uses.take(local, notedAt)
      return local.record
    }
    const created = this.#recordFrom(json, notedAt, id)
    if (reading.ended.has(created.record.subject)) return 'outdated'
    this.#local.set(id, created)
    return created.record
  }

  /** With the latest last use that another process may not have noted yet. */
  #recordFrom(json: string, notedAt: number, id: string): LocalToken {
    const local = recordFrom(json, notedAt, id)
    this.#uses.take(local, notedAt)
    return local
  }
}
