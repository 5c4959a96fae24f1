/**
 * A limit for password hashing: it is the costliest thing a stranger can ask for.
 *
 * @module
 */

import { availableParallelism } from 'node:os'
import { UnavailableError } from '../core/errors.js'

/** Options of {@link createHashQueue}. */
export interface HashQueueOptions {
  /**
   * Hashes at the same time. Hashing and token signing share libuv's threads, so one of them is left free.
   *
   * @defaultValue the cores or libuv's threads (`UV_THREADPOOL_SIZE`, 4), whichever are fewer, less one; at least 1
   */
  readonly parallel?: number
  /**
   * Hashes that may wait for their turn. One more is refused.
   *
   * @defaultValue 64
   */
  readonly maxWaiting?: number
}

/** Runs hash work, a few at a time. */
export interface HashQueue {
  /**
   * Runs `work` when its turn comes, in the order of the calls.
   *
   * @throws {@link UnavailableError} (503, `ERR_LOGIN_OVERLOADED`) at once when too many wait already.
   * @throws the reason of `signal` when it is aborted while the work waits; work that has begun is not ended.
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** What libuv takes when `UV_THREADPOOL_SIZE` is not set. */
const defaultThreads = 4

export function createHashQueue(options: HashQueueOptions = {}): HashQueue {
  const { parallel = defaultParallel(), maxWaiting = 64 } = options
  const waiting = new Set<() => void>()
  let running = 0

  function turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        waiting.delete(begin)
        reject(signal?.reason)
      }
      waiting.add(begin)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** Hands the slot on to the next in line without giving it free in between: nobody overtakes. */
  function handOn(): void {
    const [next] = waiting
    if (next === undefined) {
      running--
      return
    }
    waiting.delete(next)
    next()
  }

  return {
    async run(work, signal) {
      signal?.throwIfAborted()
      if (running < parallel) running++
      else if (waiting.size < maxWaiting) await turn(signal)
      else throw new UnavailableError('ERR_LOGIN_OVERLOADED', 'Too many logins at the same time. Try again later.')
      try {
        return await work()
      } finally {
        handOn()
      }
    },
  }
}

/** The queue of this process: all stores share it, because they share the threads. */
export const sharedHashQueue: HashQueue = createHashQueue()

function defaultParallel(): number {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? defaultThreads)
  return Math.max(1, Math.min(availableParallelism(), threads || defaultThreads) - 1)
}
