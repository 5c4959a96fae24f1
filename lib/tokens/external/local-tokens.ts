/**
 * The records that one process keeps of what the store has, and the look-ups under way that a change makes worthless.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import type { LocalToken } from './stored-record.js'

/** A look-up under way. */
export interface Reading {
  isOutdated: boolean
  /** Users whose tokens were ended meanwhile. */
  readonly ended: Set<string>
}

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

  /** Calls `read` with what tells it of changes until it returns. */
  async watch<T>(id: string, read: (reading: Reading) => Promise<T>): Promise<T> {
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

  forget(id: string): void {
    this.#tokens.delete(id)
    for (const reading of this.#readings.get(id) ?? []) reading.isOutdated = true
  }

  forgetUser(subject: string): void {
    for (const id of [...(this.#bySubject.get(subject) ?? [])]) this.#tokens.delete(id)
    for (const readings of this.#readings.values()) for (const reading of readings) reading.ended.add(subject)
  }

  forgetAll(): void {
    this.#tokens.clear()
    for (const readings of this.#readings.values()) for (const reading of readings) reading.isOutdated = true
  }
}
