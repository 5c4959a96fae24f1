import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { document } from '../helpers/front.js'
import { type RawAnswer, requestBytes, sendRaw } from '../helpers/raw-http.js'
import { oauthFront, providers as serviceProviders } from '../oauth/front.js'
import type { PortalFront } from '../portals/portal-front.js'
import { FakeProvider } from './fake-provider.js'
import { providerTable, startShop, Visitor } from './provider-front.js'

const provider = new FakeProvider()
beforeAll(() => provider.start())
afterAll(() => provider.close())
beforeEach(() => {
  Object.assign(provider, { mood: 'well', metadata: {}, userinfo: undefined, jwksPath: '/jwks' })
})

const form = ['Content-Type: application/x-www-form-urlencoded']

async function logOut(front: PortalFront, claims: Record<string, unknown>): Promise<RawAnswer> {
  const body = new URLSearchParams({ logout_token: await provider.logoutToken(claims) })
  return front.call('POST', '/shop/backchannel-logout', form, String(body))
}

const tables = (changes: object = {}) => [providerTable(provider, { subject_claim: 'email', ...changes })]

/** Tables of an app in which portals share a sign-on, and service providers are told of its end. */
const sharing = () => ({
  identity_provider: tables(),
  portal: { shop: { sign_in: ['local', 'corporate'] } },
})

/** An app whose portal shares a sign-on with an authorization server. */
async function startSharing(): Promise<{ readonly front: PortalFront; reload(): Promise<unknown> }> {
  const [app, other] = serviceProviders
  const told = { ...app, backchannel_logout_uri: 'https://app.example.com/backchannel-logout' }
  const { security, port, source } = await oauthFront({
    oauth: { service_provider: [told, other] },
    tables: sharing(),
    before: (app, security) => app.use('/shop', security.portal('shop')),
  })
  const call: PortalFront['call'] = (method, path, headers, body) =>
    sendRaw(port, requestBytes(method, path, headers, body))
  return { front: { security, call } as PortalFront, reload: () => security.reload(source) }
}

const user = { sub: '1001', email: 'alice@example.com', groups: ['sales'], sid: 's1' }

describe('a logout token that names the user alone', () => {
  it.each([
    ['that shares no sign-on', () => startShop(provider, { tables: tables() })],
    ['that shares one', async () => (await startSharing()).front],
  ])('ends the session of a portal %s where users are named by another claim', async (_what, start) => {
    const front = await start()
    const visitor = new Visitor(front)
    await visitor.signIn(provider, user)
    expect(await visitor.whoAmI()).toMatchObject({ subject: 'CORP/alice@example.com' })
    expect((await logOut(front, { sub: '1001' })).status).toBe(200)
    expect(await visitor.whoAmI()).toBeUndefined()
  })

  it('ends it after a reload too', async () => {
    const { front, reload } = await startSharing()
    const visitor = new Visitor(front)
    await visitor.signIn(provider, user)
    await reload()
    await new Promise(setImmediate)
    expect((await logOut(front, { sub: '1001' })).status).toBe(200)
    expect(await visitor.whoAmI()).toBeUndefined()
  })

  it('ends the longer of two sessions', async () => {
    let now = Date.now()
    const front = await startShop(provider, { tables: tables(), options: { clock: () => now } })
    const [first, second] = [new Visitor(front), new Visitor(front)]
    await first.signIn(provider, user)
    await second.signIn(provider, { ...user, sid: 's2', session_expiry: Math.floor(now / 1000) + 60 })
    now += 120_000
    expect([await first.whoAmI(), await second.whoAmI()].map(Boolean)).toEqual([true, false])
    const body = await logOut(front, { sub: '1001', iat: Math.floor(now / 1000), exp: Math.floor(now / 1000) + 60 })
    expect(body.status).toBe(200)
    expect(await first.whoAmI()).toBeUndefined()
  })
})

describe('a reload', () => {
  const sourceWith = (changes: object) =>
    document({
      root: {
        identity_provider: [providerTable(provider, changes)],
        portal: { shop: { sign_in: ['local', 'corporate'] } },
      },
    })

  it.each<[string, object]>([
    ['takes administrators their group', { admin_roles: ['others'] }],
    ['demands another tenant', { required_claims: { tid: 'a' } }],
  ])('that %s ends their sessions', async (_what, changes) => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    await visitor.signIn(provider, { sub: 'root', groups: ['root'], sid: 's1' })
    expect(await visitor.whoAmI()).toMatchObject({ isAdmin: true })
    await front.security.reload(sourceWith({}))
    expect(await visitor.whoAmI()).toMatchObject({ isAdmin: true })
    await front.security.reload(sourceWith(changes))
    expect(await visitor.whoAmI()).toBeUndefined()
  })

  it('that takes the provider away ends sessions and sign-ins under way', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    await visitor.signIn(provider, { sub: 'erin', groups: ['sales'] })
    const url = await new Visitor(front).begin()
    await front.security.reload(document({ root: { portal: { shop: {} } } }))
    expect(await visitor.whoAmI()).toBeUndefined()
    const answer = await visitor.open(provider.authorize(url, { sub: 'erin', groups: ['sales'] }).href)
    expect(answer.header('location')).toMatch('/shop/login')
    expect(await visitor.whoAmI()).toBeUndefined()
  })

  it('lets nobody in whom a logout token has overtaken, nor a logout token in twice', async () => {
    const { front, reload } = await startSharing()
    const visitor = new Visitor(front)
    const url = await visitor.begin()
    expect((await logOut(front, { sid: 'late', jti: 'j1' })).status).toBe(200)
    await reload()
    await new Promise(setImmediate)
    await visitor.open(provider.authorize(url, { ...user, sid: 'late' }).href)
    expect(await visitor.whoAmI()).toBeUndefined()
    expect((await logOut(front, { sid: 'late', jti: 'j1' })).status).toBe(400)
  })
})

describe('links of another site', () => {
  it('cannot fill the browser with cookies until every request is refused', async () => {
    const visitor = new Visitor(await startShop(provider))
    for (let tab = 0; tab < 8; tab++) await visitor.begin(`/shop/login/corporate?return_to=/shop/${'a'.repeat(2000)}`)
    const length = [...visitor.cookies].join('; ').length
    expect(length).toBeLessThan(10_000)
    expect((await visitor.open('/shop/login')).status).toBe(200)
  })
})
