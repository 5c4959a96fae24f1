/**
 * What was revoked a short while ago, for work that began before it and ends after it; and what was ended, but the store has
 * not taken it yet.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import type { TokenRecord, TokenStore } from './token-store.js'

/** Revocations that are remembered, of tokens and of users each. */
const maxRemembered = 10_000

/** No login and no look-up takes longer. */
const rememberedMs = 10 * 60 * 1000

/** Ends that a store has not taken, of records and of users each. Beyond that, the one nobody came with for longest is forgotten. */
const maxPending = 10_000

/** An attempt that has no answer after this time counts as failed: shorter than any request waits for a verdict. */
const attemptMs = 25_000

interface Mark {
  readonly at: number
  readonly sequence: number
}

/** Times in milliseconds since the epoch. */
interface PendingRecord {
  /** From then on the record is refused: an attempt that has no answer by then has failed. */
  readonly refusedFrom: number
  /** When the store may be asked again. */
  readonly retryAt: number
}

/** An attempt that failed: however the clock is set back, the record stays refused. */
const failed: PendingRecord = { refusedFrom: Number.NEGATIVE_INFINITY, retryAt: Number.NEGATIVE_INFINITY }

interface PendingSubject {
  readonly refusedFrom: number
  /** Records that were issued later go on. */
  readonly issuedUntil: number
}

/**
 * Remembers revocations in the order in which they happened, and forgets them after ten minutes. What the store could not
 * end is refused in this process until the store has ended it.
 */
export class Revocations {
  readonly #tokens: LRUCache<string, Mark>
  readonly #subjects: LRUCache<string, Mark>
  readonly #pendingRecords = new LRUCache<string, PendingRecord>({ max: maxPending })
  /** Of records that a client named and nobody has seen. Apart, so that no flood of them makes the others forgotten. */
  readonly #pendingNamed = new LRUCache<string, PendingRecord>({ max: maxPending })
  readonly #pendingSubjects = new LRUCache<string, PendingSubject>({ max: maxPending })
  readonly #clock: () => number
  #sequence = 0

  constructor(clock: () => number) {
    const options = { max: maxRemembered, ttl: rememberedMs, ttlResolution: 0, perf: { now: clock } }
    this.#tokens = new LRUCache(options)
    this.#subjects = new LRUCache(options)
    this.#clock = clock
  }

  /** How many revocations there were. Work that may be overtaken notes it when it begins. */
  get sequence(): number {
    return this.#sequence
  }

  /** Refuses a token to look-ups that have begun already. */
  noteToken(id: string): void {
    this.#tokens.set(id, { at: this.#clock(), sequence: ++this.#sequence })
  }

  /**
   * Ends a record: no look-up that begins after the answer finds it. Whether there was one. `isSeen`: false where a client has
   * named it, and whether there is one is not known.
   *
   * Rejects when the store fails; then it is pending.
   */
  async end(id: string, store: Pick<TokenStore, 'remove'>, isSeen = true): Promise<boolean> {
    const pending = isSeen ? this.#pendingRecords : this.#pendingNamed
    const retryAt = this.#clock() + attemptMs
    pending.set(id, { refusedFrom: this.#pendingRecord(id)?.refusedFrom ?? retryAt, retryAt })
    let wasLive: boolean
    try {
      wasLive = await store.remove(id)
    } catch (error) {
      pending.set(id, failed)
      throw error
    }
    // Noted after the removal: a look-up that begins later finds nothing, one that began earlier meets the note.
    this.noteToken(id)
    this.#pendingRecords.delete(id)
    this.#pendingNamed.delete(id)
    return wasLive
  }

  #pendingRecord(id: string): PendingRecord | undefined {
    return this.#pendingRecords.get(id) ?? this.#pendingNamed.get(id)
  }

  /**
   * Ends all records of a user, and refuses logins that have begun already. How many there were.
   *
   * Rejects when the store fails; then what was issued until now is pending.
   */
  async endAllOf(subject: string, store: Pick<TokenStore, 'removeAllOf'>): Promise<number> {
    // Noted before the removal for logins, which may add a record at any moment, and after it for look-ups.
    const at = this.#clock()
    this.noteSubject(subject, at)
    const refusedFrom = this.#pendingSubjects.get(subject)?.refusedFrom ?? at + attemptMs
    const pending = { refusedFrom, issuedUntil: at }
    this.#pendingSubjects.set(subject, pending)
    let count: number
    try {
      count = await store.removeAllOf(subject)
    } catch (error) {
      this.#pendingSubjects.set(subject, { refusedFrom: failed.refusedFrom, issuedUntil: at })
      throw error
    }
    this.noteSubject(subject, at)
    if (this.#pendingSubjects.get(subject) === pending) this.#pendingSubjects.delete(subject)
    return count
  }

  /** Whether a record has been ended, but the store has not taken that: it failed, or is being asked. */
  isPending(id: string): boolean {
    return this.#pendingRecords.has(id) || this.#pendingNamed.has(id)
  }

  /** Whether the store has failed to end a record, by itself or with all of its user. */
  isOutstanding({ id, subject, issuedAt }: Pick<TokenRecord, 'id' | 'subject' | 'issuedAt'>): boolean {
    if (this.#pendingRecords.size + this.#pendingNamed.size + this.#pendingSubjects.size === 0) return false
    const now = this.#clock()
    const record = this.#pendingRecord(id)
    if (record !== undefined && record.refusedFrom <= now) return true
    const all = this.#pendingSubjects.get(subject)
    return all !== undefined && all.refusedFrom <= now && issuedAt <= all.issuedUntil
  }

  /** Asks the store again to end a record; `undefined` while it is being asked. */
  retry(id: string, store: Pick<TokenStore, 'remove'>): Promise<boolean> | undefined {
    const { retryAt = 0 } = this.#pendingRecord(id) ?? {}
    return retryAt > this.#clock() ? undefined : this.end(id, store, !this.#pendingNamed.has(id))
  }

  /** `at`: logins that began earlier are refused, in milliseconds since the epoch. */
  noteSubject(subject: string, at: number): void {
    const earlierMark = this.#subjects.get(subject)?.at ?? at
    this.#subjects.set(subject, { at: Math.max(at, earlierMark), sequence: ++this.#sequence })
  }

  /** Whether a token, or all tokens of its user, were revoked after `sequence`. */
  happenedSince(sequence: number, id: string, subject: string): boolean {
    if (sequence === this.#sequence) return false
    return (this.#tokens.get(id)?.sequence ?? 0) > sequence || (this.#subjects.get(subject)?.sequence ?? 0) > sequence
  }

  /** Whether all tokens of a user were revoked after a moment, in milliseconds since the epoch. */
  happenedAfter(moment: number, subject: string): boolean {
    const mark = this.#subjects.get(subject)
    return mark !== undefined && mark.at > moment
  }
}

const shared = new WeakMap<object, Revocations>()

/** The revocations of a token store: everything in this process that works with the store shares them. */
export function revocationsFor(store: TokenStore, clock: () => number): Revocations {
  const known = shared.get(store)
  if (known !== undefined) return known
  const made = new Revocations(clock)
  shared.set(store, made)
  return made
}
