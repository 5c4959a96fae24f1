/** Clients of the authorization server whose users sign in at a provider elsewhere. */

import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  authorizeUrl,
  type Browser,
  callback,
  exchange,
  fetchOf,
  issuer,
  type OauthFront,
  oauthFront,
  origin,
  pkce,
  userinfo,
} from '../oauth/front.js'
import { FakeProvider } from './fake-provider.js'
import { providerTable } from './provider-front.js'

const provider = new FakeProvider()
beforeAll(() => provider.start())
afterAll(() => provider.close())

const alice = { sub: 'alice', groups: ['sales'], name: 'Alice Doe', email: 'alice@example.com', sid: 'a session' }

function startFront(signIn = ['local', 'corporate'], changes: object = {}): Promise<OauthFront> {
  const tables = { identity_provider: [providerTable(provider, changes)], portal: { shop: { sign_in: signIn } } }
  return oauthFront({
    oauth: { sign_in: signIn },
    tables,
    before: (app, security) => app.use('/shop', security.portal('shop'), (_request, response) => response.send('in')),
  })
}

/** From the client to the page of the provider. */
async function beginAt(browser: Browser, url: string): Promise<string> {
  const { location = '' } = (await browser.go(url)).headers
  const page = await browser.go(location)
  const href = /href="([^"]+)">Sign in with Corporate/.exec(page.text)?.[1]
  const next = href === undefined ? page : await browser.go(href.replaceAll('&#38;', '&').replaceAll('&amp;', '&'))
  return next.headers.location!
}

/** And back to the client. */
async function finishAt(browser: Browser, url: string, claims: Record<string, unknown> = alice): Promise<URL> {
  let location = provider.authorize(url, claims).href
  for (let step = 0; step < 4; step++) {
    const answer = await browser.go(location)
    if (answer.headers.location === undefined) throw new Error(`${answer.status} ${answer.text.slice(-900)}`)
    location = new URL(answer.headers.location, origin).href
    if (location.startsWith(callback)) return new URL(location)
  }
  throw new Error('went in circles')
}

describe('a client of the authorization server', () => {
  it('gets tokens for a user of a provider, by openid-client', async () => {
    const front = await startFront()
    const client = await openid.discovery(new URL(issuer), 'devportal-app', undefined, openid.None(), {
      [openid.customFetch]: fetchOf(front) as openid.CustomFetch,
    })
    const verifier = openid.randomPKCECodeVerifier()
    const nonce = openid.randomNonce()
    const url = openid.buildAuthorizationUrl(client, {
      redirect_uri: callback,
      scope: 'openid profile email roles orders',
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: 'a state',
      nonce,
    })
    const browser = front.browser()
    const back = await finishAt(browser, await beginAt(browser, url.href))
    const tokens = await openid.authorizationCodeGrant(client, back, {
      pkceCodeVerifier: verifier,
      expectedState: 'a state',
      expectedNonce: nonce,
    })
    expect(tokens.claims()).toMatchObject({ sub: 'CORP/alice', name: 'Alice Doe', email: 'alice@example.com' })
    const info = await openid.fetchUserInfo(client, tokens.access_token, 'CORP/alice')
    expect(info).toMatchObject({ name: 'Alice Doe', roles: ['buyer'] })
    // The portals share the sign-on.
    expect((await browser.go('/shop/')).text).toBe('in')
  })

  it('is led straight to the only provider, with login_hint, and with prompt=login where it asks for it', async () => {
    const front = await startFront(['corporate'])
    const browser = front.browser()
    const { challenge } = pkce()
    const url = authorizeUrl(challenge, { login_hint: 'alice@example.com', prompt: 'login' })
    const asked = new URL(await beginAt(browser, url)).searchParams
    expect(Object.fromEntries(asked)).toMatchObject({
      login_hint: 'alice@example.com',
      prompt: 'login',
      max_age: '0',
      redirect_uri: `${issuer}/login/corporate/callback`,
    })
  })

  it.each([{ prompt: 'login' }, { max_age: '0' }])(
    'gets nothing for %o where the provider has not asked for the password since',
    async (wish) => {
      const front = await startFront(['corporate'])
      const seconds = Math.floor(Date.now() / 1000)
      const begin = async (browser: ReturnType<typeof front.browser>) =>
        beginAt(browser, authorizeUrl(pkce().challenge, wish))
      for (const auth_time of [undefined, seconds - 3600]) {
        const browser = front.browser()
        const url = new URL(await begin(browser))
        expect(url.searchParams.get('max_age')).toBe('0')
        // What the browser leaves out on its way does not help it.
        for (const name of Object.keys(wish)) url.searchParams.delete(name)
        const answer = await browser.go(provider.authorize(url.href, { ...alice, auth_time }).href)
        expect(answer.status, String(auth_time)).toBe(502)
      }
      const browser = front.browser()
      const back = await finishAt(browser, await begin(browser), { ...alice, auth_time: seconds })
      expect(back.searchParams.get('code')).toBeTruthy()
    },
  )

  it('loses its tokens when the provider says that the session has ended', async () => {
    const front = await startFront()
    const browser = front.browser()
    const { verifier, challenge } = pkce()
    const back = await finishAt(browser, await beginAt(browser, authorizeUrl(challenge)))
    const { access_token } = (await exchange(front, back.searchParams.get('code')!, verifier)).json()
    expect((await userinfo(front, String(access_token))).status).toBe(200)
    const body = new URLSearchParams({ logout_token: await provider.logoutToken({ sid: 'a session' }) })
    expect((await front.send('/shop/backchannel-logout', { method: 'POST', body })).status).toBe(200)
    expect((await userinfo(front, String(access_token))).status).toBe(401)
  })

  it('signs out at the provider from a portal that shares the sign-on', async () => {
    const front = await startFront()
    const browser = front.browser()
    const { challenge } = pkce()
    await finishAt(browser, await beginAt(browser, authorizeUrl(challenge)), { ...alice, sid: 'another session' })
    await browser.go('/shop/')
    const { host } = new URL(origin)
    const own = { host, origin: `http://${host}` }
    const { location } = (await browser.go('/shop/logout', { method: 'POST', headers: own })).headers
    expect(new URL(location!).searchParams.get('id_token_hint')).toMatch(/^eyJ/)
    expect(location).toMatch(`${provider.url}/logout?`)
  })
})

describe('the login page', () => {
  it('is shown again where the provider refuses, and the sign-in can be tried again', async () => {
    const front = await startFront()
    const browser = front.browser()
    const { challenge } = pkce()
    const url = await beginAt(browser, authorizeUrl(challenge))
    const refused = await browser.go(provider.authorize(url, { ...alice, groups: [] }).href)
    expect(refused.status).toBe(403)
    expect(refused.text).toContain('has no access here')
    const again = /href="([^"]+)">Sign in with Corporate as somebody else</
      .exec(refused.text)![1]!
      .replaceAll('&#38;', '&')
    const { location } = (await browser.go(again)).headers
    expect(new URL(location!).searchParams.get('prompt')).toBe('login')
    const back = await finishAt(browser, location!)
    expect(back.searchParams.get('code')).toBeTruthy()
  })

  it('takes no code of another browser, nor one that was meant for a portal', async () => {
    const front = await startFront()
    const { challenge } = pkce()
    const url = await beginAt(front.browser(), authorizeUrl(challenge))
    expect((await front.browser().go(provider.authorize(url, alice).href)).status).toBe(400)
    const browser = front.browser()
    const atPortal = (await browser.go('/shop/login/corporate')).headers.location!
    const moved = new URL(provider.authorize(atPortal, alice).href)
    expect((await browser.go(`${issuer}/login/corporate/callback${moved.search}`)).status).toBe(400)
  })

  it('takes no password where only the provider signs in', async () => {
    const front = await startFront(['corporate'])
    const browser = front.browser()
    const { challenge } = pkce()
    const { location } = (await browser.go(authorizeUrl(challenge))).headers
    const body = new URLSearchParams({ username: 'alice', password: 'correct horse battery' })
    expect((await browser.go(location!, { method: 'POST', body })).status).toBe(405)
  })
})
