/**
 * A bounded cache in which nobody evicts the entries of everybody else: the rule of the token store, for entries that are no
 * tokens.
 *
 * @module
 */

/** What an entry tells about itself. */
export interface FairCacheEntry {
  /** Whose it is. */
  readonly subject: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Options of {@link FairCache}. */
export interface FairCacheOptions<Entry> {
  readonly maxEntries: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Told of each entry that left because its place was needed, after it has gone. */
  readonly onEvict?: ((entry: Entry, id: string) => void) | undefined
}

/**
 * When it is full, what has expired goes first; then, if the user of the new entry holds more than half of it, the entry of that
 * user that was not used for the longest time; else the one of all.
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

  /** Adds an entry, or replaces it. */
  set(id: string, entry: Entry): void {
    const before = this.#entries.get(id)
    if (before === undefined) this.#makeRoom(entry.subject)
    else if (before.subject !== entry.subject) this.delete(id)
    if (before === undefined || before.expiresAt < entry.expiresAt) this.#expiring.delete(id)
    this.#expiring.add(id)
    this.#noteUse(id, entry)
  }

  delete(id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    this.#entries.delete(id)
    this.#expiring.delete(id)
    const ids = this.#idsOfSubject.get(entry.subject)
    ids?.delete(id)
    if (ids?.size === 0) this.#idsOfSubject.delete(entry.subject)
  }

  clear(): void {
    this.#entries.clear()
    this.#idsOfSubject.clear()
    this.#expiring.clear()
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
    this.#options.onEvict?.(entry, id)
  }
}
