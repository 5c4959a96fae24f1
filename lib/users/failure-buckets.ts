/**
 * Counts failed logins by key in leaky buckets: so many at once, then slowly, never not at all.
 *
 * @module
 */

import { type HeldRecord, RecordTable } from './record-table.js'

/** Options of {@link FailureBuckets}. */
export interface FailureBucketsOptions {
  /** Failures that fill a bucket. */
  readonly capacity: number
  /** Milliseconds in which a full bucket runs empty. */
  readonly windowMs: number
  /** Buckets at the most, none of which is empty. All further keys share one. */
  readonly maxEntries: number
}

/** Failures of one key. */
class Bucket implements HeldRecord {
  holds = 0
  #level = 0
  /** When `#level` was true, in milliseconds. */
  #at = 0
  /** While it keeps filling up, and a window longer, it has been told of. */
  #toldUntil = 0
  readonly #leakMs: number

  constructor(leakMs: number) {
    this.#leakMs = leakMs
  }

  get endsAt(): number {
    return this.#at + this.#level * this.#leakMs
  }

  levelAt(now: number): number {
    return Math.max(0, this.#level - Math.max(0, now - this.#at) / this.#leakMs)
  }

  fail(now: number): void {
    this.#level = this.levelAt(now) + 1
    this.#at = now
  }

  empty(): void {
    this.#level = 0
    this.#toldUntil = 0
  }

  /** Whether it is full for the first time in a window. */
  isNewlyFull(now: number, capacity: number): boolean {
    if (this.#level + 1 <= capacity) return false
    const isTold = now < this.#toldUntil
    this.#toldUntil = now + capacity * this.#leakMs
    return !isTold
  }
}

/** The bucket of all keys that found no room. No digest is empty. */
const everyOtherKey = ''

/** Leaky buckets by key. Logins under way count as failures until they are settled. */
export class FailureBuckets {
  readonly #capacity: number
  /** Milliseconds in which one failure leaks away. */
  readonly #leakMs: number
  readonly #table: RecordTable<Bucket>

  constructor({ capacity, windowMs, maxEntries }: FailureBucketsOptions) {
    this.#capacity = capacity
    this.#leakMs = windowMs / capacity
    this.#table = new RecordTable(maxEntries)
  }

  /** Whole milliseconds until the bucket takes one more failure; 0 when it does now. */
  waitMs(key: string, now: number): number {
    const bucket = this.#table.get(this.#keyFor(key, now))
    if (bucket === undefined) return 0
    const excess = bucket.levelAt(now) + bucket.holds + 1 - this.#capacity
    return Math.round(Math.max(0, excess) * this.#leakMs)
  }

  /**
   * Sets room aside for one login. What it returns gives the room back, and must be called once: with the milliseconds until the
   * next one is taken when this one filled the bucket for the first time in a window, else 0.
   */
  hold(key: string, now: number): (outcome: { readonly hasFailed: boolean; readonly now: number }) => number {
    const heldKey = this.#keyFor(key, now)
    const bucket = this.#table.hold(heldKey, () => new Bucket(this.#leakMs))
    return ({ hasFailed, now }) => {
      if (hasFailed) bucket.fail(now)
      const isNewlyFull = hasFailed && bucket.isNewlyFull(now, this.#capacity)
      this.#table.release(heldKey, bucket, now)
      return isNewlyFull ? this.waitMs(key, now) : 0
    }
  }

  /** Takes all failures out of a bucket. */
  empty(key: string, now: number): void {
    const bucket = this.#table.get(key)
    if (bucket === undefined) return
    bucket.empty()
    this.#table.removeEnded(key, bucket, now)
  }

  #keyFor(key: string, now: number): string {
    return this.#table.hasRoom(key, now) ? key : everyOtherKey
  }
}
