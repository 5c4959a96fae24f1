/**
 * Asks whether replicas have what was written.
 *
 * @module
 */

import { createMutex } from '../async/mutex.js'
import { StoreError } from '../core/errors.js'
import type { RedisClient } from './redis-connection.js'
import { invoke, type Script } from './script.js'

/** `WAIT` looks at the last write of its own connection; this one is not refused for want of memory. */
const mark: Script = {
  text: `redis.call('DEL', KEYS[1])
return redis.call('INCR', KEYS[2])`,
}

/** What a confirmation needs. */
export interface ConfirmationOptions {
  /** A connection that has nothing else to do: `WAIT` blocks it. */
  readonly client: RedisClient
  readonly replicas: number
  /** Milliseconds for the replicas. */
  readonly timeoutMs: number
  /** A key that is never set, and that of the mark. */
  readonly keys: readonly [fence: string, mark: string]
  /** Sends a command within the limits of the session. */
  readonly ask: <T>(command: () => Promise<T>) => Promise<T>
}

/**
 * Resolves when the replicas have all that was written before the call, and else rejects with `StoreError`. All who call while the
 * replicas are being asked share the next answer.
 */
export function createConfirmation(options: ConfirmationOptions): () => Promise<void> {
  const { client, replicas, timeoutMs, keys, ask } = options
  const runAlone = createMutex()
  let next: Promise<void> | undefined
  return function confirm() {
    next ??= runAlone(async () => {
      next = undefined
      const count = await ask(async () => {
        await invoke(client, mark, keys, [])
        return Number(await client.sendCommand(['WAIT', String(replicas), String(timeoutMs)]))
      })
      if (count < replicas) throw new StoreError(`${count} of ${replicas} replicas have what was written in Redis`)
    })
    return next
  }
}
