/**
 * Runs work one at a time.
 *
 * @module
 */

/** Runs `work` when all earlier work has ended, whatever its outcome. */
export type Mutex = <T>(work: () => Promise<T>) => Promise<T>

export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve()
  return function runAlone(work) {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
}
