/**
 * The records that one process keeps of what the store has, and the look-ups under way that a change makes worthless.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { StoreError } from '../../core/errors.js'
import type { LocalToken } from './stored-record.js'

/** A look-up under way. */
export interface Reading {
  isOutdated: boolean
  /** Users whose tokens were ended meanwhile. */
  readonly ended: Set<string>
}

/** Attempts to read a record that is being changed. */
const maxReads = 5

export class LocalTokens<Token extends LocalToken = LocalToken> {
  readonly #tokens: LRUCache<string, Token>
  readonly #bySubject = new Map<string, Set<string>>()
  readonly #readings = new Map<string, Set<Reading>>()

  constructor(maxSize: number) {
    this.#tokens = new LRUCache({
      maxSize,
      sizeCalculation: () => 1,
      dispose: ({ record }, id) => {
        const ids = this.#bySubject.get(record.subject)
        ids?.delete(id)
        if (ids?.size === 0) this.#bySubject.delete(record.subject)
      },
    })
  }

  get(id: string): Token | undefined {
    return this.#tokens.get(id)
  }

  set(id: string, token: Token): void {
    this.#tokens.set(id, token)
    const ids = this.#bySubject.get(token.record.subject) ?? new Set()
    this.#bySubject.set(token.record.subject, ids.add(id))
  }

  /** Leaves look-ups under way as they are. */
  drop(id: string): void {
    this.#tokens.delete(id)
  }

  entries(): ReadonlyMap<string, Token> {
    return new Map(this.#tokens.entries())
  }

  /**
   * Calls `read` with what tells it of changes until it returns, and again while that is `'outdated'`.
   *
   * @throws StoreError, by rejecting, when there is no end of changes.
   */
  async lookUp<T>(id: string, read: (reading: Reading) => Promise<T | 'outdated'>): Promise<T> {
    for (let count = 0; count < maxReads; count++) {
      const outcome = await this.#watch(id, read)
      if (outcome !== 'outdated') return outcome
    }
    throw new StoreError('a token changes faster than it can be read, or its store is too slow')
  }

  async #watch<T>(id: string, read: (reading: Reading) => Promise<T>): Promise<T> {
    const reading: Reading = { isOutdated: false, ended: new Set() }
    const others = this.#readings.get(id) ?? new Set()
    this.#readings.set(id, others.add(reading))
    try {
      return await read(reading)
    } finally {
      others.delete(reading)
      if (others.size === 0) this.#readings.delete(id)
    }
  }

  /** Ends a token by `end`. Look-ups that began before that is done do not keep it. */
  async end<T>(id: string, end: () => Promise<T>): Promise<T> {
    this.forget(id)
    const answer = await end()
    this.forget(id)
    return answer
  }

  /** Ends all tokens of a user by `end`, as {@link LocalTokens.end}. */
  async endUser<T>(subject: string, end: () => Promise<T>): Promise<T> {
    this.#forgetUser(subject)
    const answer = await end()
    this.#forgetUser(subject)
    // A login that begins after the answer is told by the clock from one that began before.
    await sleep(1)
    return answer
  }

  forget(id: string): void {
    this.#tokens.delete(id)
    for (const reading of this.#readings.get(id) ?? []) reading.isOutdated = true
  }

  #forgetUser(subject: string): void {
    for (const id of [...(this.#bySubject.get(subject) ?? [])]) this.#tokens.delete(id)
    for (const readings of this.#readings.values()) for (const reading of readings) reading.ended.add(subject)
  }

  forgetAll(): void {
    this.#tokens.clear()
    for (const readings of this.#readings.values()) for (const reading of readings) reading.isOutdated = true
  }
}
