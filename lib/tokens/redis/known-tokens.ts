/**
 * What one process knows of the tokens in Redis, and what it knew when Redis was lost.
 *
 * @module
 */

import { type Moment, msSince, never } from '../../core/moment.js'
import { LocalTokens } from '../external/local-tokens.js'
import type { LocalToken } from '../external/stored-record.js'
import type { TokenRecord } from '../token-store.js'

export class KnownTokens extends LocalTokens {
  readonly #maxLastKnownMs: number
  /** What was there when Redis was lost, and when it was proven last. */
  #lastKnown: ReadonlyMap<string, LocalToken> = new Map()
  #lastKnownAt: Moment = never

  /** `maxLastKnownMs`: for how long what was known is used when Redis was lost. */
  constructor(maxSize: number, maxLastKnownMs: number) {
    super(maxSize)
    this.#maxLastKnownMs = maxLastKnownMs
  }

  /** What is used while Redis cannot be reached. */
  getLastKnown(id: string): LocalToken | undefined {
    return msSince(this.#lastKnownAt) < this.#maxLastKnownMs ? this.#lastKnown.get(id) : undefined
  }

  /** Redis was lost. `provenAt`: until when all this was true; `undefined` where the data was lost as well. */
  lose(provenAt: Moment | undefined): void {
    if (provenAt === undefined) {
      this.#lastKnown = new Map()
    } else if (this.#maxLastKnownMs > 0) {
      const entries = this.entries()
      if (entries.size > 0) {
        this.#lastKnown = entries
        this.#lastKnownAt = provenAt
      }
    }
    this.forgetAll()
  }

  /** Redis is back. Answers with what was used meanwhile. */
  dropLastKnown(): readonly TokenRecord[] {
    const used = [...this.#lastKnown.values()].filter(({ notedAt }) => notedAt === 0)
    this.#lastKnown = new Map()
    return used.map(({ record }) => record)
  }
}
