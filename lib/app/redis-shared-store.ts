/**
 * What processes share through Redis.
 *
 * @module
 */

import { readFile } from 'node:fs/promises'
import type { RedisSharedStoreConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import { msSince } from '../core/moment.js'
import type { SharedValues } from '../core/shared-values.js'
import { RedisOauthStore } from '../oauth/redis-oauth-store.js'
import { openAt, openLike } from '../redis/redis-connection.js'
import { RedisLink } from '../redis/redis-link.js'
import type { Script } from '../redis/script.js'
import { RedisTokenStore } from '../tokens/redis/redis-token-store.js'
import type { BreakGlassState, BreakGlassUse } from '../users/login/break-glass.js'
import { createRedisThrottle } from '../users/throttle/redis-throttle.js'
import type { SharedStore, SharedStoreParts } from './shared-store.js'

/** @throws `ConfigError` for a `ca_file` that cannot be read. */
export async function openRedisStore(
  config: RedisSharedStoreConfig,
  { client, observe, logger }: Pick<SharedStoreParts, 'client' | 'observe' | 'logger'>,
): Promise<SharedStore> {
  const { url, caFile, username, password, sentinel, keyPrefix } = config
  const { maxStalenessMs, maxStalenessOnFailureMs, replicasToConfirm } = config
  const ca = caFile === undefined ? undefined : await readCa(caFile)
  const open = client === undefined ? openAt({ url, ca, username, password, sentinel }) : openLike(client)
  const link = new RedisLink({ open, keyPrefix, maxStalenessMs, replicasToConfirm, observe, logger })
  return {
    now: link.now,
    breakGlassState: breakGlassStateIn(link),
    values: valuesIn(link),
    check: () => link.assertProven(),
    leaseAgeMs: () => msSince(link.provenAt),
    createTokenStore: (options) => new RedisTokenStore({ ...options, link, maxStalenessOnFailureMs }),
    createThrottle: (options, name) => createRedisThrottle({ ...options, name, link, logger }),
    createOauthStore: (options) => new RedisOauthStore({ ...options, link }),
    async noteSigningKey(kid) {
      const other = await link.run(noteKey, [link.key('signing-key')], [kid])
      return typeof other === 'string' ? other : undefined
    },
    start: () => link.start(),
    close: () => link.close(),
  }
}

const noteKey: Script = {
  text: "local other = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], ARGV[1]) return other",
}
const writeUse: Script = {
  text: "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1",
}
/** Executed by the primary alone: it writes. */
const readUse: Script = {
  text: "redis.call('DEL', KEYS[2]) return redis.call('GET', KEYS[1])",
}
const takeUse: Script = { text: "local use = redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1]) return use" }

/** The last use of the account for emergencies, known to all processes. */
export function breakGlassStateIn(link: RedisLink): BreakGlassState {
  const keys = [link.key('break-glass'), link.key('fence')]
  const useFrom = (answer: unknown): BreakGlassUse | undefined =>
    typeof answer === 'string' ? (JSON.parse(answer) as BreakGlassUse) : undefined
  return {
    read: async () => useFrom(await link.run(readUse, keys, [])),
    take: async () => useFrom(await link.run(takeUse, keys, [])),
    async write(use, lifeMs) {
      await link.run(writeUse, keys, [JSON.stringify(use), lifeMs])
    },
  }
}

const readValue: Script = { text: "redis.call('DEL', KEYS[2]) return redis.call('GET', KEYS[1])" }
const replaceValue: Script = {
  text:
    "local before = redis.call('GET', KEYS[1]) or '' if before ~= ARGV[1] then return 0 end " +
    "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1",
}

/** Small values, each exchanged in one step. No value is empty. */
export function valuesIn(link: RedisLink): SharedValues {
  const keysOf = (name: string): string[] => [link.key(`value:${name}`), link.key('fence')]
  return {
    async read(name) {
      const answer = await link.run(readValue, keysOf(name), [])
      return typeof answer === 'string' ? answer : undefined
    },
    async replace(name, before = '', value, lifeMs) {
      return (await link.run(replaceValue, keysOf(name), [before, value, lifeMs])) === 1
    },
  }
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new ConfigError([{ key: 'shared_store.ca_file', rule: `cannot be read: ${(cause as Error).message}` }])
  }
}
