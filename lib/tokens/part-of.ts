/**
 * Chooses the part of a store that a key belongs to.
 *
 * A hash table of a million entries takes 16 to 55 ms to grow or shrink. Many small ones take well under a millisecond
 * each, and never all at once.
 *
 * @module
 */

/** How many entries a part holds on average, at most. V8's Map then stays within 16 384 places, with holes from removals. */
const entriesPerPart = 8_000

/** How many parts a store for so many entries has. A small store has one. */
export function partCountFor(maxEntries: number): number {
  return Math.ceil(maxEntries / entriesPerPart)
}

/** Entries that one of several parts must have room for: more than twenty standard deviations above the average. */
export function partCapacityFor(maxEntries: number): number {
  const partCount = partCountFor(maxEntries)
  return partCount === 1 ? maxEntries : Math.ceil((maxEntries / partCount) * 1.25)
}

/** The last characters of a key decide: those of a digest are evenly spread, those of counted names differ. */
const hashedCharacters = 8

/** Returns the number of the part for a key, from 0 to `partCount` - 1 (FNV-1a over the last characters). */
export function partOf(key: string, partCount: number): number {
  if (partCount === 1) return 0
  let hash = 0x811c9dc5
  for (let index = Math.max(0, key.length - hashedCharacters); index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % partCount
}
