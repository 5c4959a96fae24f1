/**
 * A bounded table of counters for the login throttle.
 *
 * @module
 */

/** What each record of a {@link RecordTable} has. */
export interface HeldRecord {
  /** Logins under way that count on this record. */
  holds: number
  /** From when on the record says nothing any more, in milliseconds since the epoch. */
  readonly endsAt: number
}

/** A full table is searched for ended records once in so long at the most: each search visits every record. */
const minSweepMs = 1000

/**
 * Records by key. No record is dropped before it ends, or a flood of other keys could set its counters back: a full table has
 * no room for another key, and the caller counts on a coarser one.
 */
export class RecordTable<T extends HeldRecord> {
  readonly #records = new Map<string, T>()
  readonly #maxEntries: number
  #fullUntil = 0

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get(key: string): T | undefined {
    return this.#records.get(key)
  }

  /** Whether this key has a record, or may have one. */
  hasRoom(key: string, now: number): boolean {
    if (this.#records.has(key) || this.#records.size < this.#maxEntries) return true
    if (now < this.#fullUntil) return false
    this.#sweep(now)
    return this.#records.size < this.#maxEntries
  }

  /** The record with this key, made when there is none. Each call needs one of {@link release}. */
  hold(key: string, create: () => T): T {
    const record = this.#records.get(key) ?? create()
    record.holds++
    this.#records.set(key, record)
    return record
  }

  /** Removes the record when no login counts on it and it has nothing to say. */
  release(key: string, record: T, now: number): void {
    record.holds--
    this.removeEnded(key, record, now)
  }

  removeEnded(key: string, record: T, now: number): void {
    if (record.holds === 0 && record.endsAt <= now) this.#records.delete(key)
  }

  entries(): Iterable<[string, T]> {
    return this.#records.entries()
  }

  #sweep(now: number): void {
    let earliest = Number.POSITIVE_INFINITY
    for (const [key, record] of this.#records) {
      this.removeEnded(key, record, now)
      earliest = Math.min(earliest, Math.max(record.endsAt, now))
    }
    this.#fullUntil = Math.max(earliest, now + minSweepMs)
  }
}
