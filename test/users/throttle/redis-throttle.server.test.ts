import { vi } from 'vitest'
import { openAt } from '../../../lib/redis/redis-connection.js'
import { RedisLink } from '../../../lib/redis/redis-link.js'
import { createRedisThrottle } from '../../../lib/users/throttle/redis-throttle.js'
import { redisCommand, startRedis } from '../../helpers/redis.js'
import { sharedThrottleContract } from './shared-throttle-contract.js'

const logger = { info() {}, warn() {}, error() {} }

// Covers: A09
sharedThrottleContract('Redis', 500, async () => {
  const server = await startRedis()
  return {
    async connect() {
      const link = new RedisLink({ open: openAt({ url: server.url }), logger })
      // A busy machine may need a second attempt.
      await link.start().catch(() => undefined)
      await vi.waitFor(() => link.assertReady(), 30_000)
      return {
        create: (options, onAsk) =>
          createRedisThrottle({
            ...options,
            link: {
              key: (key) => link.key(key),
              now: link.now,
              run(...args) {
                onAsk()
                return link.run(...args)
              },
            },
          }),
        close: () => link.close(),
      }
    },
    count: async (name) => ((await redisCommand(server.url, 'KEYS', `*:throttle:${name}:*`)) as string[]).length,
    // Five tables of 11 records, and their indexes.
    bound: (maxEntries) => 5 * (maxEntries + 1) + 7,
    loseData: () => redisCommand(server.url, 'FLUSHALL'),
    kill: () => server.signal('SIGKILL'),
    restart: () => server.start(),
    async hold() {
      await server.signal('SIGSTOP')
      return () => server.signal('SIGCONT')
    },
    stop: () => server.stop(),
  }
})
