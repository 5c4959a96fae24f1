import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { breakGlassStateIn } from '../../../lib/app/redis-shared-store.js'
import { RedisOauthStore } from '../../../lib/oauth/redis-oauth-store.js'
import { openAt } from '../../../lib/redis/redis-connection.js'
import { RedisLink } from '../../../lib/redis/redis-link.js'
import { RedisTokenStore } from '../../../lib/tokens/redis/redis-token-store.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import { type RedisServer, redisCommand, startRedis } from '../../helpers/redis.js'
import { type OpenStores, sharedRights, startProcess, usersWith } from '../rights-contract.js'

let server: RedisServer

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

const open: OpenStores = async (keyPrefix) => {
  const { logger } = recordedLog()
  // No proof is sent while a test counts commands.
  const link = new RedisLink({ open: openAt({ url: server.url }), keyPrefix, maxStalenessMs: 60_000, logger })
  const oauthStore = new RedisOauthStore({ link, maxEntries: 100, clock: link.now, onEvict() {} })
  return { link, tokenStore: new RedisTokenStore({ link }), oauthStore, breakGlassState: breakGlassStateIn(link) }
}

sharedRights(open)

describe('what nobody has', () => {
  it('is not asked for: a cookie that no session can have', async () => {
    const { createSessions } = await startProcess(await open('cookies'), usersWith([]))
    const sessions = createSessions({ portal: 'shop', idleTimeoutMs: 60_000, absoluteTimeoutMs: 600_000 })
    const scripts = async (): Promise<string | undefined> =>
      /cmdstat_evalsha:calls=(\d+)/.exec(String(await redisCommand(server.url, 'INFO', 'commandstats')))?.[1]
    await redisCommand(server.url, 'CONFIG', 'RESETSTAT')
    for (const credential of ['', 'x', 'x'.repeat(42), `${'x'.repeat(42)}!`, 'x'.repeat(44)]) {
      await expect(async () => sessions.verify(credential, true)).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
    }
    expect(await scripts()).toBeUndefined()
  })
})
