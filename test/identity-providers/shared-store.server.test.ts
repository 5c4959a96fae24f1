/** Two processes over one Redis: a sign-in that begins at one and ends at the other, and logout tokens that come to either. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { clusterDocument } from '../helpers/cluster.js'
import { type RedisServer, startRedis } from '../helpers/redis.js'
import type { PortalFront } from '../portals/portal-front.js'
import { FakeProvider } from './fake-provider.js'
import { providerTable, startShop, Visitor } from './provider-front.js'

const provider = new FakeProvider()
let redis: RedisServer
beforeAll(async () => {
  await provider.start()
  redis = await startRedis()
})
afterAll(async () => {
  await provider.close()
  await redis.stop()
})

let fronts: readonly [PortalFront, PortalFront]
beforeEach(async () => {
  const root = clusterDocument({ url: redis.url }) as Record<string, unknown>
  // Names that are not sub have to be found by all processes.
  const tables = [providerTable(provider, { subject_claim: 'upn' })]
  fronts = [await startShop(provider, { tables, root }), await startShop(provider, { tables, root })]
})

/** The same browser at another process. */
function moved(visitor: Visitor, front: PortalFront): Visitor {
  const other = new Visitor(front)
  for (const [name, value] of visitor.cookies) other.cookies.set(name, value)
  return other
}

async function tell(front: PortalFront, claims: Record<string, unknown>): Promise<number> {
  const body = new URLSearchParams({ logout_token: await provider.logoutToken(claims) }).toString()
  const type = 'Content-Type: application/x-www-form-urlencoded'
  return (await front.call('POST', '/shop/backchannel-logout', [type], body)).status
}

const bob = { sub: 'bob', upn: 'bob@example.com', groups: ['sales'] }

it('a sign-in ends at another process than it began at, and both know the session', async () => {
  const [first, second] = fronts
  const visitor = new Visitor(first)
  const url = await visitor.begin()
  const there = moved(visitor, second)
  expect((await there.open(provider.authorize(url, { ...bob, sid: 'r1' }).href)).status).toBe(303)
  expect(await moved(there, first).whoAmI()).toMatchObject({ subject: 'CORP/bob@example.com', roles: ['buyer'] })
})

it.each([
  ['a session', { sid: 'r2' }],
  ['a user', { sub: 'bob' }],
])('a logout token of %s at one process ends the session at the other', async (_what, claims) => {
  const [first, second] = fronts
  const visitor = new Visitor(first)
  await visitor.signIn(provider, { ...bob, sid: 'r2' })
  expect(await visitor.whoAmI()).toBeDefined()
  expect(await tell(second, claims)).toBe(200)
  await expect.poll(() => visitor.whoAmI()).toBeUndefined()
})

it('a logout token is good once at all processes, and refuses a sign-in that it has overtaken at another', async () => {
  const [first, second] = fronts
  const visitor = new Visitor(first)
  const callback = provider.authorize(await visitor.begin(), { ...bob, sid: 'r3' })
  const claims = { sid: 'r3', jti: 'once' }
  expect([await tell(second, claims), await tell(first, claims)]).toEqual([200, 400])
  expect((await visitor.open(callback.href)).status).toBe(401)
})

it('a logout token gets 503 while the store is down', async () => {
  const [first] = fronts
  await redis.stop()
  expect(await tell(first, { sid: 'r4' })).toBe(503)
})
