/**
 * Reads several rows of entries as one, the most recently used first.
 *
 * @module
 */

import type { TokenEntry } from './token-entry.js'

/** Merges rows that are each in descending order of `tick`. They must not change meanwhile. */
export function* mergedByTick(rows: readonly Iterable<TokenEntry>[]): Generator<TokenEntry, undefined> {
  const open = rows.flatMap((row) => {
    const entries = row[Symbol.iterator]()
    const { value: first, done } = entries.next()
    return done === true ? [] : [{ entries, first: first as TokenEntry }]
  })
  while (open.length > 0) {
    const latest = open.reduce((best, other) => (other.first.tick > best.first.tick ? other : best))
    yield latest.first
    const next = latest.entries.next()
    if (next.done === true) open.splice(open.indexOf(latest), 1)
    else latest.first = next.value
  }
}
