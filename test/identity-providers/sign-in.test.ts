import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { users } from '../helpers/front.js'
import { FakeProvider } from './fake-provider.js'
import { providerTable, startShop, Visitor } from './provider-front.js'

const provider = new FakeProvider()
beforeAll(() => provider.start())
afterAll(() => provider.close())
beforeEach(() => {
  Object.assign(provider, { mood: 'well', metadata: {}, userinfo: undefined, jwksPath: '/jwks' })
  provider.createIdToken = (claims) => provider.keys[0]!.sign(claims)
})

describe('a sign-in at a provider', () => {
  it('leads to the page that was asked for, with groups as roles and a domain before the name', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    const page = await visitor.open('/shop/login?return_to=/shop/cart%3Fa=1')
    expect(page.body).toContain('<form method="post" action="/shop/login">')
    const href = /href="([^"]+)">Sign in with Corporate/.exec(page.body)![1]!
    const claims = { sub: 'alice', groups: ['sales', 'unknown'], name: 'Alice' }
    const answer = await visitor.signIn(provider, claims, href)
    expect([answer.status, answer.header('location')]).toEqual([303, '/shop/cart?a=1'])
    expect(await visitor.whoAmI()).toMatchObject({ subject: 'CORP/alice', roles: ['buyer'], isAdmin: false })
    expect(front.events.map(({ name }) => name)).toContain('login')
  })

  it('goes straight there where it is the only way, but for somebody who has signed out', async () => {
    const front = await startShop(provider, { signIn: ['corporate'] })
    const visitor = new Visitor(front)
    const answer = await visitor.open('/shop/login?return_to=/shop/a')
    expect(answer.header('location')).toBe('/shop/login/corporate?return_to=%2Fshop%2Fa')
    await visitor.signIn(provider, { sub: 'bob', groups: ['sales'] }, answer.header('location'))
    expect((await visitor.open('/shop/logout', 'POST')).header('location')).toMatch(`${provider.url}/logout?`)
    const page = await visitor.open('/shop/login')
    expect(page.body).toContain('You are signed out.')
    expect(page.body).not.toContain('type="password"')
    expect((await front.signIn('/shop')).status).toBe(405)
  })

  it('has several at a time, each to its own page, and forgets the oldest of many', async () => {
    const visitor = new Visitor(await startShop(provider))
    const urls: string[] = []
    for (let tab = 0; tab < 8; tab++) urls.push(await visitor.begin(`/shop/login/corporate?return_to=/shop/${tab}`))
    expect(visitor.cookies.size).toBe(6)
    const claims = { sub: 'carol', groups: ['sales'] }
    for (const tab of [7, 3]) {
      const answer = await visitor.open(provider.authorize(urls[tab]!, claims).href)
      expect(answer.header('location')).toBe(`/shop/${tab}`)
    }
    expect((await visitor.open(provider.authorize(urls[0]!, claims).href)).status).toBe(400)
  })

  it('ends the session that was there before, and its cookie opens nothing', async () => {
    const visitor = new Visitor(await startShop(provider))
    await visitor.signIn(provider, { sub: 'dave', groups: ['sales'] })
    const before = new Map(visitor.cookies)
    await visitor.signIn(provider, { sub: 'dave', groups: ['root'] })
    expect(await visitor.whoAmI()).toMatchObject({ isAdmin: true })
    for (const [name, value] of before) visitor.cookies.set(name, value)
    expect(await visitor.whoAmI()).toBeUndefined()
  })

  it('follows no address that is not of the portal, and none of its own end points', async () => {
    const visitor = new Visitor(await startShop(provider))
    for (const wanted of ['//evil.test/', 'https://evil.test/', '/other', '/shop/login/corporate', '/shop/logout']) {
      const url = `/shop/login/corporate?return_to=${encodeURIComponent(wanted)}`
      expect((await visitor.signIn(provider, { sub: 'erin', groups: ['sales'] }, url)).header('location')).toBe(
        '/shop/',
      )
    }
  })

  it('reads groups from the user information where the ID token has none', async () => {
    const visitor = new Visitor(await startShop(provider))
    provider.userinfo = { sub: 'frank', groups: ['sales'] }
    await visitor.signIn(provider, { sub: 'frank' })
    expect(await visitor.whoAmI()).toMatchObject({ roles: ['buyer'] })
    provider.userinfo = { sub: 'somebody else', groups: ['root'] }
    expect((await visitor.signIn(provider, { sub: 'frank' })).status).toBe(502)
  })

  it('ends a session at the ceiling of the configuration, or with that of the provider', async () => {
    let now = Date.now()
    const clock = () => now
    const ceiling = [providerTable(provider, { session_ceiling: '10m' })]
    const visitor = new Visitor(await startShop(provider, { tables: ceiling, options: { clock } }))
    const other = new Visitor(await startShop(provider, { options: { clock } }))
    await visitor.signIn(provider, { sub: 'grace', groups: ['sales'] })
    await other.signIn(provider, { sub: 'grace', groups: ['sales'], session_expiry: Math.floor(now / 1000) + 300 })
    now += 299_000
    expect([await visitor.whoAmI(), await other.whoAmI()].map(Boolean)).toEqual([true, true])
    now += 2000
    expect([await visitor.whoAmI(), await other.whoAmI()].map(Boolean)).toEqual([true, false])
    now += 300_000
    expect(await visitor.whoAmI()).toBeUndefined()
  })
})

describe('who may not sign in', () => {
  it.each([
    ['has no group that is a role', { groups: ['visitors'] }, {}, 403],
    ['has a group that is a property of every object', { groups: ['constructor', '__proto__'] }, {}, 403],
    ['has groups that are no list of texts', { groups: [{ sales: true }, 7] }, {}, 403],
    ['is of another tenant', { groups: ['sales'], tid: 'b' }, { required_claims: { tid: ['a', 'c'] } }, 403],
    ['has not the required claim', { groups: ['sales'] }, { required_claims: { hd: 'example.com' } }, 403],
    ['has no name', { groups: ['sales'] }, { subject_claim: 'oid' }, 502],
    ['has another spelling of a name', { groups: ['sales'], oid: 'e\u0301' }, { subject_claim: 'oid' }, 502],
    ['has half a letter in the name', { groups: ['sales'], oid: '\ud800' }, { subject_claim: 'oid' }, 502],
    ['has a name with a line break', { groups: ['sales'], oid: 'a\nb' }, { subject_claim: 'oid' }, 502],
  ])('a user who %s', async (_what, claims, table, status) => {
    const front = await startShop(provider, { tables: [providerTable(provider, table)] })
    const answer = await new Visitor(front).signIn(provider, { sub: 'heidi', ...claims })
    expect(answer.status).toBe(status)
    expect(answer.body).toContain('role="alert"')
    expect(front.events.some(({ name }) => name === 'login')).toBe(false)
    expect(front.events.filter(({ name }) => name === 'loginRefused')).toHaveLength(1)
  })

  it('is named in the log as a warning, with what is missing', async () => {
    const front = await startShop(provider)
    await new Visitor(front).signIn(provider, { sub: 'heidi', groups: ['visitors'] })
    const lines = front.entries.filter(({ fields }) => fields['event'] === 'loginRefused')
    const cause = expect.objectContaining({ message: 'no group in groups is a role here' })
    const expected = { userName: 'CORP/heidi', reason: 'not-admitted', cause }
    expect(lines).toMatchObject([{ level: 'warn', fields: expected }])
  })

  it.each([
    ['has no role here', { sub: 'heidi', groups: ['visitors'] }, {}, undefined, 'login'],
    ['may not enter this portal', { sub: 'heidi', groups: ['sales'] }, { roles: ['clerk'] }, undefined, 'login'],
    ['can be chosen anew', { sub: 'heidi' }, {}, ['none', 'login', 'select_account'], 'select_account'],
  ])('a user who %s can sign in as somebody else', async (_what, claims, portal, prompts, prompt) => {
    provider.metadata = { prompt_values_supported: prompts }
    const shop = { sign_in: ['corporate'], ...portal }
    const visitor = new Visitor(await startShop(provider, { root: { portal: { shop } } }))
    const refused = await visitor.signIn(provider, claims, '/shop/login/corporate?return_to=/shop/a')
    expect(refused.status).toBe(403)
    const [, href = ''] = /href="([^"]+)">Sign in with Corporate as somebody else</.exec(refused.body) ?? []
    const url = await visitor.begin(href.replaceAll('&#38;', '&'))
    expect(new URL(url).searchParams.get('prompt')).toBe(prompt)
    const answer = await visitor.open(provider.authorize(url, { sub: 'judy', groups: ['root'] }).href)
    expect(answer.header('location')).toBe('/shop/a')
    expect(await visitor.whoAmI()).toMatchObject({ subject: 'CORP/judy' })
  })

  it('who cancels goes on as before', async () => {
    const visitor = new Visitor(await startShop(provider))
    const url = await visitor.begin()
    expect(new URL(url).searchParams.has('prompt')).toBe(false)
    const cancelled = provider.authorize(url, {}, { code: undefined, error: 'access_denied' })
    const page = await visitor.open(cancelled.href)
    expect(page.body).toContain('Sign in with Corporate</a>')
  })

  it('takes users of a tenant, by a nested claim, and without a role where that is allowed', async () => {
    const table = { required_claims: { hd: 'example.com' }, roles_claim: 'realm_access.roles', allow_unmapped: true }
    const visitor = new Visitor(await startShop(provider, { tables: [providerTable(provider, table)] }))
    await visitor.signIn(provider, { sub: 'ivan', hd: 'example.com' })
    expect(await visitor.whoAmI()).toMatchObject({ subject: 'CORP/ivan', roles: [] })
    await visitor.signIn(provider, { sub: 'ivan', hd: 'example.com', realm_access: { roles: ['sales'] } })
    expect(await visitor.whoAmI()).toMatchObject({ roles: ['buyer'] })
  })

  it('is nobody for being named like a local administrator', async () => {
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    await visitor.signIn(provider, { sub: users.admin.name, groups: ['sales'] })
    expect(await visitor.whoAmI()).toMatchObject({
      subject: `CORP/${users.admin.name}`,
      isAdmin: false,
      roles: ['buyer'],
    })
  })
})

describe('a provider that is not there', () => {
  it('leaves the start, live sessions and sign-ins with a password alone', async () => {
    provider.mood = 'broken'
    const front = await startShop(provider)
    const visitor = new Visitor(front)
    const refused = await visitor.open('/shop/login/corporate')
    expect([refused.status, refused.header('retry-after')]).toEqual([503, '5'])
    expect(refused.body).toContain('Corporate cannot be reached right now.')
    expect((await front.signIn('/shop')).status).toBe(303)
  })

  it('leaves sessions of its own users alone', async () => {
    const visitor = new Visitor(await startShop(provider))
    await visitor.signIn(provider, { sub: 'judy', groups: ['sales'] })
    provider.mood = 'silent'
    expect(await visitor.whoAmI()).toMatchObject({ subject: 'CORP/judy' })
  })
})
