import { afterAll, beforeAll, expect, it } from 'vitest'
import { valuesIn } from '../../lib/app/redis-shared-store.js'
import { type RedisServer, startRedis } from '../helpers/redis.js'
import { openStore } from '../helpers/redis-store.js'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

it('exchanges a small value once, whichever process is first', async () => {
  const links = [await openStore(server.url), await openStore(server.url)]
  const [one, other] = links.map(({ link }) => valuesIn(link))
  expect(await other!.read('a')).toBe(undefined)
  const first = await Promise.all([one, other].map((values) => values!.replace('a', undefined, 'first', 60_000)))
  expect(first.toSorted()).toEqual([false, true])
  expect(await other!.replace('a', 'another', 'second', 60_000)).toBe(false)
  expect(await other!.replace('a', 'first', 'second', 60_000)).toBe(true)
  expect(await one!.read('a')).toBe('second')
})
