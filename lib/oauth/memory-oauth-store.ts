/**
 * The store of an authorization server in a single process: bounded, in memory, lost with the process.
 *
 * @module
 */

import { FairCache, type FairCacheEntry } from './fair-cache.js'
import type { EntryModel, OauthEntry, OauthStore } from './oauth-store.js'

/** Options of {@link MemoryOauthStore}. */
export interface MemoryOauthStoreOptions {
  /** Grants, sessions, and sign-ins that have been answered: so many of each. */
  readonly maxEntries: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Told what went because there was no more room. */
  readonly onEvict?: ((entries: readonly OauthEntry[]) => void) | undefined
}

/**
 * Codes and tokens of one grant, used ones among them. One more puts out what has expired, then the oldest access token; what
 * was used stays, because its second use shows a theft. A grant that has nothing else is over.
 */
const maxPerGrant = 300

interface Held extends FairCacheEntry {
  readonly entry: OauthEntry
}

interface HeldGrant extends Held {
  /** By key, in the order in which they were added. */
  readonly members: Map<string, OauthEntry>
}

/**
 * Keeps each model in a cache of its own, all of it for users who have signed in: strangers can make nothing here, and no user
 * evicts everybody else. What expires is dropped when it is asked for, or when its place is needed.
 */
export class MemoryOauthStore implements OauthStore {
  readonly #clock: () => number
  readonly #onEvict: MemoryOauthStoreOptions['onEvict']
  readonly #grants: FairCache<HeldGrant>
  readonly #grantOfMember = new Map<string, string>()
  readonly #sessions: FairCache<Held>
  readonly #interactions: FairCache<Held>
  readonly #sessionIds = new Map<unknown, string>()

  constructor({ maxEntries, clock, onEvict }: MemoryOauthStoreOptions) {
    this.#clock = clock
    this.#onEvict = onEvict
    this.#grants = new FairCache({
      maxEntries,
      clock,
      onEvict: (grant) => {
        this.#forgetMembers(grant)
        onEvict?.([grant.entry, ...grant.members.values()])
      },
    })
    this.#sessions = new FairCache({ maxEntries, clock, onEvict: ({ entry }) => this.#forgetUid(entry) })
    this.#interactions = new FairCache({ maxEntries, clock })
  }

  find(model: EntryModel, id: string): OauthEntry | undefined {
    const entry = this.#look(model, id)
    if (entry === undefined || this.#clock() < entry.expiresAt) return entry
    this.remove(model, id)
    return undefined
  }

  findSession(uid: string): OauthEntry | undefined {
    const id = this.#sessionIds.get(uid)
    return id === undefined ? undefined : this.find('Session', id)
  }

  put(entry: OauthEntry): void {
    const { model, id, grantId, expiresAt, subject = '' } = entry
    const held = { entry, expiresAt, subject }
    switch (model) {
      case 'Grant':
        this.#grants.set(id, { ...held, members: this.#grants.peek(id)?.members ?? new Map() })
        break
      case 'Session':
        this.#sessions.set(id, held)
        this.#sessionIds.set(entry.payload['uid'], id)
        break
      case 'Interaction':
        this.#interactions.set(id, held)
        break
      default:
        if (grantId !== undefined) this.#putMember(grantId, entry)
    }
  }

  consume(model: EntryModel, id: string, at: number): boolean {
    const entry = this.find(model, id)
    if (entry === undefined || entry.consumedAt !== undefined) return false
    this.put({ ...entry, consumedAt: at })
    return true
  }

  remove(model: EntryModel, id: string): readonly OauthEntry[] {
    const entry = this.#look(model, id)
    if (entry === undefined) return []
    switch (model) {
      case 'Grant': {
        const members = this.removeOfGrant(id)
        this.#grants.delete(id)
        return [entry, ...members]
      }
      case 'Session':
        this.#sessions.delete(id)
        this.#forgetUid(entry)
        break
      case 'Interaction':
        this.#interactions.delete(id)
        break
      default:
        this.#removeMember(keyOf(model, id))
    }
    return [entry]
  }

  removeOfGrant(grantId: string): readonly OauthEntry[] {
    const grant = this.#grants.peek(grantId)
    if (grant === undefined) return []
    const members = [...grant.members.values()]
    this.#forgetMembers(grant)
    grant.members.clear()
    return members
  }

  close(): void {
    for (const cache of [this.#grants, this.#sessions, this.#interactions]) cache.clear()
    this.#grantOfMember.clear()
    this.#sessionIds.clear()
  }

  #look(model: EntryModel, id: string): OauthEntry | undefined {
    switch (model) {
      case 'Grant':
        return this.#grants.get(id)?.entry
      case 'Session':
        return this.#sessions.get(id)?.entry
      case 'Interaction':
        return this.#interactions.get(id)?.entry
      default: {
        const key = keyOf(model, id)
        const grantId = this.#grantOfMember.get(key)
        return grantId === undefined ? undefined : this.#grants.get(grantId)?.members.get(key)
      }
    }
  }

  #forgetUid({ id, payload }: OauthEntry): void {
    if (this.#sessionIds.get(payload['uid']) === id) this.#sessionIds.delete(payload['uid'])
  }

  #putMember(grantId: string, entry: OauthEntry): void {
    const members = this.#grants.get(grantId)?.members
    if (members === undefined) return
    const key = keyOf(entry.model, entry.id)
    if (!members.has(key) && members.size >= maxPerGrant) {
      const gone = outOf(members, this.#clock())
      if (gone.length === 0) {
        this.#onEvict?.(this.remove('Grant', grantId))
        return
      }
      for (const { model, id } of gone) this.#removeMember(keyOf(model, id))
      this.#onEvict?.(gone)
    }
    members.set(key, entry)
    this.#grantOfMember.set(key, grantId)
  }

  #removeMember(key: string): void {
    const grantId = this.#grantOfMember.get(key)
    this.#grantOfMember.delete(key)
    if (grantId !== undefined) this.#grants.peek(grantId)?.members.delete(key)
  }

  #forgetMembers({ members }: HeldGrant): void {
    for (const key of members.keys()) this.#grantOfMember.delete(key)
  }
}

/** What makes room among the members of a grant: nothing where all have been used and are good to know of. */
function outOf(members: ReadonlyMap<string, OauthEntry>, now: number): readonly OauthEntry[] {
  const entries = [...members.values()]
  const expired = entries.filter(({ expiresAt }) => expiresAt <= now)
  if (expired.length > 0) return expired
  const oldest = entries.find(({ model }) => model === 'AccessToken' || model === 'AccessTokenLink')
  return oldest === undefined ? [] : [oldest]
}

function keyOf(model: EntryModel, id: string): string {
  return `${model}:${id}`
}
