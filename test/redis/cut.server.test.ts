import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type RedisServer, startRedis } from '../helpers/redis.js'
import { createRecord, openStore } from '../helpers/redis-store.js'
import { startTcpProxy } from '../helpers/tcp-proxy.js'

const patience = { timeout: 20_000 }

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

// Covers: J12
describe('a connection that is cut within a reply', () => {
  it('gives no look-up the answer to another one, and takes no token for gone, after 1 to 64 bytes', async () => {
    const proxy = await startTcpProxy(redis.port)
    onTestFinished(() => proxy.stop())
    const direct = await openStore(redis.url)
    const { store, link } = await openStore(`redis://127.0.0.1:${proxy.port}`)
    const outcomes = { found: 0, failed: 0 }
    for (let length = 1; length <= 64; length++) {
      const records = Array.from({ length: 10 }, (_, index) => createRecord(link.now(), { subject: `user ${index}` }))
      await Promise.all(records.map((record) => direct.store.add(record)))
      await direct.store.remove(records[0]!.id)
      await expect.poll(() => link.isProven, patience).toBe(true)
      // One connection or the other, in the first reply or a later one.
      let replies = length % 5
      proxy.onAnswer = () => (replies-- > 0 ? true : length)
      const found = await Promise.allSettled(records.map(async ({ id }) => store.find(id)))
      proxy.onAnswer = undefined
      for (const [index, outcome] of found.entries()) {
        if (outcome.status === 'rejected') {
          expect(String(outcome.reason)).toMatch(/^StoreError: Redis/)
          outcomes.failed++
        } else {
          expect(outcome.value?.id).toBe(index === 0 ? undefined : records[index]!.id)
          outcomes.found++
        }
      }
      for (const { id, subject } of records.slice(1)) {
        const findAgain = async (): Promise<unknown> => {
          try {
            return (await store.find(id))?.subject
          } catch {
            return 'not yet'
          }
        }
        await expect.poll(findAgain, patience).toBe(subject)
      }
    }
    expect(outcomes.failed).toBeGreaterThan(64)
  })

  it('gives each of a thousand look-ups at a time its own answer, while commands time out', async () => {
    const direct = await openStore(redis.url, { maxSize: 5000 })
    const records = Array.from({ length: 1000 }, (_, index) =>
      createRecord(direct.link.now(), { subject: `user ${index}` }),
    )
    await Promise.all(records.map((record) => direct.store.add(record)))
    const { store } = await openStore(redis.url)
    for (let count = 0; count < 3; count++) {
      await redis.signal('SIGSTOP')
      const found = Promise.allSettled(records.map(async ({ id }) => store.find(id)))
      if (count === 1) await found
      await redis.signal('SIGCONT')
      for (const [index, outcome] of (await found).entries()) {
        if (outcome.status === 'fulfilled') expect(outcome.value?.id).toBe(records[index]!.id)
      }
    }
    const find = async (): Promise<unknown> => {
      try {
        return (await Promise.all(records.map(async ({ id }) => store.find(id)))).map((record) => record?.id)
      } catch {
        return 'not yet'
      }
    }
    await expect.poll(find, patience).toEqual(records.map(({ id }) => id))
  })
})
