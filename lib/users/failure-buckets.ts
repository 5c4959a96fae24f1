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
  /** Buckets that are remembered; an empty one is as good as none. */
  readonly maxEntries: number
}

interface Bucket extends HeldRecord {
  level: number
  /** When `level` was true, in milliseconds. */
  at: number
}

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
    const bucket = this.#table.peek(key)
    if (bucket === undefined) return 0
    const excess = this.#levelAt(bucket, now) + bucket.holds + 1 - this.#capacity
    return Math.round(Math.max(0, excess) * this.#leakMs)
  }

  /** Sets room aside for one login. What it returns gives the room back, and must be called once. */
  hold(key: string): (outcome: { readonly hasFailed: boolean; readonly now: number }) => void {
    const bucket = this.#table.hold(key, () => ({ holds: 0, level: 0, at: 0 }))
    return ({ hasFailed, now }) => {
      this.#table.release(key, bucket)
      if (!hasFailed) return
      bucket.level = this.#levelAt(bucket, now) + 1
      bucket.at = now
      this.#table.keep(key, bucket)
    }
  }

  /** Takes all failures out of a bucket. */
  empty(key: string): void {
    const bucket = this.#table.peek(key)
    if (bucket !== undefined) bucket.level = 0
    this.#table.forget(key)
  }

  #levelAt({ level, at }: Bucket, now: number): number {
    return Math.max(0, level - Math.max(0, now - at) / this.#leakMs)
  }
}
