/**
 * A bounded number of places, and a bounded queue of those who wait for one.
 *
 * @module
 */

import { LdapError } from './ldap-error.js'

/** Options of {@link places}. */
export interface PlacesOptions {
  readonly maxPlaces: number
  /** One more is refused at once. */
  readonly maxWaiting: number
  /** Milliseconds after which one who waits is refused. */
  readonly waitTimeoutMs: number
}

/** Gives out places in the order of the calls. */
export interface Places {
  /**
   * Runs `work` in a place of its own.
   *
   * @throws {@link LdapError} by rejecting: `overloaded` when too many wait, `timeout` when it takes too long; the reason of
   * `signal` when that is aborted before the place is given. Then `work` has not begun.
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** Makes places. */
export function places({ maxPlaces, maxWaiting, waitTimeoutMs }: PlacesOptions): Places {
  const waiting = new Set<() => void>()
  let taken = 0

  function leave(): void {
    const [next] = waiting
    // The place goes to the next one without being free in between, so that nobody overtakes.
    if (next !== undefined) next()
    else taken--
  }

  function wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        waiting.delete(enter)
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }
      const enter = (): void => {
        end()
        resolve()
      }
      const refuse = (reason: unknown): void => {
        end()
        reject(reason)
      }
      const abort = (): void => refuse(signal?.reason)
      const late = (): void => refuse(new LdapError('timeout', 'No connection to the directory was free in time.'))
      const timer = setTimeout(late, waitTimeoutMs)
      signal?.addEventListener('abort', abort, { once: true })
      waiting.add(enter)
    })
  }

  return {
    async run(work, signal) {
      signal?.throwIfAborted()
      if (taken < maxPlaces) taken++
      else if (waiting.size >= maxWaiting) throw new LdapError('overloaded', 'Too many callers wait for the directory.')
      else await wait(signal)
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
