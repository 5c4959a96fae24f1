/**
 * The revocations of the last minute that a store has acknowledged: they are executed again where they may be lost.
 *
 * @module
 */

/** How long a revocation is executed again, and how many of tokens and of users there are at the most. */
const replayMs = 60 * 1000
const maxReplayed = 100_000

interface Acknowledged<Value> {
  /** Monotonic time: where the other clock was set forward, nothing is forgotten. */
  readonly at: number
  readonly value: Value
}

/** The revocations of one kind that the store has acknowledged of late. */
export class AcknowledgedRevocations<Value> {
  /** The oldest one first. */
  readonly #entries = new Map<string, Acknowledged<Value>>()

  set(key: string, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, { at: performance.now(), value })
    for (const [oldest, { at }] of this.#entries) {
      if (this.#entries.size <= maxReplayed && isReplayed(at)) break
      this.#entries.delete(oldest)
    }
  }

  list(): (readonly [string, Value])[] {
    return [...this.#entries].flatMap(([key, { at, value }]) => (isReplayed(at) ? [[key, value]] : []))
  }
}

function isReplayed(at: number): boolean {
  return performance.now() - at < replayMs
}

export function slicesOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
