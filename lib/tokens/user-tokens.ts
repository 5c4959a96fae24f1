/**
 * The tokens of each user, the most recently used first.
 *
 * @module
 */

import { partOf } from './part-of.js'
import type { TokenEntry } from './token-entry.js'

/** One user's tokens: a linked list whose links are in the entries, so that each step takes constant time. */
export class UserTokens {
  readonly subject: string
  count = 0
  mostRecent: TokenEntry | undefined = undefined
  longestIdle: TokenEntry | undefined = undefined

  constructor(subject: string) {
    this.subject = subject
  }

  /** Puts an entry that is not in the list first. */
  add(entry: TokenEntry): void {
    entry.newerOfUser = undefined
    entry.olderOfUser = this.mostRecent
    if (this.mostRecent === undefined) this.longestIdle = entry
    else this.mostRecent.newerOfUser = entry
    this.mostRecent = entry
    this.count++
  }

  remove(entry: TokenEntry): void {
    const { newerOfUser: newer, olderOfUser: older } = entry
    if (newer === undefined) this.mostRecent = older
    else newer.olderOfUser = older
    if (older === undefined) this.longestIdle = newer
    else older.newerOfUser = newer
    entry.newerOfUser = undefined
    entry.olderOfUser = undefined
    this.count--
  }

  moveToFront(entry: TokenEntry): void {
    if (entry === this.mostRecent) return
    this.remove(entry)
    this.add(entry)
  }
}

/** Finds {@link UserTokens} by subject. A user without tokens is not held. */
export class UserIndex {
  readonly #parts: readonly Map<string, UserTokens>[]

  constructor(partCount: number) {
    this.#parts = Array.from({ length: partCount }, () => new Map())
  }

  find(subject: string): UserTokens | undefined {
    return this.#partOf(subject).get(subject)
  }

  /** Adds a new entry to the list of its user, which is held from then on. */
  add(entry: TokenEntry): void {
    const { owner } = entry
    if (owner.count === 0) this.#partOf(owner.subject).set(owner.subject, owner)
    owner.add(entry)
  }

  remove(entry: TokenEntry): void {
    const { owner } = entry
    owner.remove(entry)
    if (owner.count === 0) this.#partOf(owner.subject).delete(owner.subject)
  }

  clear(): void {
    for (const part of this.#parts) part.clear()
  }

  #partOf(subject: string): Map<string, UserTokens> {
    return this.#parts[partOf(subject, this.#parts.length)]!
  }
}
