/**
 * Keeps a directory that cannot be reached from holding requests.
 *
 * @module
 */

/** Remembers a failure to connect for a while. */
export interface CircuitBreaker {
  /**
   * Runs one attempt to connect. While the pause after a failure lasts, and while somebody else tries after it, rejects
   * with that failure at once.
   */
  run<T>(attempt: () => Promise<T>): Promise<T>
}

/** Makes a breaker. `now` gives milliseconds that never go back. */
export function circuitBreaker(pauseMs: number, now: () => number): CircuitBreaker {
  let failure: { readonly error: unknown; readonly endsAt: number } | undefined
  let isProbing = false

  return {
    async run(attempt) {
      const known = failure
      if (known !== undefined && (isProbing || now() < known.endsAt)) throw known.error
      const isProbe = known !== undefined
      if (isProbe) isProbing = true
      try {
        const result = await attempt()
        failure = undefined
        return result
      } catch (error) {
        failure = { error, endsAt: now() + pauseMs }
        throw error
      } finally {
        if (isProbe) isProbing = false
      }
    },
  }
}
