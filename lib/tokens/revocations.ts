/**
 * What was revoked a short while ago, for work that began before it and ends after it.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'

/** Revocations that are remembered, of tokens and of users each. */
const maxRemembered = 10_000

/** No login and no look-up takes longer. */
const rememberedMs = 10 * 60 * 1000

interface Mark {
  readonly at: number
  readonly sequence: number
}

/** Remembers revocations in the order in which they happened, and forgets them after ten minutes. */
export class Revocations {
  readonly #tokens: LRUCache<string, Mark>
  readonly #subjects: LRUCache<string, Mark>
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
