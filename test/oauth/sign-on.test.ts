import { describe, expect, it } from 'vitest'
import { StoreError } from '../../lib/index.js'
import { bearerAuthentication, MemoryTokenStore } from '../../lib/middleware.js'
import { HeldStore } from '../helpers/held-store.js'
import {
  authorizeUrl,
  type Browser,
  exchange,
  newCode,
  newTokens,
  type OauthFrontOptions,
  oauthFront,
  passwords,
  pkce,
  refresh,
  type SendOptions,
  userinfo,
} from './front.js'

const ssoCookie = '__Host-sallyport-sso'

/** A front with two portals, the console, and an API of the app. */
function frontWithPortals(given: OauthFrontOptions = {}) {
  return oauthFront({
    ...given,
    before(app, security) {
      for (const [mount, name] of [
        ['/publisher', 'publisher'],
        ['/devportal', 'devportal'],
        ['/carbon', 'management_console'],
      ] as const) {
        app.use(
          mount,
          security.portal(name),
          (request, response) => void response.send(`hello from ${name}${request.path}`),
        )
      }
      const { tokens } = security
      app.use('/api', bearerAuthentication({ tokens, audience: 'https://api.example.com', scope: 'orders' }))
      app.use(
        '/invoices',
        bearerAuthentication({ tokens, audience: 'https://api.example.com', scope: 'openid invoices' }),
      )
      app.use('/elsewhere', bearerAuthentication({ tokens, audience: 'https://other.example.com' }))
      app.use('/tokens', bearerAuthentication({ tokens }))
      app.use('/management', security.managementApi())
      app.use(['/api', '/management', '/tokens'], (_request, response) => void response.send('ok'))
    },
  })
}

function signInAt(browser: Browser, portal: string, user: keyof typeof passwords = 'alice') {
  const body = new URLSearchParams({ username: user, password: passwords[user] })
  return browser.go(`/${portal}/login`, { method: 'POST', body })
}

function isAtLogin({ status, headers }: { status: number; headers: { location?: string | undefined } }): boolean {
  return status === 303 && String(headers.location).includes('/login')
}

const withToken = (token: string): SendOptions => ({ headers: { authorization: `Bearer ${token}` } })

// Covers: D02
describe('one sign-on for all', () => {
  it('opens another portal and an app after a login at one portal', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    await signInAt(browser, 'publisher')
    expect((await browser.go('/devportal/apis')).text).toBe('hello from devportal/apis')
    const { challenge } = pkce()
    const answer = await browser.go(authorizeUrl(challenge, { prompt: 'none' }))
    expect(new URL(answer.headers.location!).searchParams.get('code')).not.toBe(null)
  })

  it('opens portals after a login at the authorization server', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    await newTokens(front, browser)
    expect((await browser.go('/publisher/')).text).toBe('hello from publisher/')
  })

  it('never opens the management console', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    await newTokens(front, browser)
    expect(isAtLogin(await browser.go('/carbon/'))).toBe(true)
  })

  it('gives the browser another cookie at each login, and the one before it is dead', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    await signInAt(browser, 'publisher')
    const before = browser.cookies.get(ssoCookie)!.value
    await newCode(browser, { prompt: 'login' })
    const after = browser.cookies.get(ssoCookie)!.value
    expect(after).not.toBe(before)
    const replay = front.browser()
    replay.cookies.set(ssoCookie, { value: before, path: '/' })
    expect(isAtLogin(await replay.go('/devportal/'))).toBe(true)
    expect((await browser.go('/publisher/')).status).toBe(200)
  })

  it('ends with the login of another user, with all that it began', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    const tokens = await newTokens(front, browser)
    await browser.go('/publisher/')
    const { back } = await newCode(browser, { prompt: 'login' }, 'bob')
    expect(back.searchParams.get('code')).not.toBe(null)
    expect(isAtLogin(await browser.go('/publisher/'))).toBe(true)
    expect((await userinfo(front, tokens.access_token)).status).toBe(401)
    expect((await refresh(front, tokens.refresh_token)).status).toBe(400)
  })

  it('takes no cookie that somebody made up, and none of two', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    await signInAt(browser, 'publisher')
    const { value } = browser.cookies.get(ssoCookie)!
    const cookie = `${ssoCookie}=${'x'.repeat(43)}; ${ssoCookie}=${value}`
    const answer = await front.send('/devportal/', {
      headers: { cookie, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    })
    expect(answer.status).toBe(400)
  })
})

describe('signing out', () => {
  it('at a portal ends every portal, every token and every refresh token', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    const tokens = await newTokens(front, browser)
    await browser.go('/publisher/')
    await browser.go('/devportal/')
    await browser.go('/publisher/logout', { method: 'POST' })
    expect(isAtLogin(await browser.go('/publisher/'))).toBe(true)
    expect(isAtLogin(await browser.go('/devportal/'))).toBe(true)
    expect((await front.send('/api/', withToken(tokens.access_token))).status).toBe(401)
    expect((await refresh(front, tokens.refresh_token)).status).toBe(400)
    expect(await front.security.tokens.list()).toEqual([])
  })

  it('at the authorization server asks first, unless the app shows who is signed in', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    const { id_token } = await newTokens(front, browser)
    const asked = await browser.go('/oauth2/logout')
    expect(asked.text).toContain('Sign out?')
    expect(asked.text).not.toContain('<script>')
    expect(asked.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect((await browser.go('/publisher/')).status).toBe(200)
    expect((await browser.go(`/oauth2/logout?id_token_hint=${id_token}`)).text).toContain('<script>')
  })

  it('by the page ends everything, and cannot be done by another site', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    await newTokens(front, browser)
    await browser.go('/publisher/')
    const forged = new URLSearchParams({ logout: 'yes', xsrf: 'guessed' })
    expect((await browser.go('/oauth2/logout/confirm', { method: 'POST', body: forged })).status).toBe(400)
    expect((await browser.go('/publisher/')).status).toBe(200)

    const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec((await browser.go('/oauth2/logout')).text) ?? []
    const body = new URLSearchParams({ logout: 'yes', xsrf })
    expect((await browser.go('/oauth2/logout/confirm', { method: 'POST', body })).status).toBe(303)
    expect(isAtLogin(await browser.go('/publisher/'))).toBe(true)
    expect(front.log.entries.filter(({ fields }) => fields['event'] === 'logout').length).toBe(1)
  })

  // Covers: C07 D06
  it.each([
    ['at a portal', '/publisher/logout'],
    ['at the authorization server', '/oauth2/logout/confirm'],
  ])('%s leaves no cookie, and says so, when the store cannot end what was begun', async (_where, path) => {
    const tokenStore = new MemoryTokenStore()
    const front = await frontWithPortals({ options: { tokenStore } })
    const browser = front.browser()
    const { access_token } = await newTokens(front, browser)
    await browser.go('/publisher/')
    const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec((await browser.go('/oauth2/logout')).text) ?? []
    const { remove } = tokenStore
    tokenStore.remove = () => {
      throw new StoreError('gone')
    }
    const body = new URLSearchParams({ logout: 'yes', xsrf })
    expect((await browser.go(path, { method: 'POST', body })).status).toBe(503)
    expect(browser.cookies.has(ssoCookie)).toBe(false)
    expect(isAtLogin(await browser.go('/devportal/'))).toBe(true)
    // What was begun by it is refused all the same, and the store is asked again.
    expect((await front.send('/api/', withToken(access_token))).status).toBe(503)
    tokenStore.remove = remove
    expect((await front.send('/api/', withToken(access_token))).status).toBe(401)
  })

  // Covers: K03
  it.each([
    [
      'throws',
      () => {
        throw new StoreError('gone')
      },
    ],
    ['rejects', () => Promise.reject(new StoreError('gone'))],
  ])('of another user ends the tokens of a grant that is evicted, though the store %s', async (_how, fail) => {
    const tokenStore = new HeldStore()
    const front = await frontWithPortals({ oauth: { max_tokens: 1 }, options: { tokenStore } })
    const { access_token } = await newTokens(front, front.browser())
    expect((await front.send('/api/', withToken(access_token))).status).toBe(200)
    const { remove } = tokenStore
    tokenStore.remove = fail
    await newTokens(front, front.browser(), 'bob')
    expect((await front.send('/api/', withToken(access_token))).status).toBe(503)
    tokenStore.remove = remove
    expect((await front.send('/api/', withToken(access_token))).status).toBe(401)
  })

  it('goes back to a registered address only', async () => {
    const front = await frontWithPortals()
    const query = new URLSearchParams({
      client_id: 'devportal-app',
      post_logout_redirect_uri: 'https://evil.example.com/',
    })
    const answer = await front.browser().go(`/oauth2/logout?${query}`)
    expect([answer.status, answer.headers.location]).toEqual([400, undefined])
  })
})

// Covers: D07
describe('a revoked user', () => {
  it('has no access token, refresh token, portal session or sign-on at the next request', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    const tokens = await newTokens(front, browser)
    await browser.go('/publisher/')
    expect((await front.send('/api/', withToken(tokens.access_token))).status).toBe(200)

    await front.security.tokens.revokeUser('alice')
    expect((await front.send('/api/', withToken(tokens.access_token))).status).toBe(401)
    expect((await userinfo(front, tokens.access_token)).status).toBe(401)
    expect((await refresh(front, tokens.refresh_token)).json()['error']).toBe('invalid_grant')
    expect(isAtLogin(await browser.go('/publisher/'))).toBe(true)
    const { challenge } = pkce()
    const silent = await browser.go(authorizeUrl(challenge, { prompt: 'none' }))
    expect(new URL(silent.headers.location!).searchParams.get('error')).toBe('login_required')
  })

  it('is not signed on where that happens while the password is being checked', async () => {
    let ahead = 0
    const account = { subject: 'alice', roles: [], isAdmin: false, version: '1' }
    const userStore = {
      async authenticate() {
        ahead += 1000
        await front.security.tokens.revokeUser('alice')
        return { account }
      },
      find: async () => account,
      close() {},
    }
    const front = await frontWithPortals({ clock: () => Date.now() + ahead, options: { userStore } })
    const browser = front.browser()
    const { headers } = await browser.go(authorizeUrl(pkce().challenge))
    const body = new URLSearchParams({ username: 'alice', password: passwords.alice })
    for (const login of [headers.location!, '/publisher/login']) {
      const answer = await browser.go(login, { method: 'POST', body })
      expect([login, answer.status]).toEqual([login, 401])
    }
    expect(await front.security.tokens.list()).toEqual([])
  })

  it('gets nothing for a code from before', async () => {
    const front = await frontWithPortals()
    const { code, verifier } = await newCode(front.browser())
    await front.security.tokens.revokeUser('alice')
    expect((await exchange(front, code, verifier)).json()['error']).toBe('invalid_grant')
  })

  it('loses one token, and nothing else, when one token is revoked', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    const tokens = await newTokens(front, browser)
    const [info] = await front.security.tokens.list({ kind: 'oauth' })
    expect(info).toMatchObject({ subject: 'alice', audience: 'https://api.example.com', scope: 'openid orders' })
    await front.security.tokens.revoke(info!.id)
    expect((await userinfo(front, tokens.access_token)).status).toBe(401)
    expect((await front.send('/api/', withToken(tokens.access_token))).status).toBe(401)
    expect((await refresh(front, tokens.refresh_token)).status).toBe(200)
  })

  it('loses everything with the sign-on', async () => {
    const front = await frontWithPortals()
    const browser = front.browser()
    const tokens = await newTokens(front, browser)
    await browser.go('/publisher/')
    const [signOn] = await front.security.tokens.list({ kind: 'sso' })
    await front.security.tokens.revoke(signOn!.id)
    expect((await front.send('/api/', withToken(tokens.access_token))).status).toBe(401)
    expect((await refresh(front, tokens.refresh_token)).status).toBe(400)
    expect(isAtLogin(await browser.go('/publisher/'))).toBe(true)
  })
})

describe('a user store', () => {
  const account = { subject: 'alice', roles: [], isAdmin: false, version: '1' }

  it('that disables a user ends what the user has, within the time that rights may be old', async () => {
    let ahead = 0
    let isGone = false
    const userStore = {
      authenticate: async () => (isGone ? { failure: 'disabled' as const } : { account }),
      find: async () => (isGone ? undefined : account),
      close() {},
    }
    const front = await frontWithPortals({ clock: () => Date.now() + ahead, options: { userStore } })
    const browser = front.browser()
    const tokens = await newTokens(front, browser)
    isGone = true
    ahead = 61_000
    expect((await userinfo(front, tokens.access_token)).status).toBe(401)
    expect((await refresh(front, tokens.refresh_token)).status).toBe(400)
    const { challenge } = pkce()
    const silent = await browser.go(authorizeUrl(challenge, { prompt: 'none' }))
    expect(new URL(silent.headers.location!).searchParams.get('error')).toBe('login_required')
  })

  it('that is down gives 503, and ends nothing', async () => {
    let ahead = 0
    let isDown = false
    const up = <Value>(value: Value): Promise<Value> =>
      isDown ? Promise.reject(new StoreError('down')) : Promise.resolve(value)
    const userStore = { authenticate: () => up({ account }), find: () => up(account), close() {} }
    const front = await frontWithPortals({ clock: () => Date.now() + ahead, options: { userStore } })
    const browser = front.browser()
    const tokens = await newTokens(front, browser)
    isDown = true
    ahead = 10 * 60_000
    for (const answer of [await userinfo(front, tokens.access_token), await refresh(front, tokens.refresh_token)]) {
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
      expect(answer.json()['error']).toBe('temporarily_unavailable')
    }
    const login = front.browser()
    const { headers } = await login.go(authorizeUrl(pkce().challenge))
    const body = new URLSearchParams({ username: 'alice', password: passwords.alice })
    expect((await login.go(headers.location!, { method: 'POST', body })).status).toBe(503)
    isDown = false
    ahead = 10 * 60_000 + 6_000
    expect((await refresh(front, tokens.refresh_token)).status).toBe(200)
  })
})

// Covers: D03 D04
describe('time', () => {
  it('lets nobody in without a password after the global time-out', async () => {
    let ahead = 0
    const tables = { tomcat: { global: { session_timeout: '10m' } } }
    const front = await frontWithPortals({ clock: () => Date.now() + ahead, tables })
    const browser = front.browser()
    await newTokens(front, browser)
    ahead = 9 * 60_000
    expect((await newCode(browser, { prompt: 'none' })).code).not.toBe('')
    ahead = 11 * 60_000
    expect((await newCode(browser, { prompt: 'none' })).code).toBe('')
    expect(isAtLogin(await browser.go('/devportal/'))).toBe(true)
  })

  it('counts no request that nobody made by hand', async () => {
    let ahead = 0
    const tables = { tomcat: { global: { session_timeout: '10m' } } }
    const front = await frontWithPortals({ clock: () => Date.now() + ahead, tables })
    const browser = front.browser()
    await newTokens(front, browser)
    for (const minutes of [3, 6, 9]) {
      ahead = minutes * 60_000
      expect((await newCode(browser, { prompt: 'none' })).code).not.toBe('')
    }
    ahead = 11 * 60_000
    expect((await newCode(browser, { prompt: 'none' })).code).toBe('')
  })

  it('counts a sign-in', async () => {
    let ahead = 0
    const tables = { tomcat: { global: { session_timeout: '10m' } } }
    const front = await frontWithPortals({ clock: () => Date.now() + ahead, tables })
    const browser = front.browser()
    await newTokens(front, browser)
    ahead = 6 * 60_000
    await newCode(browser)
    ahead = 12 * 60_000
    expect((await newCode(browser, { prompt: 'none' })).code).not.toBe('')
  })

  it('ends everything with the longest session of a portal', async () => {
    let ahead = 0
    const tables = { portal: { absolute_timeout: '2h' } }
    const oauth = { refresh_token_expiry: '8h', access_token_expiry: '8h' }
    const front = await frontWithPortals({ clock: () => Date.now() + ahead, tables, oauth })
    const tokens = await newTokens(front, front.browser())
    ahead = 2 * 60 * 60_000 - 60_000
    expect((await userinfo(front, tokens.access_token)).status).toBe(200)
    ahead = 2 * 60 * 60_000
    expect((await userinfo(front, tokens.access_token)).status).toBe(401)
    expect((await refresh(front, tokens.refresh_token)).status).toBe(400)
  })
})

// Covers: G13
describe('access tokens at an API of the app', () => {
  it('are taken for their own audience with their own scope', async () => {
    const front = await frontWithPortals()
    const { access_token: token } = await newTokens(front, front.browser())
    expect((await front.send('/api/', withToken(token))).status).toBe(200)

    const elsewhere = await front.send('/elsewhere/', withToken(token))
    expect(elsewhere.status).toBe(401)
    const invoices = await front.send('/invoices/', withToken(token))
    expect(invoices.status).toBe(403)
    expect(invoices.headers['www-authenticate']).toBe(
      'Bearer realm="Sallyport", error="insufficient_scope", scope="openid invoices", ' +
        'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"',
    )
  })

  it('never open the management API, and no management token opens an API for OAuth', async () => {
    const front = await frontWithPortals()
    const { access_token: token } = await newTokens(front, front.browser())
    expect((await front.send('/management/apis', withToken(token))).status).toBe(401)
    expect((await front.send('/tokens/', withToken(token))).status).toBe(401)
    const issued = await front.security.tokens.issue({ subject: 'bob', roles: [], isAdmin: true, version: '1' })
    expect((await front.send('/api/', withToken(issued.token))).status).toBe(401)
  })

  it('tell one from the other on the same connection', async () => {
    const front = await frontWithPortals()
    const { access_token: token } = await newTokens(front, front.browser())
    const { Agent, request } = await import('node:http')
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const statusOf = (path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}` }
        request({ host: '127.0.0.1', port: front.port, path, agent, headers }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode!))
        })
          .once('error', reject)
          .end()
      })
    const statuses = []
    for (const path of ['/api/', '/management/apis', '/api/', '/tokens/']) statuses.push(await statusOf(path))
    agent.destroy()
    expect(statuses).toEqual([200, 401, 200, 401])
  })

  it.each([
    [{ scope: 'orders' }, '"scope" option must not be there without "audience"'],
    [{ audience: '' }, '"audience" option must be a non-empty string'],
    [{ audience: 'x', scope: ['a b'] }, '"scope" option must name scopes'],
  ])('are not asked for with the options %j', async (options, message) => {
    expect(() => bearerAuthentication({ tokens: {} as never, ...options })).toThrow(new TypeError(message))
  })
})

it('asks for a password again where a sign-in is resumed that another browser has finished', async () => {
  const front = await oauthFront()
  const attacker = front.browser()
  const begun = await attacker.go(authorizeUrl(pkce().challenge))
  const login = begun.headers.location ?? ''
  const victim = front.browser()
  for (const [name, cookie] of attacker.cookies) victim.cookies.set(name, cookie)
  const body = new URLSearchParams({ username: 'alice', password: passwords.alice })
  const finished = await victim.go(login, { method: 'POST', body })
  expect(finished.status).toBe(303)
  const resumed = await attacker.go(finished.headers.location ?? '')
  expect(resumed.status).toBe(303)
  expect(resumed.headers.location).toContain('/oauth2/login/')
  expect(front.log.entries.filter(({ level }) => level === 'error')).toEqual([])
})
