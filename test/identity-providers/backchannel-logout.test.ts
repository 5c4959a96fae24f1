import { SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import type { PortalFront } from '../portals/portal-front.js'
import { FakeProvider, newKey } from './fake-provider.js'
import { providerTable, startShop, Visitor } from './provider-front.js'

const provider = new FakeProvider()
beforeAll(() => provider.start())
afterAll(() => provider.close())
beforeEach(() => {
  provider.mood = 'well'
})

const bob = { sub: 'bob', groups: ['sales'] }

/** As a provider sends it: from anywhere, without a cookie. */
function tell(front: PortalFront, token: string, path = '/shop'): Promise<RawAnswer> {
  const type = 'Content-Type: application/x-www-form-urlencoded'
  return front.call(
    'POST',
    `${path}/backchannel-logout`,
    [type],
    new URLSearchParams({ logout_token: token }).toString(),
  )
}

async function signedIn(front: PortalFront, claims: Record<string, unknown>): Promise<Visitor> {
  const visitor = new Visitor(front)
  await visitor.signIn(provider, claims)
  expect(await visitor.whoAmI()).toBeDefined()
  return visitor
}

describe('a logout token', () => {
  it('ends the session that it names, and no other of the user', async () => {
    const front = await startShop(provider)
    const visitor = await signedIn(front, { ...bob, sid: 's1' })
    const elsewhere = await signedIn(front, { ...bob, sid: 's2' })
    const answer = await tell(front, await provider.logoutToken({ sub: 'bob', sid: 's1' }))
    expect([answer.status, answer.header('cache-control')]).toEqual([200, 'no-store'])
    expect([await visitor.whoAmI(), await elsewhere.whoAmI()].map(Boolean)).toEqual([false, true])
    expect(front.events).toContainEqual(
      expect.objectContaining({ name: 'revocation', subject: 'CORP/bob', reason: 'signed out at corporate' }),
    )
  })

  it('ends all sessions of a user whom it names, and leaves those of others', async () => {
    const front = await startShop(provider)
    const sessions = [await signedIn(front, { ...bob, sid: 's3' }), await signedIn(front, bob)]
    const other = await signedIn(front, { sub: 'carol', groups: ['sales'] })
    expect((await tell(front, await provider.logoutToken({ sub: 'bob' }))).status).toBe(200)
    for (const visitor of sessions) expect(await visitor.whoAmI()).toBeUndefined()
    expect(await other.whoAmI()).toBeDefined()
  })

  it('finds the user by sub where users are named by another claim', async () => {
    const front = await startShop(provider, { tables: [providerTable(provider, { subject_claim: 'upn' })] })
    const visitor = await signedIn(front, { ...bob, upn: 'bob@example.com', sid: 's4' })
    await tell(front, await provider.logoutToken({ sub: 'bob' }))
    expect(await visitor.whoAmI()).toBeUndefined()
  })

  it('ends the sessions of all portals that were signed in with it', async () => {
    const front = await startShop(provider, {
      portals: { shop: '/shop', desk: '/desk' },
      root: { portal: { shop: { sign_in: ['corporate'] }, desk: { sign_in: ['corporate'] } } },
    })
    const visitor = await signedIn(front, { ...bob, sid: 's5' })
    await visitor.signIn(provider, { ...bob, sid: 's5' }, '/desk/login/corporate')
    expect(await visitor.whoAmI('/desk/session')).toBeDefined()
    await tell(front, await provider.logoutToken({ sid: 's5' }))
    expect([await visitor.whoAmI(), await visitor.whoAmI('/desk/session')]).toEqual([undefined, undefined])
  })

  it('that overtakes the sign-in refuses it', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    const callback = provider.authorize(await visitor.begin(), { ...bob, sid: 's6' })
    expect((await tell(front, await provider.logoutToken({ sid: 's6' }))).status).toBe(200)
    expect((await visitor.open(callback.href)).status).toBe(401)
    expect(await visitor.whoAmI()).toBeUndefined()
  })

  it('for a user refuses sign-ins that had begun, and takes later ones', async () => {
    let now = Date.now()
    const front = await startShop(provider, { options: { clock: () => now } })
    const visitor = new Visitor(front)
    const url = await visitor.begin()
    now += 1000
    await tell(front, await provider.logoutToken({ sub: 'erin' }))
    now += 1000
    expect((await visitor.open(provider.authorize(url, { ...bob, sub: 'erin' }).href)).status).toBe(401)
    expect((await visitor.signIn(provider, { ...bob, sub: 'erin' })).status).toBe(303)
  })

  it('is good once', async () => {
    const front = await startShop(provider)
    const token = await provider.logoutToken({ sub: 'frank' })
    expect((await tell(front, token)).status).toBe(200)
    const visitor = await signedIn(front, { ...bob, sub: 'frank' })
    const again = await tell(front, token)
    expect([again.status, again.json()['code']]).toEqual([400, 'ERR_TOKEN_INVALID'])
    expect(await visitor.whoAmI()).toBeDefined()
  })

  const now = (): number => Math.floor(Date.now() / 1000)
  const base = { sub: 'bob', sid: 's7' }

  it.each<[string, () => Promise<string> | string]>([
    ['without a signature', () => new UnsecuredJWT({ iss: provider.url, aud: 'the portals', ...base }).encode()],
    ['of another key', async () => provider.logoutToken(base, await newKey('first'))],
    ['of a key that is not known', async () => provider.logoutToken(base, await newKey('unknown'))],
    [
      'with HS256 and the client secret',
      () =>
        new SignJWT({ iss: provider.url, aud: 'the portals', jti: 'j', iat: now(), exp: now() + 60, ...base })
          .setProtectedHeader({ alg: 'HS256' })
          .sign(Buffer.from('the secret of the portals')),
    ],
    ['of another client', () => provider.logoutToken({ ...base, aud: 'another' })],
    ['without aud', () => provider.logoutToken({ ...base, aud: undefined })],
    ['of another issuer', () => provider.logoutToken({ ...base, iss: 'https://another.example' })],
    ['with a nonce', () => provider.logoutToken({ ...base, nonce: 'n' })],
    ['without events', () => provider.logoutToken({ ...base, events: undefined })],
    [
      'with another event',
      () => provider.logoutToken({ ...base, events: { 'http://schemas.openid.net/event/other': {} } }),
    ],
    [
      'with an event that is no table',
      () => provider.logoutToken({ ...base, events: { 'http://schemas.openid.net/event/backchannel-logout': true } }),
    ],
    ['with neither sid nor sub', () => provider.logoutToken({})],
    ['with a sid that is no text', () => provider.logoutToken({ sub: 'bob', sid: 7 })],
    ['without jti', () => provider.logoutToken({ ...base, jti: undefined })],
    ['without exp', () => provider.logoutToken({ ...base, exp: undefined })],
    ['that has expired', () => provider.logoutToken({ ...base, exp: now() - 61 })],
    ['without iat', () => provider.logoutToken({ ...base, iat: undefined })],
    ['of an hour ago', () => provider.logoutToken({ ...base, iat: now() - 3600 })],
    ['of the future', () => provider.logoutToken({ ...base, iat: now() + 120 })],
    ['that is an access token', () => provider.logoutToken(base, undefined, { typ: 'at+jwt' })],
    [
      'that is an ID token',
      () => provider.keys[0]!.sign({ iss: provider.url, aud: 'the portals', iat: now(), exp: now() + 60, ...base }),
    ],
    ['that is cut', async () => (await provider.logoutToken(base)).slice(0, -3)],
    ['that is none', () => 'nothing'],
  ])('%s ends nothing', async (_what, create) => {
    const front = await startShop(provider)
    const visitor = await signedIn(front, { ...bob, sid: 's7' })
    const answer = await tell(front, await create())
    expect([answer.status, answer.header('cache-control')]).toEqual([400, 'no-store'])
    expect(await visitor.whoAmI()).toBeDefined()
  })
})

describe('the address of logout tokens', () => {
  it('takes one form with one token, by POST', async () => {
    const front = await startShop(provider)
    const path = '/shop/backchannel-logout'
    expect((await front.call('GET', path)).status).toBe(405)
    expect((await front.call('POST', path, ['Content-Type: application/json'], '{}')).status).toBe(415)
    const type = 'Content-Type: application/x-www-form-urlencoded'
    expect((await front.call('POST', path, [type], 'logout_token=a&logout_token=b')).status).toBe(400)
    expect((await front.call('POST', path, [type], `logout_token=${'a'.repeat(40_000)}`)).status).toBe(413)
  })

  it('is a path of the app where no provider is', async () => {
    const front = await startShop(provider, { tables: [], signIn: ['local'] })
    expect((await tell(front, 'x')).status).toBe(403)
  })

  it('answers 503 while the store fails, and takes the token again', async () => {
    const store = new MemoryTokenStore()
    const front = await startShop(provider, { options: { tokenStore: store } })
    const visitor = await signedIn(front, { ...bob, sid: 's8' })
    const token = await provider.logoutToken({ sid: 's8' })
    for (const method of ['find', 'add', 'remove'] as const) {
      const original = store[method]
      const fail = (): never => {
        throw new StoreError('down')
      }
      Object.assign(store, { [method]: fail })
      const answer = await tell(front, token)
      expect([method, answer.status, answer.header('retry-after')]).toEqual([method, 503, '5'])
      Object.assign(store, { [method]: original })
    }
    expect((await tell(front, token)).status).toBe(200)
    expect(await visitor.whoAmI()).toBeUndefined()
  })

  it('answers 503 while the keys cannot be read', async () => {
    const fresh = await new FakeProvider().start()
    const front = await startShop(fresh)
    fresh.mood = 'broken'
    expect((await tell(front, await fresh.logoutToken({ sid: 's9' }))).status).toBe(503)
    await fresh.close()
  })
})

describe('a sign-out here', () => {
  it('goes on to the page of the provider, with the ID token, and comes back to the login page', async () => {
    const front = await startShop(provider)
    const visitor = await signedIn(front, { ...bob, sid: 's10' })
    const location = new URL((await visitor.open('/shop/logout', 'POST')).header('location')!)
    expect(location.origin + location.pathname).toBe(`${provider.url}/logout`)
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      id_token_hint: expect.stringMatching(/^eyJ/),
      client_id: 'the portals',
      post_logout_redirect_uri: 'http://front.test/shop/login',
    })
    expect(await visitor.whoAmI()).toBeUndefined()
    expect((await visitor.open('/shop/login')).body).toContain('You are signed out.')
  })

  it('names the user where the ID token is too long to be kept', async () => {
    const front = await startShop(provider)
    const visitor = await signedIn(front, { ...bob, padding: 'x'.repeat(4000) })
    for (const value of visitor.cookies.values()) expect(value.length).toBeLessThan(4000)
    const { searchParams } = new URL((await visitor.open('/shop/logout', 'POST')).header('location')!)
    expect([searchParams.get('id_token_hint'), searchParams.get('logout_hint')]).toEqual([null, 'bob'])
  })

  it('ends here where the provider has no such page, or does not answer, and for a password', async () => {
    const local = await startShop(provider)
    const cookie = await local.cookieOf('/shop')
    const own = [
      cookie,
      'Sec-Fetch-Site: same-origin',
      'Origin: http://front.test',
      'Accept: text/html',
      'Sec-Fetch-Mode: navigate',
      'Sec-Fetch-Dest: document',
    ]
    expect((await local.call('POST', '/shop/logout', own)).header('location')).toBe('/shop/login')
    const fresh = await new FakeProvider().start()
    fresh.metadata = { end_session_endpoint: undefined }
    const visitor = new Visitor(await startShop(fresh))
    await visitor.signIn(fresh, bob)
    expect((await visitor.open('/shop/logout', 'POST')).header('location')).toBe('/shop/login')
    await fresh.close()
  })
})
