/**
 * The counters of the login throttle in Redis.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import type { RedisLink } from '../../redis/redis-link.js'
import type { Script } from '../../redis/script.js'
import { holdingLocks, noteKey } from './lock-notes.js'
import { noteScript, notesScript, remainingScript } from './lock-scripts.js'
import type { ManagedLoginThrottle } from './login-throttle.js'
import {
  createSharedThrottle,
  type SharedAttempt,
  type SharedCounterSettings,
  type SharedCounters,
  type SharedThrottleOptions,
  type ThrottleNews,
} from './shared-throttle.js'
import {
  type LockScope,
  lockKeys,
  type StartedLock,
  StartedLocks,
  subjectKeys,
  type ThrottleKeys,
} from './throttle-keys.js'
import { throttled } from './throttle-rules.js'
import { commonArguments, newsScript, settleScript, startScript, unlockScript } from './throttle-scripts.js'

/** Options of {@link createRedisThrottle}. */
export interface RedisThrottleOptions extends SharedThrottleOptions {
  /** The link to Redis. The caller closes it. */
  readonly link: Pick<RedisLink, 'key' | 'now' | 'run'>
}

/** Makes a throttle that counts in Redis and in this process. */
export function createRedisThrottle(options: RedisThrottleOptions): ManagedLoginThrottle {
  const { link, clock = link.now } = options
  return createSharedThrottle({ ...options, clock }, 'Redis', (settings) => countersIn(link, settings))
}

function countersIn(link: RedisThrottleOptions['link'], settings: SharedCounterSettings): SharedCounters {
  const { name, limits, holdMs, clock } = settings
  const prefix = link.key(`throttle:${name}:`)

  function run(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    return link.run(script, [prefix], [...commonArguments(clock(), limits, holdMs), ...args])
  }

  /** `places` is where Redis holds the login. */
  function createAttempt(id: string, keys: ThrottleKeys, places: readonly string[]): SharedAttempt {
    return {
      isAllowed: true,
      async settle(outcome, subject) {
        const { pair, user } = subject === undefined ? { pair: '', user: '' } : subjectKeys(subject, keys.source)
        const args = [outcome, id, keys.pair, keys.user, keys.source, pair, user, ...places]
        const [stands, begun] = (await run(settleScript, args)) as [number, string[]]
        const locks = new StartedLocks()
        for (let index = 0; index < begun.length; index += 2) {
          locks.note(begun[index] as LockScope, Number(begun[index + 1]))
        }
        return { isWithinLimit: stands === 1, locks }
      },
    }
  }

  return {
    async start(keys, since) {
      const id = randomUUID()
      const answer = await run(startScript, [id, keys.pair, keys.user, keys.source, since])
      const [outcome, waitMs, goodAt, lastUnlock, unlocked, ...places] = answer as [
        string,
        string,
        ...NewsAnswer,
        ...string[],
      ]
      const news = readNews([goodAt, lastUnlock, unlocked])
      if (outcome === 'full') return { ...news, admission: undefined }
      const admission = outcome === 'throttled' ? throttled(Number(waitMs)) : createAttempt(id, keys, places)
      return { ...news, admission }
    },
    news: async (keys, since) => readNews((await run(newsScript, [since, keys.pair])) as NewsAnswer),
    async unlock(users) {
      await run(unlockScript, users)
    },
    async note(locks) {
      await run(
        noteScript,
        locks.flatMap((lock) => [noteKey(lock), JSON.stringify(lock)]),
      )
    },
    async list() {
      const locks = ((await run(notesScript, [])) as string[]).map((json) => JSON.parse(json) as StartedLock)
      const places = locks.flatMap((lock) =>
        lockKeys(lock).map(({ pair, user, source }) => ({ lock, args: [lock.scope, pair, user, source] })),
      )
      const waits: number[] = []
      for (let index = 0; index < places.length; index += placesAtATime) {
        const slice = places.slice(index, index + placesAtATime).flatMap(({ args }) => args)
        waits.push(...((await run(remainingScript, slice)) as string[]).map(Number))
      }
      const waitOf = (lock: StartedLock): number =>
        Math.max(0, ...waits.filter((_wait, index) => places[index]!.lock === lock))
      return holdingLocks(locks, clock(), waitOf)
    },
  }
}

/** Redis does nothing else meanwhile. */
const placesAtATime = 200

type NewsAnswer = readonly [string, string, readonly string[]]

function readNews([goodAt, lastUnlock, unlocked]: NewsAnswer): ThrottleNews {
  return { goodAt: Number(goodAt), lastUnlock: Number(lastUnlock), unlocked }
}
