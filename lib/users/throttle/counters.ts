/**
 * Counts failed logins by key in leaky buckets: so many at once, then slowly, never not at all.
 *
 * @module
 */

/** What a bucket holds. Moments are in milliseconds. */
export interface BucketState {
  readonly level: number
  /** When `level` was true. */
  readonly at: number
  /** While it keeps filling up, and a window longer, it has been told of. */
  readonly toldUntil: number
}

const emptyBucket: BucketState = { level: 0, at: 0, toldUntil: 0 }

/** Failures of one key. */
export class Bucket implements HeldRecord {
  holds = 0
  #state: BucketState
  readonly #leakMs: number

  constructor(leakMs: number, state: BucketState = emptyBucket) {
    this.#leakMs = leakMs
    this.#state = state
  }

  get state(): BucketState {
    return this.#state
  }

  get endsAt(): number {
    const { at, level } = this.#state
    return at + level * this.#leakMs
  }

  levelAt(now: number): number {
    const { at, level } = this.#state
    return Math.max(0, level - Math.max(0, now - at) / this.#leakMs)
  }

  fail(now: number): void {
    this.#state = { ...this.#state, level: this.levelAt(now) + 1, at: now }
  }

  empty(): void {
    this.#state = { ...this.#state, level: 0, toldUntil: 0 }
  }

  /** Whether it is full for the first time in a window. */
  isNewlyFull(now: number, capacity: number): boolean {
    if (this.#state.level + 1 <= capacity) return false
    const isTold = now < this.#state.toldUntil
    this.#state = { ...this.#state, toldUntil: now + capacity * this.#leakMs }
    return !isTold
  }
}

/** The bucket of all keys that found no room. No digest is empty. */
const everyOtherKey = ''

/** Leaky buckets by key. Logins under way count as failures until they are settled. */
export class FailureBuckets {
  readonly #capacity: number
  readonly #leakMs: number
  readonly #table: RecordTable<Bucket>

  /** `capacity` failures fill a bucket, one of which leaks away in `leakMs`. All keys that find no room share one. */
  constructor(
    table: RecordTable<Bucket>,
    { capacity, leakMs }: { readonly capacity: number; readonly leakMs: number },
  ) {
    this.#capacity = capacity
    this.#leakMs = leakMs
    this.#table = table
  }

  /** Whole milliseconds until the bucket takes one more failure; 0 when it does now. */
  waitMs(key: string, now: number): number {
    const bucket = this.#table.get(this.#keyFor(key, now))
    if (bucket === undefined) return 0
    const excess = bucket.levelAt(now) + bucket.holds + 1 - this.#capacity
    return Math.round(Math.max(0, excess) * this.#leakMs)
  }

  /** Sets room aside for one login. The key that it returns is for {@link settle}, which must be called once. */
  hold(key: string, now: number): string {
    const heldKey = this.#keyFor(key, now)
    this.#table.hold(heldKey, () => new Bucket(this.#leakMs))
    return heldKey
  }

  /**
   * Gives the room of a login back.
   *
   * @returns Milliseconds until the next one is taken, when this one filled the bucket for the first time in a window; else 0.
   */
  settle(heldKey: string, hasFailed: boolean, now: number): number {
    const bucket = this.#table.get(heldKey)
    if (bucket === undefined) return 0
    if (hasFailed) bucket.fail(now)
    const isNewlyFull = hasFailed && bucket.isNewlyFull(now, this.#capacity)
    this.#table.release(heldKey, bucket, now)
    return isNewlyFull ? this.waitMs(heldKey, now) : 0
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

/** The times and limits of {@link PairLock}. */
export interface PairLockPolicy {
  readonly maxFailures: number
  readonly windowMs: number
  readonly lockoutMs: number
}

/** What is counted of a pair. Moments are in milliseconds. */
export interface PairLockState {
  readonly failures: number
  readonly windowEndsAt: number
  readonly locks: number
  readonly lockedUntil: number
}

const noFailures: PairLockState = { failures: 0, windowEndsAt: 0, locks: 0, lockedUntil: 0 }

/** Failures and locks of one pair of user and source. */
export class PairLock implements HeldRecord {
  /** Key of the user, to find all pairs of one user; `undefined` for a record that many users share. */
  readonly user: string | undefined
  holds = 0
  /** Logins under way that may still turn out to be failures. */
  pending = 0
  /** Called, the first one first, when a login under way has been settled. */
  readonly waiters: Set<() => boolean> = new Set()
  readonly #policy: PairLockPolicy
  #state: PairLockState

  constructor(user: string | undefined, policy: PairLockPolicy, state: PairLockState = noFailures) {
    this.user = user
    this.#policy = policy
    this.#state = state
  }

  get state(): PairLockState {
    return this.#state
  }

  /** The window after a lock counts too: a lock within it is a longer one. */
  get endsAt(): number {
    const { windowEndsAt, locks, lockedUntil } = this.#state
    return Math.max(windowEndsAt, locks === 0 ? 0 : lockedUntil + this.#policy.windowMs)
  }

  /** Milliseconds until the lock ends; 0 or less when there is none. */
  lockedMs(now: number): number {
    return this.#state.lockedUntil - now
  }

  /** Whether one more login could fail without passing the limit, if those under way failed as well. */
  hasRoom(now: number): boolean {
    return this.#failuresAt(now) + this.pending < this.#policy.maxFailures
  }

  /**
   * Counts a failure. The one that reaches the limit locks: twice as long as the last time, up to the window.
   *
   * @returns Milliseconds of the lock that it began; 0: none.
   */
  fail(now: number): number {
    const { maxFailures, windowMs, lockoutMs } = this.#policy
    const { windowEndsAt, lockedUntil } = this.#state
    const failures = this.#failuresAt(now) + 1
    if (failures < maxFailures) {
      this.#state = { ...this.#state, failures, windowEndsAt: now < windowEndsAt ? windowEndsAt : now + windowMs }
      return 0
    }
    const locks = now >= lockedUntil + windowMs ? 0 : this.#state.locks
    const lockedMs = Math.min(lockoutMs * 2 ** locks, Math.max(lockoutMs, windowMs))
    this.#state = { failures: 0, windowEndsAt: 0, locks: locks + 1, lockedUntil: now + lockedMs }
    return lockedMs
  }

  reset(): void {
    this.#state = noFailures
  }

  #failuresAt(now: number): number {
    return now < this.#state.windowEndsAt ? this.#state.failures : 0
  }

  /** Lets waiting logins on, for as long as each of them gets an answer. */
  wake(): void {
    for (const goesOn of this.waiters) {
      if (!goesOn()) return
      this.waiters.delete(goesOn)
    }
  }
}

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
  readonly #records: Map<string, T>
  readonly #maxEntries: number
  #fullUntil = 0

  constructor(maxEntries: number, records: ReadonlyMap<string, T> = new Map()) {
    this.#maxEntries = maxEntries
    this.#records = new Map(records)
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
