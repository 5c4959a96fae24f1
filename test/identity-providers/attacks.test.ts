/** What somebody tries who wants another's session, or one that the provider has not given. */

import { SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PortalFront } from '../portals/portal-front.js'
import { clientId, FakeProvider, newKey } from './fake-provider.js'
import { providerTable, startShop, Visitor } from './provider-front.js'

const provider = new FakeProvider()
const other = new FakeProvider()
beforeAll(async () => {
  await Promise.all([provider.start(), other.start()])
})
afterAll(() => Promise.all([provider.close(), other.close()]))
beforeEach(() => {
  provider.createIdToken = (claims) => provider.keys[0]!.sign(claims)
  other.metadata = {}
})

const mallory = { sub: 'mallory', groups: ['root'] }

/** Nobody is signed in, and the page says what to do. */
async function expectRefused(front: PortalFront, visitor: Visitor, url: string | URL, status: number): Promise<void> {
  const answer = await visitor.open(String(url))
  expect([answer.status, answer.body.includes('role="alert"')]).toEqual([status, true])
  expect(await visitor.whoAmI()).toBeUndefined()
  expect(front.events.filter(({ name }) => name === 'login')).toEqual([])
}

describe('a state and a code', () => {
  it('are good once', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    const callback = provider.authorize(await visitor.begin(), { sub: 'alice', groups: ['sales'] })
    expect((await visitor.open(callback.href)).status).toBe(303)
    const again = new Visitor(front)
    for (const [name, value] of visitor.cookies) if (name.includes('.sign-in.')) again.cookies.set(name, value)
    expect((await again.open(callback.href)).status).toBe(400)
  })

  it('are nothing when the cookie is shown again: the provider knows the code no more', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    const url = await visitor.begin()
    const kept = new Map(visitor.cookies)
    const callback = provider.authorize(url, { sub: 'alice', groups: ['sales'] })
    await visitor.open(callback.href)
    const again = new Visitor(front)
    for (const [name, value] of kept) again.cookies.set(name, value)
    expect((await again.open(callback.href)).status).toBe(502)
    expect(await again.whoAmI()).toBeUndefined()
  })

  it('of another browser sign nobody in', async () => {
    const front = await startShop(provider)
    const attacker = new Visitor(front)
    const callback = provider.authorize(await attacker.begin(), mallory)
    await expectRefused(front, new Visitor(front), callback, 400)
  })

  it('that belong to another sign-in of the same browser are refused', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    const [first, second] = [await visitor.begin(), await visitor.begin()]
    const code = provider.authorize(first, mallory).searchParams.get('code')!
    await expectRefused(front, visitor, provider.authorize(second, mallory, { code }), 502)
  })

  it('that somebody makes up are refused', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    const url = await visitor.begin()
    for (const state of [undefined, '', 'x'.repeat(43), '__proto__']) {
      await expectRefused(front, visitor, provider.authorize(url, mallory, { state }), 400)
    }
    const doubled = provider.authorize(url, mallory)
    doubled.searchParams.append('state', 'another')
    await expectRefused(front, visitor, doubled, 502)
  })

  it('of a cookie that another key has sealed are nothing', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    const foreign = new Visitor(await startShop(provider))
    const callback = provider.authorize(await foreign.begin(), mallory)
    for (const [name, value] of foreign.cookies) visitor.cookies.set(name, value)
    await expectRefused(front, visitor, callback, 400)
  })

  it('have expired after a quarter of an hour', async () => {
    let now = Date.now()
    const front = await startShop(provider, { options: { clock: () => now } })
    const visitor = new Visitor(front)
    const callback = provider.authorize(await visitor.begin(), mallory)
    now += 15 * 60_000 + 1000
    await expectRefused(front, visitor, callback, 400)
  })
})

describe('two providers', () => {
  const tables = () => [
    providerTable(provider),
    providerTable(other, { name: 'partner', domain_name: 'PARTNER', role_mapping: { sales: 'guest' } }),
  ]
  const signIn = ['local', 'corporate', 'partner']

  it('are told apart by the path of the callback', async () => {
    const front = await startShop(provider, { tables: tables(), signIn })
    const visitor = new Visitor(front)
    const callback = provider.authorize(await visitor.begin(), mallory)
    callback.pathname = '/shop/login/partner/callback'
    await expectRefused(front, visitor, callback, 400)
  })

  it('are told apart by iss, which is demanded of who says that it sends it', async () => {
    const front = await startShop(provider, { tables: tables(), signIn })
    const visitor = new Visitor(front)
    for (const iss of [other.url, undefined, `${provider.url}/`]) {
      const url = await visitor.begin()
      await expectRefused(front, visitor, provider.authorize(url, mallory, { iss }), 502)
    }
  })

  it('sign in users of their own, whatever their tokens say', async () => {
    const front = await startShop(provider, { tables: tables(), signIn })
    const visitor = new Visitor(front)
    await visitor.signIn(other, { sub: 'alice', groups: ['sales'] }, '/shop/login/partner')
    expect(await visitor.whoAmI()).toMatchObject({ subject: 'PARTNER/alice', roles: ['guest'] })
    const url = await visitor.begin('/shop/login/partner')
    const answer = await visitor.open(other.authorize(url, { ...mallory, iss: provider.url }).href)
    expect(answer.status).toBe(502)
  })
})

describe('an ID token', () => {
  const hmac = (claims: Record<string, unknown>, key: Uint8Array) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(key)

  it.each<[string, (claims: Record<string, unknown>) => Promise<string> | string]>([
    ['without nonce', ({ nonce: _, ...claims }) => provider.keys[0]!.sign(claims)],
    ['with another nonce', (claims) => provider.keys[0]!.sign({ ...claims, nonce: 'another' })],
    ['of another client', (claims) => provider.keys[0]!.sign({ ...claims, aud: 'another' })],
    ['of several clients without azp', (claims) => provider.keys[0]!.sign({ ...claims, aud: [clientId, 'another'] })],
    ['of another issuer', (claims) => provider.keys[0]!.sign({ ...claims, iss: other.url })],
    ['of another key', async (claims) => (await newKey('first')).sign(claims)],
    ['with alg none', (claims) => new UnsecuredJWT(claims).encode()],
    ['with HS256 and the public key', (claims) => hmac(claims, Buffer.from(JSON.stringify(provider.keys[0]!.jwk)))],
    ['with HS256 and the client secret', (claims) => hmac(claims, Buffer.from('the secret of the portals'))],
    ['that has expired', (claims) => provider.keys[0]!.sign({ ...claims, exp: Math.floor(Date.now() / 1000) - 120 })],
    ['without exp', ({ exp: _, ...claims }) => provider.keys[0]!.sign(claims)],
    ['of the future', (claims) => provider.keys[0]!.sign({ ...claims, iat: Math.floor(Date.now() / 1000) + 120 })],
    ['that is an access token', (claims) => provider.keys[0]!.sign(claims, { typ: 'at+jwt' })],
    ['that is a logout token', (claims) => provider.keys[0]!.sign(claims, { typ: 'logout+jwt' })],
  ])('%s signs nobody in', async (_what, createIdToken) => {
    provider.createIdToken = async (claims) => createIdToken(claims)
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    await expectRefused(front, visitor, provider.authorize(await visitor.begin(), mallory), 502)
  })

  it('of a clock that is a minute off is taken', async () => {
    provider.createIdToken = (claims) => {
      const now = Math.floor(Date.now() / 1000)
      return provider.keys[0]!.sign({ ...claims, iat: now + 55, exp: now - 55 })
    }
    const visitor = new Visitor(await startShop(provider))
    expect((await visitor.signIn(provider, { sub: 'alice', groups: ['sales'] })).status).toBe(303)
  })
})

describe('what a provider names', () => {
  it('is asked at https or at this machine only', async () => {
    other.metadata = { token_endpoint: 'http://192.0.2.1/token' }
    const front = await startShop(other)
    const visitor = new Visitor(front)
    await expectRefused(front, visitor, other.authorize(await visitor.begin(), mallory), 502)
  })

  it.each([
    ['authorization_endpoint', 'http://login.example.com/authorize'],
    ['authorization_endpoint', 'javascript:alert(1)'],
    ['end_session_endpoint', 'http://login.example.com/logout'],
  ])('sends no browser to another kind of %s: %s', async (name, url) => {
    other.metadata = { [name]: url }
    const front = await startShop(other)
    await expectRefused(front, new Visitor(front), '/shop/login/corporate', 502)
  })

  it('is no other issuer than the one that was written', async () => {
    other.metadata = { issuer: provider.url }
    const front = await startShop(other)
    await expectRefused(front, new Visitor(front), '/shop/login/corporate', 502)
  })

  it('never gets into a log: no code, no state, no token', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    provider.createIdToken = (claims) => provider.keys[0]!.sign({ ...claims, aud: 'another' })
    const callback = provider.authorize(await visitor.begin(), mallory)
    await visitor.open(callback.href)
    const log = front.lines.join('\n')
    for (const name of ['code', 'state']) expect(log).not.toContain(callback.searchParams.get(name))
    expect(log).not.toMatch(/eyJ|the secret of the portals/)
    expect(log).toContain('provider-failed')
  })
})
