import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { startCluster } from '../../helpers/cluster.js'
import { basic, bearer, type Front, users } from '../../helpers/front.js'
import type { RawAnswer } from '../../helpers/raw-http.js'
import { type RedisServer, redisCommand, startRedis } from '../../helpers/redis.js'

/** Far more than two seconds, so that a busy machine fails nothing. */
const patience = { timeout: 20_000 }

let redis: RedisServer

beforeEach(async () => {
  redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always')
})

afterEach(() => redis.stop())

const managementApi = { public_paths: ['/public'] }

async function start(store: Record<string, unknown> = {}): Promise<readonly [Front, Front]> {
  return startCluster({ url: redis.url, store: { max_staleness: '500ms', ...store }, managementApi })
}

const get = (front: Front, path: string, token: string): Promise<RawAnswer> => front.call('GET', path, [bearer(token)])
const login = (front: Front, password: string = users.admin.password): Promise<RawAnswer> =>
  front.call('GET', '/login', [basic('admin', password)])

/** Noted for the whole process: nothing may end it. */
function noUnhandledRejection(): void {
  const rejections: unknown[] = []
  const note = (reason: unknown): void => void rejections.push(reason)
  process.on('unhandledRejection', note)
  onTestFinished(() => {
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
  })
}

function expectUnavailable(answer: RawAnswer): void {
  expect(answer.status, answer.body).toBe(503)
  expect(answer.header('retry-after')).toBe('5')
}

/** Until what was proven before no longer holds. */
const untilUnproven = (front: Front, token: string): Promise<unknown> =>
  expect.poll(async () => (await get(front, '/inbound', token)).status, patience).toBe(503)

describe('with on_store_failure = "deny"', () => {
  it('answers 503 to tokens, logins and revocations, and to all others at once', async () => {
    noUnhandledRejection()
    const [front] = await start()
    const token = await front.login()
    await redis.signal('SIGKILL')
    await untilUnproven(front, token)
    const answers = Array.from({ length: 200 }, (_, index) => {
      if (index % 3 === 0) return login(front, index % 2 === 0 ? 'wrong-password' : undefined)
      return get(front, index % 3 === 1 ? '/logout' : '/inbound', token)
    })
    for (const answer of await Promise.all(answers)) expectUnavailable(answer)
    expect((await front.call('GET', '/inbound')).status).toBe(401)
    expect((await front.call('GET', '/public')).status).toBe(200)
    expect((await get(front, '/inbound', 'not-a-token')).status).toBe(401)
    expect((await front.call('OPTIONS', '/inbound')).status).toBeLessThan(500)
  })

  it('refuses a token in this process once its logout was answered 503, and ends it for all when that is repeated', async () => {
    const [first, second] = await start()
    const token = await first.login()
    for (const front of [first, second]) expect((await get(front, '/inbound', token)).status).toBe(200)
    await redis.signal('SIGKILL')
    await untilUnproven(first, token)
    expectUnavailable(await get(first, '/logout', token))
    await redis.start()
    await expect.poll(async () => (await get(second, '/inbound', token)).status, patience).toBe(200)
    await expect.poll(async () => (await get(first, '/logout', token)).status, patience).toBe(200)
    for (const front of [first, second]) {
      await expect.poll(async () => (await get(front, '/inbound', token)).status).toBe(401)
    }
  })

  it('takes up everything again by itself, time after time', async () => {
    noUnhandledRejection()
    const [front] = await start()
    const token = await front.login()
    for (let count = 0; count < 3; count++) {
      await redis.signal('SIGKILL')
      await untilUnproven(front, token)
      await delay(700)
      await redis.start()
      const startedAt = performance.now()
      await expect.poll(async () => (await get(front, '/inbound', token)).status, patience).toBe(200)
      expect((await login(front)).status).toBe(200)
      console.info(`recovered in ${(performance.now() - startedAt).toFixed(0)} ms`)
    }
    const lost = front.entries.filter(({ message }) => message.startsWith('the connection to Redis was lost'))
    expect(lost).toHaveLength(3)
  })

  it('starts without Redis, and takes up everything when it is there', async () => {
    await redis.signal('SIGKILL')
    const [front] = await start()
    expectUnavailable(await login(front))
    await redis.start()
    await expect.poll(async () => (await login(front)).status, patience).toBe(200)
  })

  it('answers every request within the time limit of a command while Redis stands still', async () => {
    noUnhandledRejection()
    const [front] = await start()
    const token = await front.login()
    await redis.signal('SIGSTOP')
    await delay(600)
    const answers = Array.from({ length: 300 }, (_, index) =>
      get(front, index % 3 === 0 ? '/logout' : '/inbound', token),
    )
    expect((await front.call('GET', '/inbound')).status).toBe(401)
    for (const answer of await Promise.all(answers)) expect([401, 503]).toContain(answer.status)
    await redis.signal('SIGCONT')
    // The logout was answered with 503: it may have been executed, and is when it is repeated.
    await expect.poll(async () => (await get(front, '/logout', token)).status, patience).not.toBe(503)
    await expect.poll(async () => (await get(front, '/inbound', token)).status).toBe(401)
  })

  it('refuses logins alone while the memory of Redis is full, and ends tokens of users all the same', async () => {
    const [first, second] = await start()
    const tokens = [await first.login(), await first.login(users.reader)] as const
    for (const token of tokens) expect((await get(first, '/inbound', token)).status).toBe(200)
    await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory', '1')
    const isLost = (): boolean => first.entries.some(({ message }) => message.includes('lost'))
    for (let count = 0; count < 3; count++) {
      expectUnavailable(await login(first))
      // The other process has not looked it up before.
      for (const front of [first, second]) expect((await get(front, '/inbound', tokens[0])).status).toBe(200)
    }
    expect(await first.security.tokens.revokeUser('reader')).toBe(1)
    expect(await first.security.tokens.revokeUser('nobody')).toBe(0)
    expect((await get(second, '/inbound', tokens[1])).status).toBe(401)
    expect((await get(first, '/logout', tokens[0])).status).toBe(200)
    await expect.poll(async () => (await get(second, '/inbound', tokens[0])).status).toBe(401)
    expect(isLost()).toBe(false)
    await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory', '0')
    expect((await login(first)).status).toBe(200)
  })
})

describe('with on_store_failure = "cached"', () => {
  const cached = { on_store_failure: 'cached', max_staleness_on_failure: '60s' }

  it('lets tokens pass that the process has checked, and no others, no login and no revocation', async () => {
    noUnhandledRejection()
    const [first, second] = await start(cached)
    const token = await first.login()
    const unknown = await second.login()
    const revoked = await first.login()
    for (const known of [token, revoked]) expect((await get(first, '/inbound', known)).status).toBe(200)
    expect((await get(first, '/logout', revoked)).status).toBe(200)
    await redis.signal('SIGKILL')
    await expect.poll(() => first.entries.some(({ message }) => message.includes('lost')), patience).toBe(true)
    await delay(600)
    for (let count = 0; count < 20; count++) expect((await get(first, '/inbound', token)).status).toBe(200)
    expect((await get(first, '/inbound', revoked)).status).not.toBe(200)
    expectUnavailable(await get(first, '/inbound', unknown))
    expectUnavailable(await login(first))
    expectUnavailable(await get(first, '/logout', token))
    expect((await get(first, '/inbound', token)).status).not.toBe(200)
  })

  it('does so no longer than it says', async () => {
    const [front] = await start({ ...cached, max_staleness_on_failure: '2s' })
    const token = await front.login()
    expect((await get(front, '/inbound', token)).status).toBe(200)
    await redis.signal('SIGSTOP')
    const stoppedAt = performance.now()
    let lastAdmittedAt = 0
    await expect
      .poll(async () => {
        const sentAt = performance.now()
        const { status } = await get(front, '/inbound', token)
        if (status === 200) lastAdmittedAt = sentAt
        return status
      }, patience)
      .toBe(503)
    expect(lastAdmittedAt).toBeGreaterThan(stoppedAt + 500)
    expect(lastAdmittedAt).toBeLessThanOrEqual(stoppedAt + 2000)
  })

  it('ends every token when all data was removed, whether Redis stays or not', async () => {
    const [front] = await start(cached)
    const token = await front.login()
    expect((await get(front, '/inbound', token)).status).toBe(200)
    await redisCommand(redis.url, 'FLUSHALL')
    await redis.signal('SIGKILL')
    await expect.poll(async () => (await get(front, '/inbound', token)).status, patience).toBe(503)
    for (let count = 0; count < 20; count++) expect((await get(front, '/inbound', token)).status).toBe(503)
    await redis.start()
    await expect.poll(async () => (await get(front, '/inbound', token)).status, patience).toBe(401)
  })

  it('keeps what was known over a connection that does not come about', async () => {
    const [front] = await start(cached)
    const token = await front.login()
    expect((await get(front, '/inbound', token)).status).toBe(200)
    await redisCommand(redis.url, 'ACL', 'SETUSER', 'default', '-evalsha', '-eval')
    await expect
      .poll(() => front.entries.some(({ message }) => /cannot connect.*NOPERM/.test(message)), patience)
      .toBe(true)
    await delay(1500)
    for (let count = 0; count < 20; count++) expect((await get(front, '/inbound', token)).status).toBe(200)
    await redisCommand(redis.url, 'ACL', 'SETUSER', 'default', '+evalsha', '+eval')
    await expect.poll(async () => (await login(front)).status, patience).toBe(200)
  })
})
