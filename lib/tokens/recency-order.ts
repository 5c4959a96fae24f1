/**
 * The look-up of the memory store and its order of use: one lru-cache, or several whose orders are read as one.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import { mergedByTick } from './merged-by-tick.js'
import { partCapacityFor, partCountFor, partOf } from './part-of.js'
import type { TokenEntry } from './token-entry.js'

/** Tick of the longest-idle entry of an empty part. */
const nobody = Number.POSITIVE_INFINITY

/** Tick that has to be looked up again. */
const unknown = Number.NaN

/** Finds entries by id and keeps them in the order of their `tick`. It never puts one out by itself. */
export class RecencyOrder {
  readonly #parts: (LRUCache<string, TokenEntry> | undefined)[]
  readonly #partCapacity: number
  /** For each part the tick of its longest-idle entry, so that the oldest of all is found without opening each part. */
  readonly #idlestTicks: Float64Array
  #size = 0

  constructor(maxEntries: number) {
    this.#parts = new Array(partCountFor(maxEntries)).fill(undefined)
    this.#partCapacity = partCapacityFor(maxEntries)
    this.#idlestTicks = new Float64Array(this.#parts.length).fill(nobody)
  }

  get size(): number {
    return this.#size
  }

  find(id: string): TokenEntry | undefined {
    return this.#parts[partOf(id, this.#parts.length)]?.peek(id)
  }

  /** Whether the part that the id belongs to is full: ids that are not digests may all fall into one part. */
  isPartFull(id: string): boolean {
    return this.#parts[partOf(id, this.#parts.length)]?.size === this.#partCapacity
  }

  /** Adds an entry that is not held, as the one that was used last. */
  add(entry: TokenEntry): void {
    const number = partOf(entry.id, this.#parts.length)
    let part = this.#parts[number]
    if (part === undefined) {
      part = new LRUCache({ max: this.#partCapacity })
      this.#parts[number] = part
    }
    part.set(entry.id, entry)
    if (this.#idlestTicks[number] === nobody) this.#idlestTicks[number] = entry.tick
    this.#size++
  }

  /** Makes an entry the one that was used last. */
  touch(id: string, at: number, tick: number): TokenEntry | undefined {
    const number = partOf(id, this.#parts.length)
    const entry = this.#parts[number]?.get(id)
    if (entry === undefined) return undefined
    if (this.#idlestTicks[number] === entry.tick) this.#idlestTicks[number] = unknown
    entry.noteAccess(at, tick)
    return entry
  }

  remove(entry: TokenEntry): void {
    const number = partOf(entry.id, this.#parts.length)
    if (this.#parts[number]?.delete(entry.id) !== true) return
    if (this.#idlestTicks[number] === entry.tick) this.#idlestTicks[number] = unknown
    this.#size--
  }

  /** The entry that has not been used for the longest time. */
  longestIdle(): TokenEntry | undefined {
    let idlestPart = 0
    let idlestTick = nobody
    for (let number = 0; number < this.#idlestTicks.length; number++) {
      let tick = this.#idlestTicks[number]!
      if (Number.isNaN(tick)) {
        tick = this.#longestIdleOfPart(number)?.tick ?? nobody
        this.#idlestTicks[number] = tick
      }
      if (tick < idlestTick) {
        idlestTick = tick
        idlestPart = number
      }
    }
    return this.#longestIdleOfPart(idlestPart)
  }

  /** The longest-idle entry of the part that the id belongs to. */
  longestIdleNextTo(id: string): TokenEntry | undefined {
    return this.#longestIdleOfPart(partOf(id, this.#parts.length))
  }

  #longestIdleOfPart(number: number): TokenEntry | undefined {
    return this.#parts[number]?.rvalues().next().value ?? undefined
  }

  /** All entries, the most recently used first. The order must not change meanwhile. */
  mostRecentFirst(): Generator<TokenEntry, undefined> {
    return mergedByTick(this.#parts.map((part) => (part?.values() ?? []) as Iterable<TokenEntry>))
  }

  clear(): void {
    this.#parts.fill(undefined)
    this.#idlestTicks.fill(nobody)
    this.#size = 0
  }
}
