/**
 * Tokens in the order in which they expire.
 *
 * @module
 */

import type { TokenEntry } from './token-entry.js'

/** A list in ascending order of expiry. The ends are sentinels, so that an entry leaves without knowing its lane. */
interface Lane {
  readonly head: Link
  readonly tail: Link
}

/** What an entry and the ends of a lane have in common. */
interface Link {
  readonly endsAt: number
  earlierToExpire: Link | undefined
  laterToExpire: Link | undefined
}

/**
 * Keeps entries in lanes, each in ascending order, and appends only. Tokens of equal lifetime all go to one lane, and
 * each further lifetime takes at most one more, so that adding and removing take constant time. An entry with an idle
 * time-out moves to the end at each use, which makes that time-out its lifetime. Expiries in no order at all still work, with
 * as many lanes as the longest descending row among them.
 */
export class ExpiryOrder {
  readonly #lanes: Lane[] = []

  add(entry: TokenEntry): void {
    const { tail } = this.#laneFor(entry.endsAt)
    const before = tail.earlierToExpire!
    linkUp(before, entry)
    linkUp(entry, tail)
  }

  remove(entry: TokenEntry): void {
    linkUp(entry.earlierToExpire!, entry.laterToExpire!)
    entry.earlierToExpire = undefined
    entry.laterToExpire = undefined
  }

  /** Finds the place of an entry anew, because its end has changed. */
  move(entry: TokenEntry): void {
    this.remove(entry)
    this.add(entry)
  }

  /** An entry whose time has come, or `undefined`. */
  findExpired(now: number): TokenEntry | undefined {
    for (const { head } of this.#lanes) {
      const first = head.laterToExpire!
      if (first.endsAt <= now) return first as TokenEntry
    }
    return undefined
  }

  clear(): void {
    this.#lanes.length = 0
  }

  /** The first lane whose last entry expires no later; an empty one takes any entry. */
  #laneFor(endsAt: number): Lane {
    for (const lane of this.#lanes) {
      if (lane.tail.earlierToExpire!.endsAt <= endsAt) return lane
    }
    const lane: Lane = { head: sentinel(Number.NEGATIVE_INFINITY), tail: sentinel(Number.POSITIVE_INFINITY) }
    linkUp(lane.head, lane.tail)
    this.#lanes.push(lane)
    return lane
  }
}

function sentinel(endsAt: number): Link {
  return { endsAt, earlierToExpire: undefined, laterToExpire: undefined }
}

function linkUp(earlier: Link, later: Link): void {
  earlier.laterToExpire = later
  later.earlierToExpire = earlier
}
