/** What a Redis server keeps: texts, hashes and sorted sets, some of which expire. */

export interface Value {
  readonly content: string | Map<string, string> | SortedSet
  /** Milliseconds since the epoch. */
  expiresAt: number | undefined
}

export class SortedSet {
  readonly scores: Map<string, number>
  #sorted: readonly (readonly [string, number])[] | undefined

  constructor(scores: ReadonlyMap<string, number> = new Map()) {
    this.scores = new Map(scores)
  }

  set(member: string, score: number): void {
    this.scores.set(member, score)
    this.#sorted = undefined
  }

  delete(member: string): boolean {
    this.#sorted = undefined
    return this.scores.delete(member)
  }

  /** By score, then by bytes. */
  get sorted(): readonly (readonly [string, number])[] {
    this.#sorted ??= [...this.scores].sort(([left, low], [right, high]) => low - high || (left < right ? -1 : 1))
    return this.#sorted
  }
}

export class WrongTypeError extends Error {}

/** The keys of a server. */
export class Data {
  readonly #values = new Map<string, Value>()

  get size(): number {
    return this.#values.size
  }

  keys(): IterableIterator<string> {
    return this.#values.keys()
  }

  /** Expired or not. */
  peek(key: string): Value | undefined {
    return this.#values.get(key)
  }

  text(key: string): string | undefined {
    const content = this.#values.get(key)?.content
    if (content === undefined || typeof content === 'string') return content
    throw new WrongTypeError()
  }

  hash(key: string): Map<string, string> | undefined {
    const content = this.#values.get(key)?.content
    if (content === undefined || content instanceof Map) return content
    throw new WrongTypeError()
  }

  sortedSet(key: string): SortedSet | undefined {
    const content = this.#values.get(key)?.content
    if (content === undefined || content instanceof SortedSet) return content
    throw new WrongTypeError()
  }

  set(key: string, content: Value['content'], expiresAt?: number): void {
    this.#values.set(key, { content, expiresAt })
  }

  delete(key: string): boolean {
    return this.#values.delete(key)
  }

  clear(): void {
    this.#values.clear()
  }

  /** A copy, as another server gets it at a full synchronization. */
  copy(): Data {
    const copied = new Data()
    for (const [key, { content, expiresAt }] of this.#values) {
      const same =
        content instanceof SortedSet
          ? new SortedSet(content.scores)
          : content instanceof Map
            ? new Map(content)
            : content
      copied.set(key, same, expiresAt)
    }
    return copied
  }
}
