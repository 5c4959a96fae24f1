/**
 * Keeps a database that cannot be reached from holding requests.
 *
 * @module
 */

import type { SqlError } from './sql-database.js'

/** Pause after the first failure; each further one doubles it. */
const firstPauseMs = 250
const longestPauseMs = 2000

/**
 * Remembers failures to connect. During a pause nobody tries; after it a single attempt decides: a connection closes the
 * circuit, a failure begins a longer pause.
 */
export class CircuitBreaker {
  readonly #now: () => number
  #failures = 0
  #pauseEndsAt = 0
  #error: SqlError | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** The last failure while the pause after it lasts; `undefined` when connecting may be tried. */
  get pausedBy(): SqlError | undefined {
    return this.#now() < this.#pauseEndsAt ? this.#error : undefined
  }

  /** Whether the last attempt failed: then one attempt at a time is enough. */
  get isProbing(): boolean {
    return this.#failures > 0
  }

  succeeded(): void {
    this.#failures = 0
    this.#pauseEndsAt = 0
    this.#error = undefined
  }

  failed(error: SqlError): void {
    this.#pauseEndsAt = this.#now() + Math.min(firstPauseMs * 2 ** this.#failures, longestPauseMs)
    this.#failures = Math.min(this.#failures + 1, 10)
    this.#error = error
  }
}
