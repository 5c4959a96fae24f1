/**
 * Bounded concurrency with a bounded queue.
 *
 * @module
 */

/** Options of {@link createLimiter}. */
export interface LimiterOptions {
  readonly maxRunning: number
  /** Further calls are refused. */
  readonly maxWaiting: number
  /** The error of a call that is refused. */
  readonly createOverloadError: () => Error
}

/** Runs work, a few at a time. */
export interface Limiter {
  /**
   * Runs `work` when a slot is free, in the order of the calls.
   *
   * @throws the overload error at once when too many calls wait already; the reason of `signal` when it is aborted while the
   * call waits. In both cases `work` has not started.
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** A limiter that tells how busy it is. */
export interface WatchedLimiter extends Limiter {
  /** Calls that are being worked on. */
  readonly running: number
  /** Calls that wait for a slot. */
  readonly waiting: number
}

export function createLimiter({ maxRunning, maxWaiting, createOverloadError }: LimiterOptions): WatchedLimiter {
  const waiting = new Set<() => void>()
  let running = 0

  function wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        waiting.delete(start)
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        waiting.delete(start)
        reject(signal?.reason)
      }
      waiting.add(start)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** The slot passes to the next call without being free in between, so that no other call overtakes it. */
  function leaveSlot(): void {
    const [next] = waiting
    if (next === undefined) running--
    else next()
  }

  return {
    get running() {
      return running
    },

    get waiting() {
      return waiting.size
    },

    async run(work, signal) {
      signal?.throwIfAborted()
      if (running < maxRunning) running++
      else if (waiting.size >= maxWaiting) throw createOverloadError()
      else await wait(signal)
      try {
        return await work()
      } finally {
        leaveSlot()
      }
    },
  }
}
