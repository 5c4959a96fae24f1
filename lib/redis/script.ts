/**
 * Lua scripts, by their digest.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { RedisClient } from './redis-connection.js'

/** A Lua script. What it reads and writes is in the one hash slot of all our keys. */
export interface Script {
  /** Its source. */
  readonly text: string
}

const digests = new WeakMap<Script, string>()

/** Runs a script; a server that does not know it gets its text. */
export async function invoke(
  client: RedisClient,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const digest = digests.get(script) ?? hash('sha1', script.text)
  digests.set(script, digest)
  const rest = [String(keys.length), ...keys, ...args.map(String)]
  try {
    return await client.sendCommand(['EVALSHA', digest, ...rest])
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return client.sendCommand(['EVAL', script.text, ...rest])
  }
}
