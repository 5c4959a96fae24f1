/**
 * A bounded cache of what belongs to users.
 *
 * @module
 */

export interface FairCacheEntry {
  readonly subject: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export interface FairCacheOptions<Entry> {
  readonly maxEntries: number
  readonly clock: () => number
  /** Told of each entry that was evicted, after it has gone. */
  readonly onEvict: (entry: Entry) => void
}

/**
 * A bounded cache in which no user evicts the entries of all others, as in the token store. When it is full, what has expired goes
 * first; then, if the user of the new entry holds more than half of it, that user's longest idle entry; else the longest idle of all.
 */
export class FairCache<Entry extends FairCacheEntry> {
  readonly #options: FairCacheOptions<Entry>
  /** In the order of use, the longest idle first. */
  readonly #entries = new Map<string, Entry>()
  /** The ids of each user, in the same order. */
  readonly #idsOfSubject = new Map<string, Set<string>>()
  /** In the order of expiry: entries of one kind live equally long. */
  readonly #expiring = new Set<string>()

  constructor(options: FairCacheOptions<Entry>) {
    this.#options = options
  }

  /** Looks without using. */
  peek(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  /** Finds an entry, which is a use of it. */
  get(id: string): Entry | undefined {
    const entry = this.#entries.get(id)
    if (entry !== undefined) this.#noteUse(id, entry)
    return entry
  }

  /** In the order of use, the longest idle first. */
  values(): Iterable<Entry> {
    return this.#entries.values()
  }

  set(id: string, entry: Entry): void {
    const before = this.#entries.get(id)
    if (before === undefined) this.#makeRoom(entry.subject)
    else if (before.subject !== entry.subject) this.delete(id)
    if (before === undefined || before.expiresAt < entry.expiresAt) this.#expiring.delete(id)
    this.#expiring.add(id)
    this.#noteUse(id, entry)
  }

  delete(id: string): void {
    const { subject = '' } = this.#entries.get(id) ?? {}
    const ids = this.#idsOfSubject.get(subject)
    ids?.delete(id)
    if (ids?.size === 0) this.#idsOfSubject.delete(subject)
    this.#entries.delete(id)
    this.#expiring.delete(id)
  }

  clear(): void {
    for (const collection of [this.#entries, this.#idsOfSubject, this.#expiring]) collection.clear()
  }

  #noteUse(id: string, entry: Entry): void {
    const ids = this.#idsOfSubject.get(entry.subject) ?? new Set()
    this.#idsOfSubject.set(entry.subject, ids)
    ids.delete(id)
    ids.add(id)
    this.#entries.delete(id)
    this.#entries.set(id, entry)
  }

  #makeRoom(subject: string): void {
    const { maxEntries, clock } = this.#options
    if (this.#entries.size < maxEntries) return
    const now = clock()
    for (const id of this.#expiring) {
      if (now < this.#entries.get(id)!.expiresAt) break
      this.#evict(id)
    }
    if (this.#entries.size < maxEntries) return
    const ids = this.#idsOfSubject.get(subject)
    const [victim] = ids !== undefined && ids.size > maxEntries / 2 ? ids : this.#entries.keys()
    this.#evict(victim!)
  }

  #evict(id: string): void {
    const entry = this.#entries.get(id)!
    this.delete(id)
    this.#options.onEvict(entry)
  }
}
