/**
 * Lets work through one at a time.
 *
 * @module
 */

/** Runs work when all earlier work has ended, well or not. */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>

/** Makes a turnstile. */
export function createTurnstile(): Turnstile {
  let last: Promise<unknown> = Promise.resolve()
  return function pass(work) {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
}
