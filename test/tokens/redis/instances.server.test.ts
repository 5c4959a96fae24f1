import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster } from '../../helpers/cluster.js'
import { basic, bearer, users } from '../../helpers/front.js'
import { type RedisServer, redisCommand, startRedis } from '../../helpers/redis.js'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

describe('two processes over one Redis', () => {
  it('take the tokens of each other, and end them for each other', async () => {
    const [first, second] = await startCluster({ url: redis.url })
    const token = await first.login()
    for (const front of [second, first, second]) {
      expect((await front.call('GET', '/inbound', [bearer(token)])).status).toBe(200)
    }
    expect((await first.call('GET', '/logout', [bearer(token)])).status).toBe(200)
    await expect.poll(async () => (await second.call('GET', '/inbound', [bearer(token)])).status).toBe(401)
    expect((await first.call('GET', '/inbound', [bearer(token)])).status).toBe(401)
  })

  it('end all tokens of a user for each other, and let the user log in again at once', async () => {
    const [first, second] = await startCluster({ url: redis.url })
    const tokens = [await first.login(), await second.login()]
    for (const token of tokens) await first.call('GET', '/inbound', [bearer(token)])
    expect(await second.security.tokens.revokeUser('admin')).toBe(2)
    for (const token of tokens) {
      await expect.poll(async () => (await first.call('GET', '/inbound', [bearer(token)])).status).toBe(401)
    }
    const next = await second.login()
    expect((await first.call('GET', '/inbound', [bearer(next)])).status).toBe(200)
  })

  it('ask Redis nothing about a token that they know', async () => {
    const [first] = await startCluster({ url: redis.url, store: { max_staleness: '60s' } })
    const token = await first.login()
    await first.call('GET', '/inbound', [bearer(token)])
    const processed = async (): Promise<number> => {
      const info = String(await redisCommand(redis.url, 'INFO', 'commandstats'))
      return [...info.matchAll(/cmdstat_(?:get|evalsha|eval)\b[^\n]*calls=(\d+)/g)].reduce(
        (sum, [, calls]) => sum + Number(calls),
        0,
      )
    }
    const before = await processed()
    for (let count = 0; count < 100; count++) {
      expect((await first.call('GET', '/inbound', [bearer(token)])).status).toBe(200)
    }
    expect(await processed()).toBe(before)
  })

  it('refuse a password with 503 while Redis cannot be reached, right or wrong', async () => {
    const [first] = await startCluster({ url: 'redis://127.0.0.1:1' })
    for (const password of [users.admin.password, 'wrong-password']) {
      const answer = await first.call('GET', '/login', [basic('admin', password)])
      expect(answer.status).toBe(503)
      expect(answer.header('retry-after')).toBe('5')
    }
  })
})
