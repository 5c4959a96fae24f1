import { expect, it, onTestFinished } from 'vitest'
import { RedisOauthStore } from '../../lib/oauth/redis-oauth-store.js'
import { openAt } from '../../lib/redis/redis-connection.js'
import { RedisLink } from '../../lib/redis/redis-link.js'
import { RedisTokenStore } from '../../lib/tokens/redis/redis-token-store.js'
import { type RedisServer, redisCommand, startRedis } from '../helpers/redis.js'
import { entry, idFor } from './oauth-store-contract.js'
import { type OauthServer, sharedOauthStore } from './shared-oauth-store.js'

const logger = { info() {}, warn() {}, error() {} }

let server: RedisServer

async function start(): Promise<OauthServer> {
  server = await startRedis()
  return {
    async connect(options, keyPrefix) {
      const link = new RedisLink({ open: openAt({ url: server.url }), keyPrefix, logger })
      const store = new RedisOauthStore({ ...options, link })
      const tokens = new RedisTokenStore({ link })
      await link.start()
      return {
        store,
        addToken: (record) => tokens.add(record),
        hasToken: async (id) => (await tokens.find(id)) !== undefined,
        close: () => link.close(),
      }
    },
    keysBelow,
    stop: () => server.stop(),
  }
}

async function keysBelow(keyPrefix: string): Promise<readonly string[]> {
  return (await redisCommand(server.url, 'KEYS', `{${keyPrefix}}:oauth:*`)) as string[]
}

// Covers: J11
sharedOauthStore(start, (pair) => {
  it('give a life to all that belongs to one user', async () => {
    const { a, stage, keyPrefix } = await pair()
    await a.put(entry(stage, 'Grant', 'grant', { expiresAt: Date.now() + 120_000 }))
    await a.put(entry(stage, 'AccessToken', 'made', { expiresAt: Date.now() + 600_000 }))
    await a.rename('AccessToken', idFor('made'), idFor('token'))
    await a.put(entry(stage, 'Session', 'session'))
    const lives = await Promise.all(
      (await keysBelow(keyPrefix)).map(
        async (key) =>
          [
            key.split(':oauth:')[1]!.replace(/:[\w-]{43}/g, ''),
            Number(await redisCommand(server.url, 'PTTL', key)),
          ] as const,
      ),
    )
    const endless = lives.filter(([, life]) => life < 0).map(([name]) => name)
    expect(new Set(endless)).toEqual(new Set(['uses', 'uses:Grant', 'ends:Grant', 'uses:Session', 'ends:Session']))
    expect(Math.max(...lives.map(([, life]) => life))).toBeLessThanOrEqual(120_000)
  })

  it('know of uses and removals of the last minute when the data of before comes back', async () => {
    const { a, b, stage, keyPrefix } = await pair()
    await a.put(entry(stage, 'Grant', 'revoked'))
    await a.put(entry(stage, 'Grant', 'grant'))
    await a.put(entry(stage, 'AuthorizationCode', 'code'))
    const before = await Promise.all((await keysBelow(keyPrefix)).map(async (key) => [key, await copy(key)] as const))
    expect(await a.consume('AuthorizationCode', idFor('code'))).toBe(true)
    await a.remove('Grant', 'revoked')
    for (const [key, kept] of before) await copy(kept, key)
    expect(await b.find('Grant', 'revoked')).toBeDefined()

    await redisCommand(server.url, 'CLIENT', 'KILL', 'TYPE', 'normal')
    const find = async () => b.find('Grant', 'revoked')
    await expect.poll(() => find().catch(() => 'Redis is away'), { interval: 20 }).toBe(undefined)
    expect(await b.consume('AuthorizationCode', idFor('code'))).toBe(false)
  })

  it('take no more when the memory of Redis is full, and use and end what is there', async () => {
    const { a, stage } = await pair()
    await a.put(entry(stage, 'Grant', 'grant'))
    await a.put(entry(stage, 'AuthorizationCode', 'code'))
    await redisCommand(server.url, 'CONFIG', 'SET', 'maxmemory', '1')
    onTestFinished(async () => void (await redisCommand(server.url, 'CONFIG', 'SET', 'maxmemory', '0')))
    await expect(a.put(entry(stage, 'Session', 's'))).rejects.toMatchObject({ name: 'StoreError' })
    await expect(a.put(entry(stage, 'RefreshToken', 'r'))).rejects.toMatchObject({ name: 'StoreError' })
    expect(await a.find('Grant', 'grant')).toBeDefined()
    expect(await a.consume('AuthorizationCode', idFor('code'))).toBe(true)
    expect(await a.consume('AuthorizationCode', idFor('code'))).toBe(false)
    expect(await a.remove('Grant', 'grant')).toHaveLength(1)
  })
})

/** Copies a key, and answers with where to. */
async function copy(from: string, to = `${from}:copy`): Promise<string> {
  await redisCommand(server.url, 'COPY', from, to, 'REPLACE')
  return to
}
