/**
 * A bounded table of counters for the login throttle.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'

/** What each record of a {@link RecordTable} has. */
export interface HeldRecord {
  /** Logins under way that count on this record. */
  holds: number
}

/**
 * Records by key. The longest unused ones are dropped when there are too many; a record that a login under way counts on
 * is never dropped, or a flood of other keys could set its counters back in the middle of a guess.
 */
export class RecordTable<T extends HeldRecord> {
  readonly #kept: LRUCache<string, T>
  readonly #held = new Map<string, T>()

  constructor(maxEntries: number) {
    this.#kept = new LRUCache({ max: maxEntries })
  }

  peek(key: string): T | undefined {
    return this.#held.get(key) ?? this.#kept.get(key)
  }

  /** The record with this key, made when there is none. Each call needs one of {@link release}. */
  hold(key: string, create: () => T): T {
    const record = this.peek(key) ?? create()
    record.holds++
    this.#held.set(key, record)
    return record
  }

  release(key: string, record: T): void {
    record.holds--
    if (record.holds === 0) this.#held.delete(key)
  }

  /** Makes a held record outlast its logins. */
  keep(key: string, record: T): void {
    this.#kept.set(key, record)
  }

  forget(key: string): void {
    this.#kept.delete(key)
  }

  /** Every record, held or kept, with its key; one that is both comes twice. */
  *entries(): Generator<[string, T]> {
    yield* this.#held.entries()
    yield* this.#kept.entries()
  }
}
