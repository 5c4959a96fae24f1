/**
 * Keeps a server that cannot be reached from holding requests.
 *
 * @module
 */

/** Options of {@link CircuitBreaker}. */
export interface CircuitBreakerOptions {
  /** Pause after the first failure; each further one doubles it. */
  readonly pauseMs: number
  /** @defaultValue `pauseMs` */
  readonly maxPauseMs?: number
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** Beyond it, a power of two says nothing more. */
const maxDoublings = 10

/**
 * Remembers failures. During a pause nothing is tried; after it a single attempt decides: success closes the circuit, failure
 * starts another pause.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions
  #failures = 0
  #pauseEndsAt = 0
  #error: unknown
  #isProbing = false
  /** Rises with each outcome that counts. */
  #outcomes = 0

  constructor(options: CircuitBreakerOptions) {
    this.#options = options
  }

  /** Rejects with the last failure at once while a pause lasts, and while another attempt is made after it. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const { pauseMs, maxPauseMs = pauseMs, now } = this.#options
    const isProbe = this.#failures > 0
    if (this.#isProbing || (isProbe && now() < this.#pauseEndsAt)) throw this.#error
    if (isProbe) this.#isProbing = true
    const outcomes = this.#outcomes
    try {
      const result = await attempt()
      this.#failures = 0
      this.#outcomes++
      return result
    } catch (error) {
      // Of the same interruption as one that was counted, or older than a success.
      if (outcomes !== this.#outcomes) throw error
      this.#outcomes++
      this.#pauseEndsAt = now() + Math.min(pauseMs * 2 ** this.#failures, maxPauseMs)
      this.#failures = Math.min(this.#failures + 1, maxDoublings)
      this.#error = error
      throw error
    } finally {
      if (isProbe) this.#isProbing = false
    }
  }
}
