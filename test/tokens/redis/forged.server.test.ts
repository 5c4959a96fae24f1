import { randomBytes } from 'node:crypto'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startCluster } from '../../helpers/cluster.js'
import { basic, bearer, fileUser } from '../../helpers/front.js'
import { secret } from '../../helpers/recorded-log.js'
import { type RedisServer, redisCommand, startRedis } from '../../helpers/redis.js'
import { createRecord, openStore } from '../../helpers/redis-store.js'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

/** Every command that a connection sends, but for those which prove that it is there. */
async function monitor(): Promise<{ commands: string[] }> {
  const client = createClient({ url: redis.url })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.destroy())
  const commands: string[] = []
  await client.monitor((line) => void commands.push(String(line)))
  return { commands }
}

async function watchedKeys(): Promise<number> {
  const info = String(await redisCommand(redis.url, 'INFO', 'stats'))
  return Number(/tracking_total_keys:(\d+)/.exec(info)![1])
}

const randomJwt = (token: string): string => {
  const [header, claims] = token.split('.')
  return `${header}.${claims}.${randomBytes(64).toString('base64url')}`
}

describe('a token that was made up', () => {
  it('causes no command', async () => {
    const [front] = await startCluster({ url: redis.url, store: { max_staleness: '60s' } })
    const token = await front.login()
    const claims = (changes: object): string => {
      const [header, payload, signature] = token.split('.') as [string, string, string]
      const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...changes }
      return `${header}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${signature}`
    }
    expect((await front.call('GET', '/inbound', [bearer(token)])).status).toBe(200)
    const { commands } = await monitor()
    const forged = [
      ...Array.from({ length: 20 }, () => randomJwt(token)),
      ...[
        'x',
        'a.b.c',
        `${token}x`,
        token.slice(0, -4),
        claims({ jti: '*\r\nFLUSHALL\r\n' }),
        claims({ sub: 'reader' }),
      ],
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`,
    ]
    for (const made of forged) {
      for (const path of ['/inbound', '/logout']) {
        expect((await front.call('GET', path, [bearer(made)])).status).not.toBe(200)
      }
    }
    expect((await front.call('GET', '/inbound', [bearer(token)])).status).toBe(200)
    await redisCommand(redis.url, 'ECHO', 'the end')
    await expect.poll(() => commands.some((line) => line.includes('the end'))).toBe(true)
    const sent = commands.filter((line) => /"(?:get|set|del|eval|evalsha|z\w+)"/i.test(line))
    expect(sent).toEqual([])
  })

  it('fills no table of the server, and takes the place of no live one, signed or not', async () => {
    const keyPrefix = 'forged'
    const { store, link } = await openStore(redis.url, { keyPrefix, maxLocal: 10 })
    const live = Array.from({ length: 10 }, () => createRecord(link.now(), { kind: 'portal', audience: 'web' }))
    for (const record of live) {
      await store.add(record)
      await store.find(record.id)
    }
    const before = await watchedKeys()
    for (let count = 0; count < 20; count++) {
      const made = Array.from({ length: 100 }, () => store.find(randomBytes(32).toString('base64url')))
      expect((await Promise.all(made)).filter((found) => found !== undefined)).toEqual([])
    }
    expect(await watchedKeys()).toBe(before)
    for (const { id } of live) expect(store.holds(id)).toBe(true)
  })
})

describe('what a user can write', () => {
  it('is part of no key', async () => {
    const names = ['a*', '{other}', 'x y', 'per-ce\u0142', '$(id)', "it's"]
    const { commands } = await monitor()
    const password = secret('Correct-horse-1')
    const users = names.map((name) => fileUser(name, password, { is_admin: true }))
    const [front] = await startCluster({ url: redis.url, internalApis: { users } })
    for (const name of names) {
      const answer = await front.call('GET', '/login', [basic(name, password)])
      expect(answer.status).toBe(200)
      await front.security.tokens.revokeUser(name)
    }
    const commandsOf = commands.join('\n')
    const keys = (await redisCommand(redis.url, 'KEYS', '*')) as string[]
    expect(keys.length).toBeGreaterThan(3)
    for (const key of keys) expect(key).toMatch(/^\{[\w.-]+\}:[a-z]+(?:-[a-z]+)?(?::[a-z]+)*(?::[\w-]{36,43})?$/)
    for (const name of names) expect(keys.filter((key) => key.includes(name))).toEqual([])
    expect(commandsOf).not.toMatch(/"(?:keys|scan|flushall)" /i)
    expect(commandsOf).not.toContain(password)
  })
})

describe('an idle session over two processes', () => {
  it('is never thrown out early, and late by the stated interval at the most', async () => {
    const idleTimeoutMs = 600_000
    const touchIntervalMs = 30_000
    let now = Date.now()
    const options = { keyPrefix: 'idle', clock: () => now, touchIntervalMs }
    const stores = [(await openStore(redis.url, options)).store, (await openStore(redis.url, options)).store] as const
    const session = (): ReturnType<typeof createRecord> =>
      createRecord(now, { kind: 'portal', audience: 'web', idleTimeoutMs, expiresAt: now + 36_000_000 })
    /** As the portals do: a look-up, then the clock, then the note of the use. */
    const use = async (index: 0 | 1, id: string): Promise<boolean> => {
      const found = await stores[index].find(id)
      if (found === undefined || now >= found.lastAccessAt + idleTimeoutMs) return false
      stores[index].touch(id, now)
      return true
    }
    const record = session()
    await stores[0].add(record)
    // Used on one process alone for hours, then on the other one; and by turns, shortly before its end and after it.
    for (let count = 0; count < 50; count++) {
      now += touchIntervalMs - 1
      expect(await use(0, record.id)).toBe(true)
    }
    now += idleTimeoutMs - touchIntervalMs - 1
    expect(await use(1, record.id)).toBe(true)
    for (let count = 0; count < 20; count++) {
      now += idleTimeoutMs - 1
      expect(await use((count % 2) as 0 | 1, record.id)).toBe(true)
    }
    now += idleTimeoutMs + touchIntervalMs + 1
    expect(await use(0, record.id)).toBe(false)
    expect(await use(1, record.id)).toBe(false)
    expect(await stores[0].list({ kind: 'portal' })).toEqual([])
  })
})
