/**
 * Which tokens and sessions were revoked: those that the store has not removed yet, and those of the last minutes, for logins
 * and requests that started before and end after.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import type { TokenRecord, TokenStore } from './token-store.js'

/** Past revocations that are remembered, of records and of users each. */
const maxRemembered = 10_000

/** No login and no look-up takes longer. */
const rememberedMs = 10 * 60 * 1000

/** Removals that the store still owes, of records and of users each. Beyond that, the one used longest ago is forgotten. */
const maxPending = 10_000
const pendingLimit = { maxSize: maxPending, sizeCalculation: () => 1 }

/** After this time without an answer the store is asked again: shorter than any request waits. */
const attemptMs = 25_000

interface Mark {
  readonly at: number
  readonly sequence: number
}

/** A record, or what is known of it. */
type Revocable = Pick<TokenRecord, 'id'> & Partial<Pick<TokenRecord, 'subject' | 'issuedAt'>>

/** Remembers revocations. Everything in this process that works with one store shares them: see `revocationsFor`. */
export class Revocations {
  readonly #tokens: LRUCache<string, Mark>
  readonly #subjects: LRUCache<string, Mark>
  /** By id: when the store may be asked again. */
  readonly #pendingRecords = new LRUCache<string, number>(pendingLimit)
  /** Of records that only a client has named. Apart, so that no flood of them makes the others forgotten. */
  readonly #pendingNamed = new LRUCache<string, number>(pendingLimit)
  /** By subject: records issued until then are revoked. */
  readonly #pendingSubjects = new LRUCache<string, number>(pendingLimit)
  readonly #clock: () => number
  #sequence = 0

  constructor(clock: () => number) {
    const limit = { maxSize: maxRemembered, sizeCalculation: () => 1 }
    const options = { ...limit, ttl: rememberedMs, ttlResolution: 0, perf: { now: clock } }
    this.#tokens = new LRUCache(options)
    this.#subjects = new LRUCache(options)
    this.#clock = clock
  }

  /** How many revocations there were. Work that a revocation may overtake notes it at its start. */
  get sequence(): number {
    return this.#sequence
  }

  /**
   * Whether a record is revoked and the store has not removed it: it is being asked, or has failed. By id alone, revocations
   * of all records of a user are left out.
   */
  isRevoked({ id, subject, issuedAt = 0 }: Revocable): boolean {
    if (this.#pendingRecords.size + this.#pendingNamed.size + this.#pendingSubjects.size === 0) return false
    if (this.#retryAt(id) !== undefined) return true
    const issuedUntil = subject === undefined ? undefined : this.#pendingSubjects.get(subject)
    return issuedUntil !== undefined && issuedAt <= issuedUntil
  }

  /**
   * Ends a record: it is revoked from now on, and removed from the store. Whether there was one. `isSeen`: false where only a
   * client has named it, and there may be none.
   *
   * Rejects when the store fails. The record stays revoked in this process.
   */
  async end(id: string, store: Pick<TokenStore, 'remove'>, isSeen = true): Promise<boolean> {
    const pending = isSeen ? this.#pendingRecords : this.#pendingNamed
    pending.set(id, this.#clock() + attemptMs)
    let wasLive: boolean
    try {
      wasLive = await store.remove(id)
    } catch (error) {
      if (pending.has(id)) pending.set(id, 0)
      throw error
    }
    // Noted after the removal: a look-up that starts later finds nothing, one that started earlier meets the note.
    this.noteToken(id)
    this.#pendingRecords.delete(id)
    this.#pendingNamed.delete(id)
    return wasLive
  }

  /**
   * Ends all records of a user, and refuses logins that have started already. How many there were.
   *
   * Rejects when the store fails. What was issued until now stays revoked in this process.
   */
  async endAllOf(subject: string, store: Pick<TokenStore, 'removeBySubject'>): Promise<number> {
    // Noted before the removal for logins, which may add a record at any moment, and after it for look-ups.
    const at = this.#clock()
    this.noteSubject(subject, at)
    this.#pendingSubjects.set(subject, Math.max(at, this.#pendingSubjects.get(subject) ?? at))
    const count = await store.removeBySubject(subject)
    this.noteSubject(subject, at)
    // A later call may be pending, for records that were issued since.
    if ((this.#pendingSubjects.get(subject) ?? 0) <= at) this.#pendingSubjects.delete(subject)
    return count
  }

  /** Asks the store again to remove a revoked record; `undefined` while it is being asked. */
  retry(id: string, store: Pick<TokenStore, 'remove'>): Promise<boolean> | undefined {
    if ((this.#retryAt(id) ?? 0) > this.#clock()) return undefined
    return this.end(id, store, !this.#pendingNamed.has(id))
  }

  /** Refuses a token to look-ups that have started already. */
  noteToken(id: string): void {
    this.#tokens.set(id, { at: this.#clock(), sequence: ++this.#sequence })
  }

  /** `at`: logins that started earlier are refused, in milliseconds since the epoch. */
  noteSubject(subject: string, at: number): void {
    const earlierMark = this.#subjects.get(subject)?.at ?? at
    this.#subjects.set(subject, { at: Math.max(at, earlierMark), sequence: ++this.#sequence })
  }

  /** Whether a record, its parent, or all records of its user were revoked after `sequence`. */
  happenedSince(sequence: number, { id, parent, subject }: Pick<TokenRecord, 'id' | 'parent' | 'subject'>): boolean {
    if (sequence === this.#sequence) return false
    const isLater = (mark: Mark | undefined): boolean => mark !== undefined && mark.sequence > sequence
    const isParentRevoked = parent !== undefined && isLater(this.#tokens.get(parent))
    return isLater(this.#tokens.get(id)) || isParentRevoked || isLater(this.#subjects.get(subject))
  }

  /** Whether all records of a user were revoked after a moment, in milliseconds since the epoch. */
  happenedAfter(moment: number, subject: string): boolean {
    const mark = this.#subjects.get(subject)
    return mark !== undefined && mark.at > moment
  }

  #retryAt(id: string): number | undefined {
    return this.#pendingRecords.get(id) ?? this.#pendingNamed.get(id)
  }
}

const shared = new WeakMap<object, Revocations>()

/** The revocations of a token store: everything in this process that works with the store shares them. */
export function revocationsFor(store: TokenStore, clock: () => number): Revocations {
  const known = shared.get(store)
  if (known !== undefined) return known
  const created = new Revocations(clock)
  shared.set(store, created)
  return created
}
