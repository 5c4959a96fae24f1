/**
 * The tokens of one kind in memory, and which of them goes when they are too many.
 *
 * @module
 */

import { LRUCache } from 'lru-cache'
import type { TokenRecord } from '../token-store.js'
import { EndQueue, StoredToken, UserTokens } from './stored-token.js'

/** Options of {@link TokenPool}. */
export interface TokenPoolOptions {
  readonly maxSize: number
  readonly maxPerUser: number
  /** Whether a new token evicts another one of a full pool; else it is refused. */
  readonly evicts: boolean
  readonly onEvict: (record: TokenRecord) => void
  /** Called with each token that goes, for whatever reason. */
  readonly onRemove?: ((record: TokenRecord) => void) | undefined
}

/** Tokens removed in one turn of the event loop. */
const sliceSize = 128

/** Holds the tokens of a store that share one bound. */
export class TokenPool {
  readonly #options: TokenPoolOptions
  /** By id, in the order of use. It is never full when one is added: see {@link TokenPool.#makeRoom}. */
  readonly #tokens: LRUCache<string, StoredToken>
  /** By subject. A user without tokens is not held. */
  readonly #users = new Map<string, UserTokens>()
  /**
   * Each in the order in which its tokens end, so that what has ended is in front. Tokens of one lifetime share a queue, and
   * each further lifetime takes at most one more.
   */
  readonly #queues: EndQueue[] = []

  constructor(options: TokenPoolOptions) {
    this.#options = options
    // Bounded by size and not by `max`, which would take the memory of a full cache at once.
    this.#tokens = new LRUCache({ maxSize: options.maxSize, sizeCalculation: () => 1 })
  }

  get size(): number {
    return this.#tokens.size
  }

  get maxSize(): number {
    return this.#options.maxSize
  }

  find(id: string): StoredToken | undefined {
    return this.#tokens.peek(id)
  }

  /** Adds a token whose id is not held; `false` when there is no room. */
  add(record: TokenRecord, useNumber: number, now: number): boolean {
    const { subject } = record
    if (!this.#makeRoom(subject, now)) return false
    const owner = this.#users.get(subject) ?? new UserTokens(subject)
    const token = new StoredToken(record, owner, useNumber)
    if (owner.count++ === 0) this.#users.set(subject, owner)
    owner.append(token)
    this.#tokens.set(token.id, token)
    this.#enqueue(token)
    return true
  }

  /** Notes a use. A token that has ended by then stays as it is. Whether the id is held. */
  touch(id: string, at: number, useNumber: number): boolean {
    const token = this.#tokens.get(id)
    if (token === undefined) return false
    const { endsAt } = token
    if (endsAt <= at) return true
    token.lastAccessAt = at
    token.useNumber = useNumber
    token.owner.append(token)
    if (token.endsAt !== endsAt) this.#enqueue(token)
    return true
  }

  remove(token: StoredToken): void {
    const { owner } = token
    this.#tokens.delete(token.id)
    token.leave()
    token.placeInQueue.leave()
    if (--owner.count === 0) this.#users.delete(owner.subject)
    this.#options.onRemove?.(token)
  }

  removeBySubject(subject: string): number {
    const tokens = [...this.mostRecentFirst(subject)]
    for (const token of tokens) this.remove(token)
    return tokens.length
  }

  /** The tokens of one user, or of all when `subject` is absent. The order must not change meanwhile. */
  mostRecentFirst(subject: string | undefined): Iterable<StoredToken> {
    return subject === undefined ? this.#tokens.values() : (this.#users.get(subject)?.fromLast() ?? [])
  }

  /** Removes up to a slice of what has ended. Whether there is more. */
  removeEnded(now: number): boolean {
    for (let count = 0; count < sliceSize; count++) {
      const ended = this.#findEnded(now)
      if (ended === undefined) return false
      this.remove(ended)
    }
    return this.#findEnded(now) !== undefined
  }

  clear(): void {
    this.#tokens.clear()
    this.#users.clear()
    this.#queues.length = 0
  }

  /** Ended tokens go first; then the longest idle of a user who is at a bound or holds more than half; then that of all. */
  #makeRoom(subject: string, now: number): boolean {
    const { maxSize, maxPerUser } = this.#options
    const owner = this.#users.get(subject)
    if (owner !== undefined && owner.count >= maxPerUser) {
      this.#removeEndedOf(owner, now)
      if (owner.count >= maxPerUser && !this.#evict(owner.first)) return false
    }
    if (this.size < maxSize) return true
    this.removeEnded(now)
    const holdsMoreThanHalf = owner !== undefined && owner.count > maxSize / 2
    return this.size < maxSize || this.#evict(holdsMoreThanHalf ? owner.first : this.#longestIdle())
  }

  #longestIdle(): StoredToken | undefined {
    return this.#tokens.rvalues().next().value ?? undefined
  }

  #evict(token: StoredToken | undefined): boolean {
    const { evicts, onEvict } = this.#options
    if (token === undefined || !evicts) return false
    this.remove(token)
    onEvict(token)
    return true
  }

  #removeEndedOf(owner: UserTokens, now: number): void {
    if (this.#findEnded(now) === undefined) return
    for (const token of [...owner.fromLast()]) {
      if (token.endsAt <= now) this.remove(token)
    }
  }

  /** Puts a token at the end of the first queue whose last one ends no later. */
  #enqueue({ placeInQueue, endsAt }: StoredToken): void {
    placeInQueue.leave()
    let queue = this.#queues.find(({ last }) => last === undefined || last.token.endsAt <= endsAt)
    if (queue === undefined) {
      queue = new EndQueue()
      this.#queues.push(queue)
    }
    queue.append(placeInQueue)
  }

  #findEnded(now: number): StoredToken | undefined {
    return this.#queues.find(({ first }) => first !== undefined && first.token.endsAt <= now)?.first?.token
  }
}
