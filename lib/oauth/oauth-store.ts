/**
 * What the authorization server keeps besides the records of the token store: bounded, in memory and lost with the process, or
 * shared by processes (`RedisOauthStore`).
 *
 * @module
 */

import { FairCache, type FairCacheEntry } from './fair-cache.js'

type MaybePromise<T> = T | Promise<T>

/** What an entry is: the names of `oidc-provider`'s models. */
export type EntryModel = 'AccessToken' | 'AuthorizationCode' | 'Grant' | 'Interaction' | 'RefreshToken' | 'Session'

/** One entry. `payload` has no usable credential. */
export interface OauthEntry {
  readonly model: EntryModel
  /** Digest of model and credential, or the id of a grant, which opens nothing. Unique. */
  readonly id: string
  /** Whose it is: no user may evict what everybody else has. What a grant leads to has the subject of the grant. */
  readonly subject: string | undefined
  readonly payload: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. From then on it is as if it were not there. */
  readonly expiresAt: number
  /** Id of the grant that it ends with. Required for codes and tokens. */
  readonly grantId: string | undefined
  /** Milliseconds since the epoch of its only use; `undefined`: not used yet. */
  readonly consumedAt?: number | undefined
}

/** In the place of the moment of the first use: so long ago that it is in no window. */
export const usedTwiceAt = 1000

/** What has left a store. */
export type RemovedEntry = Pick<OauthEntry, 'model' | 'id'>

/**
 * Keeps the entries. Each method is one step: what others do at the same time happens before or after it. What belongs to a grant,
 * codes and tokens, ends with it. A method may reject with `StoreError`, and then has done its work or not.
 *
 * What is removed is answered, with all that ended with it: access tokens at least.
 */
export interface OauthStore {
  /** The entry that is there and has not expired. */
  find(model: EntryModel, id: string): MaybePromise<OauthEntry | undefined>
  findSession(uid: string): MaybePromise<OauthEntry | undefined>
  /** Adds or replaces an entry; one that was used stays so. What belongs to a grant is left out when the grant is not there: what was revoked stays so. */
  put(entry: OauthEntry): MaybePromise<void>
  /** Gives an access token another id. Whether it was there. */
  rename(model: 'AccessToken', from: string, to: string): MaybePromise<boolean>
  /** Marks what belongs to a grant as used: `false` when it was used before, or is not there. It stays, as used, for its life. */
  consume(model: EntryModel, id: string): MaybePromise<boolean>
  /**
   * Takes a second use of what was used less than `windowMs` ago: `true` once. The moment of its use is {@link usedTwiceAt} from then on.
   */
  consumeAgain(model: EntryModel, id: string, windowMs: number): MaybePromise<boolean>
  /** Removes an entry; with a grant all that belongs to it. */
  remove(model: EntryModel, id: string): MaybePromise<readonly RemovedEntry[]>
  /** Removes what belongs to a grant, and leaves the grant. */
  removeMembers(grantId: string): MaybePromise<readonly RemovedEntry[]>
  close(): void
}

export interface OauthStoreOptions {
  /** Grants, sessions, and sign-ins that have been answered: so many of each. */
  readonly maxEntries: number
  readonly clock: () => number
  /** Told of what was evicted, access tokens at least. */
  readonly onEvict: (entries: readonly RemovedEntry[]) => void
}

/**
 * Codes and tokens of one grant, used ones among them. One more evicts what has expired, then the oldest access token; what was
 * used stays, because its second use shows a theft. A grant that has nothing else is over.
 */
export const maxPerGrant = 300

/** An entry that counts for its user, with what ends with it, by id, in the order in which it was added. */
interface Owned extends FairCacheEntry {
  readonly entry: OauthEntry
  readonly members: Map<string, OauthEntry>
}

/**
 * Keeps grants, sessions and answered sign-ins in a cache each, and codes and tokens with their grant. All of it belongs to users
 * who have signed in. What expires is dropped when it is looked up, or when its place is needed.
 */
export class MemoryOauthStore implements OauthStore {
  readonly #options: OauthStoreOptions
  readonly #caches: ReadonlyMap<EntryModel, FairCache<Owned>>
  readonly #grants: FairCache<Owned>
  readonly #grantIds = new Map<string, string>()
  readonly #sessionIds = new Map<unknown, string>()

  constructor(options: OauthStoreOptions) {
    const onEvict = (owned: Owned): void => options.onEvict(this.#forget(owned))
    const createCache = (): FairCache<Owned> => new FairCache({ ...options, onEvict })
    this.#options = options
    this.#grants = createCache()
    this.#caches = new Map([
      ['Grant', this.#grants],
      ['Session', createCache()],
      ['Interaction', createCache()],
    ])
  }

  find(model: EntryModel, id: string): OauthEntry | undefined {
    const entry = this.#look(model, id)
    if (entry === undefined || this.#options.clock() < entry.expiresAt) return entry
    this.remove(model, id)
    return undefined
  }

  findSession(uid: string): OauthEntry | undefined {
    const id = this.#sessionIds.get(uid)
    return id === undefined ? undefined : this.find('Session', id)
  }

  put(entry: OauthEntry): void {
    const { model, id, subject = '', expiresAt, payload } = entry
    const cache = this.#caches.get(model)
    if (cache === undefined) {
      this.#putMember(entry)
      return
    }
    cache.set(id, { entry, subject, expiresAt, members: cache.peek(id)?.members ?? new Map() })
    if (model === 'Session') this.#sessionIds.set(payload['uid'], id)
  }

  rename(model: 'AccessToken', from: string, to: string): boolean {
    const entry = this.find(model, from)
    if (entry === undefined) return false
    this.remove(model, from)
    this.put({ ...entry, id: to })
    return true
  }

  consume(model: EntryModel, id: string): boolean {
    const entry = this.find(model, id)
    if (entry === undefined || entry.consumedAt !== undefined) return false
    this.put({ ...entry, consumedAt: this.#options.clock() })
    return true
  }

  consumeAgain(model: EntryModel, id: string, windowMs: number): boolean {
    const entry = this.find(model, id)
    if (entry?.consumedAt === undefined || entry.consumedAt <= this.#options.clock() - windowMs) return false
    this.put({ ...entry, consumedAt: usedTwiceAt })
    return true
  }

  remove(model: EntryModel, id: string): readonly OauthEntry[] {
    const entry = this.#look(model, id)
    if (entry === undefined) return []
    const cache = this.#caches.get(model)
    const owned = cache?.peek(id)
    if (owned === undefined) {
      this.#grants.peek(entry.grantId ?? '')?.members.delete(id)
      this.#grantIds.delete(id)
      return [entry]
    }
    cache?.delete(id)
    return this.#forget(owned)
  }

  removeMembers(grantId: string): readonly OauthEntry[] {
    const members = [...(this.#grants.peek(grantId)?.members.values() ?? [])]
    return members.flatMap(({ model, id }) => this.remove(model, id))
  }

  /** All entries, also expired ones: what belongs to a grant after it, and the longest idle first. */
  entries(): OauthEntry[] {
    const all: OauthEntry[] = []
    for (const cache of this.#caches.values()) {
      for (const { entry, members } of cache.values()) all.push(entry, ...members.values())
    }
    return all
  }

  close(): void {
    for (const cache of this.#caches.values()) cache.clear()
    this.#grantIds.clear()
    this.#sessionIds.clear()
  }

  /** To look up what belongs to a grant is a use of the grant. */
  #look(model: EntryModel, id: string): OauthEntry | undefined {
    const cache = this.#caches.get(model)
    return cache === undefined ? this.#grants.get(this.#grantIds.get(id) ?? '')?.members.get(id) : cache.get(id)?.entry
  }

  #putMember(entry: OauthEntry): void {
    const { id, grantId = '' } = entry
    const members = this.#grants.get(grantId)?.members
    if (members === undefined) return
    if (!members.has(id) && members.size >= maxPerGrant) {
      const victims = evictable(members, this.#options.clock())
      if (victims.length === 0) {
        this.#options.onEvict(this.remove('Grant', grantId))
        return
      }
      this.#options.onEvict(victims.flatMap((victim) => this.remove(victim.model, victim.id)))
    }
    const consumedAt = entry.consumedAt ?? members.get(id)?.consumedAt
    members.set(id, consumedAt === undefined ? entry : { ...entry, consumedAt })
    this.#grantIds.set(id, grantId)
  }

  /** Nothing leads to an entry any more that has left its cache. Returns it, and what belonged to it. */
  #forget({ entry, members }: Owned): readonly OauthEntry[] {
    const { uid } = entry.payload
    if (this.#sessionIds.get(uid) === entry.id) this.#sessionIds.delete(uid)
    for (const id of members.keys()) this.#grantIds.delete(id)
    return [entry, ...members.values()]
  }
}

/** What can leave a grant: nothing where all has been used and is good to know of. */
function evictable(members: ReadonlyMap<string, OauthEntry>, now: number): readonly OauthEntry[] {
  const entries = [...members.values()]
  const expired = entries.filter(({ expiresAt }) => expiresAt <= now)
  return expired.length > 0 ? expired : entries.filter(({ model }) => model === 'AccessToken').slice(0, 1)
}
