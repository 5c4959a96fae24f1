import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { StoreError } from '../../lib/index.js'
import {
  authorizeUrl,
  type Browser,
  exchange,
  newCode,
  type OauthFront,
  oauthFront,
  origin,
  passwords,
  pkce,
  providers,
  refresh,
  type TokenAnswer,
  userinfo,
} from './front.js'

const alice = { subject: 'alice', roles: ['editor'], isAdmin: false, version: '1' }
const everything = 'openid profile email roles orders'
const profile = { name: 'Alice Liddell', email: 'alice@example.com' }
const known = { ...profile, preferred_username: 'alice', roles: ['editor'] }

/** A store that knows of a person whatever it is given, and fails where that is a failure. */
function storeWith(found: () => object | undefined) {
  return {
    authenticate: async () => ({ account: alice }),
    find: async () => alice,
    findProfile: async () => found(),
    close() {},
  }
}

/** The usual client, with `claims` as given. */
function frontWith(claims: readonly string[] | undefined, userStore: object = storeWith(() => profile)) {
  const [usual] = providers
  const provider = claims === undefined ? usual : { ...usual, claims }
  return oauthFront({ oauth: { service_provider: [provider] }, options: { userStore } })
}

async function tokensOf(front: OauthFront, browser: Browser, scope: string) {
  const { code, verifier } = await newCode(browser, { scope })
  const tokens = (await exchange(front, code, verifier)).json() as unknown as TokenAnswer
  const { sub: _id, ...idToken } = decodeJwt(tokens.id_token)
  return { tokens, idToken, accessToken: decodeJwt(tokens.access_token) }
}

describe('claims of the user', () => {
  it.each([
    ['openid', {}],
    ['openid profile', { name: profile.name, preferred_username: 'alice' }],
    ['openid email', { email: profile.email }],
    ['openid roles', { roles: ['editor'] }],
    [everything, known],
  ])('for the scope %j are in the ID token and at /userinfo, and in no access token', async (scope, expected) => {
    const front = await frontWith(undefined)
    const { tokens, idToken, accessToken } = await tokensOf(front, front.browser(), scope)
    const told = Object.fromEntries(Object.entries(idToken).filter(([name]) => name in known))
    expect(told).toEqual(expected)
    expect((await userinfo(front, tokens.access_token)).json()).toEqual({ sub: 'alice', ...expected })
    for (const name of Object.keys(known)) expect(accessToken).not.toHaveProperty(name)
  })

  it.each([
    [[], false, false],
    [['access_token'], false, true],
    [['id_token', 'access_token'], true, true],
  ])('are in the tokens that claims = %j names', async (claims, inIdToken, inAccessToken) => {
    const front = await frontWith(claims)
    const { tokens, idToken, accessToken } = await tokensOf(front, front.browser(), everything)
    expect([idToken['name'], idToken['roles']]).toEqual(inIdToken ? [profile.name, ['editor']] : [undefined, undefined])
    expect(accessToken).toMatchObject({ sub: 'alice', scope: everything, ...(inAccessToken && known) })
    if (!inAccessToken) expect(accessToken).not.toHaveProperty('email')
    expect((await userinfo(front, tokens.access_token)).json()).toMatchObject(known)
  })

  it('stay in what a refresh gives', async () => {
    const front = await frontWith(['id_token', 'access_token'])
    const { tokens } = await tokensOf(front, front.browser(), everything)
    const answer = await refresh(front, tokens.refresh_token)
    const refreshed = answer.json() as unknown as TokenAnswer
    expect(decodeJwt(refreshed.id_token)).toMatchObject(known)
    expect(decodeJwt(refreshed.access_token)).toMatchObject(known)
  })

  it('never replace what a token says of itself', async () => {
    const front = await frontWith(
      ['access_token'],
      storeWith(() => ({ ...profile, iss: 'x', aud: 'x', sub: 'bob', scope: 'admin' })),
    )
    const { accessToken } = await tokensOf(front, front.browser(), everything)
    expect(accessToken).toMatchObject({ sub: 'alice', aud: 'https://api.example.com', scope: everything })
  })

  it.each([
    ['has no more than names', undefined],
    ['knows nobody', () => undefined],
    ['knows nothing of the user', () => ({})],
  ])('name the user by the user name where the store %s', async (_case, found) => {
    const { findProfile: _none, ...plain } = storeWith(() => undefined)
    const front = await frontWith(undefined, found === undefined ? plain : storeWith(found))
    const { idToken } = await tokensOf(front, front.browser(), everything)
    expect(idToken).toMatchObject({ name: 'alice', preferred_username: 'alice' })
    expect(idToken).not.toHaveProperty('email')
  })

  it('are all there or none: a store that is down is 503, and a refresh can be repeated', async () => {
    let isDown = false
    const store = storeWith(() => {
      if (isDown) throw new StoreError('down')
      return profile
    })
    const front = await frontWith(undefined, store)
    const { tokens } = await tokensOf(front, front.browser(), everything)
    isDown = true
    for (const answer of [await refresh(front, tokens.refresh_token), await userinfo(front, tokens.access_token)]) {
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
    }
    isDown = false
    expect((await refresh(front, tokens.refresh_token)).status).toBe(200)
  })

  it('are listed in the metadata', async () => {
    const front = await oauthFront()
    expect((await front.send('/oauth2/.well-known/openid-configuration')).json()).toMatchObject({
      scopes_supported: expect.arrayContaining(['openid', 'profile', 'email', 'roles']),
      claims_supported: expect.arrayContaining(['sub', 'name', 'preferred_username', 'email', 'roles']),
    })
  })
})

describe('a portal of WSO2', () => {
  const login = `${origin}/devportal/services/auth/callback/login`
  const asked = 'openid apim:subscribe apim:app_manage apim:admin apim:of_a_later_release'

  /** Signs in at the portal, and answers the scopes that were granted. */
  async function scopesAt(portal: object, user: 'alice' | 'bob', asAdmin: boolean) {
    const users = Object.entries(passwords).map(([name, password]) => {
      const roles = name === 'alice' ? ['Internal/subscriber'] : []
      return { user: { name, password, is_admin: asAdmin && name === user, roles } }
    })
    const tables = { internal_apis: { users }, portal: { devportal: { callback: login, ...portal } } }
    const front = await oauthFront({ tables })
    const browser = front.browser()
    const { verifier, challenge } = pkce()
    const client = { client_id: 'apim_devportal', redirect_uri: login }
    const back = await browser.signIn(authorizeUrl(challenge, { ...client, scope: asked }), user)
    const tokens = (await exchange(front, back.searchParams.get('code')!, verifier, client)).json()
    return { front, browser, tokens, scopes: String(tokens['scope']).split(' ') }
  }

  it('gets its scopes and a refresh token, and comes back from a sign-out', async () => {
    const { front, browser, tokens, scopes } = await scopesAt({}, 'alice', false)
    expect(scopes).toEqual(['openid', 'apim:subscribe', 'apim:app_manage'])
    const parameters = { grant_type: 'refresh_token', client_id: 'apim_devportal' }
    const body = new URLSearchParams({ ...parameters, refresh_token: String(tokens['refresh_token']) })
    expect((await front.send('/oauth2/token', { method: 'POST', body })).status).toBe(200)
    const uri = `${origin}/devportal/services/auth/callback/logout`
    const hint = String(tokens['id_token'])
    const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: uri })
    expect((await browser.go(`/oauth2/logout?${query}`)).status).toBe(200)
    expect((await front.browser().go(`/oauth2/logout?${query}`)).headers.location).toBe(uri)
  })

  it.each([
    ['an administrator', { roles: ['Internal/nobody'] }, 'bob', true, true],
    ['a user with a role of the portal', { roles: ['Internal/subscriber'] }, 'alice', false, true],
    ['a user without one', { roles: ['Internal/subscriber'] }, 'bob', false, false],
  ] as const)('gives its scopes to %s as it lets them in', async (_who, portal, user, asAdmin, isEntitled) => {
    const { scopes } = await scopesAt(portal, user, asAdmin)
    expect(scopes.includes('apim:subscribe')).toBe(isEntitled)
    expect(scopes.includes('apim:admin')).toBe(asAdmin)
  })

  it('loses its scopes at the next sign-in of a user who may not enter it any more', async () => {
    let ahead = 0
    let roles = ['Internal/subscriber']
    const account = () => ({ ...alice, roles })
    const userStore = { authenticate: async () => ({ account: account() }), find: async () => account(), close() {} }
    const tables = { portal: { devportal: { callback: login, roles } } }
    const front = await oauthFront({ tables, options: { userStore }, clock: () => Date.now() + ahead })
    const browser = front.browser()
    const scopes = async () => {
      const { verifier, challenge } = pkce()
      const client = { client_id: 'apim_devportal', redirect_uri: login }
      const back = await browser.signIn(authorizeUrl(challenge, { ...client, scope: asked }))
      return (await exchange(front, back.searchParams.get('code')!, verifier, client)).json()['scope']
    }
    expect(await scopes()).toBe('openid apim:subscribe apim:app_manage')
    roles = []
    ahead = 61_000
    expect(await scopes()).toBe('openid')
  })
})
