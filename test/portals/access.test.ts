import { describe, expect, it } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { ConfigError, StoreError } from '../../lib/core/errors.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { TokenStore } from '../../lib/tokens/token-store.js'
import { basic, document, users } from '../helpers/front.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { serverSetUps } from '../helpers/set-ups.js'
import { navigation, origin, ownForm, startPortals } from './portal-front.js'

const { reader } = users

describe('who may enter', () => {
  it.each([
    ['management_console', {}, 403, 'ERR_ADMIN_REQUIRED'],
    ['publisher', {}, 303, undefined],
    ['publisher', { portal: { publisher: { roles: ['editor'] } } }, 403, 'ERR_ROLE_REQUIRED'],
    ['publisher', { portal: { publisher: { roles: ['editor', 'viewer'] } } }, 303, undefined],
    ['publisher', { portal: { publisher: { roles: [] } } }, 403, 'ERR_ADMIN_REQUIRED'],
    ['management_console', { portal: { management_console: { roles: ['viewer'] } } }, 303, undefined],
  ])('%s with %j, as a user with the role viewer', async (name, root, status, code) => {
    const front = await startPortals({ root, portals: { [name]: '/portal' } })
    const fields = { username: reader.name, password: reader.password }
    const page = await front.signIn('/portal', fields)
    expect(page.status).toBe(status)
    const answer = await front.signIn('/portal', fields, [`Origin: ${origin}`])
    expect(answer.status).toBe(status)
    if (code === undefined) return
    expect(answer.json()).toMatchObject({ code })
    expect(page.body).toContain('role="alert"')
    expect(page.header('set-cookie')).toBeUndefined()
    expect(await front.security.tokens.list()).toEqual([])
    expect(front.events[0]).toMatchObject({ name: 'loginRefused', userName: 'reader', reason: 'not-admitted' })
    expect((await front.signIn('/portal')).status).toBe(303)
  })

  // Covers: D07
  it('follows the user store: a role that is taken away, a password, a user who is gone', async () => {
    const userStore = new MemoryUserStore({
      users: {
        admin: { password: 'Correct-horse-1', roles: ['admin'] },
        other: { password: 'Correct-horse-1', roles: ['editor'] },
      },
      roles: ['editor'],
    })
    let now = Date.UTC(2026, 0, 1)
    const root = { portal: { publisher: { roles: ['editor'] } }, internal_apis: { file_user_store: { enable: false } } }
    const front = await startPortals({ root, options: { userStore, clock: () => now } })
    const other = { name: 'other', password: 'Correct-horse-1' }
    const cookie = await front.cookieOf('/publisher', other)
    expect((await front.call('GET', '/publisher/', [cookie])).status).toBe(200)

    await userStore.changeRoles('other', { added: [], removed: ['editor'] })
    now += 61_000
    const page = await front.call('GET', '/publisher/', [...navigation, cookie])
    expect(page.status).toBe(403)
    expect(page.body).toContain('<form method="post" action="/publisher/logout">')
    expect((await front.call('GET', '/publisher/', [cookie])).json()).toMatchObject({ code: 'ERR_ROLE_REQUIRED' })
    for (const method of ['GET', 'POST']) {
      const status = await front.call(method, '/publisher/session', [cookie, `Origin: ${origin}`])
      expect([status.status, status.json()['code']]).toEqual([403, 'ERR_ROLE_REQUIRED'])
    }
    await userStore.changeRoles('other', { added: ['editor'], removed: [] })
    now += 61_000
    expect((await front.call('GET', '/publisher/', [cookie])).status).toBe(200)

    await userStore.remove('other')
    now += 61_000
    expect((await front.call('GET', '/publisher/', [cookie])).json()).toMatchObject({ code: 'ERR_SESSION_ENDED' })
    expect(front.handled).toHaveLength(2)
  })

  it('is also for whoever revokes: one session, or all of a user', async () => {
    const front = await startPortals()
    const cookies = [await front.cookieOf('/publisher'), await front.cookieOf('/publisher')]
    const [first, second] = await front.security.tokens.list({ kind: 'portal', subject: 'admin' })
    expect(first).toMatchObject({ kind: 'portal', audience: 'publisher', subject: 'admin' })
    await front.security.tokens.revoke(first!.id)
    expect((await front.call('GET', '/publisher/', [cookies[1]!])).status).toBe(401)
    expect((await front.call('GET', '/publisher/', [cookies[0]!])).status).toBe(200)
    expect(await front.security.tokens.list({ kind: 'portal' })).toMatchObject([{ id: second!.id }])
    expect(await front.security.tokens.revokeUser('admin')).toBe(1)
    expect((await front.call('GET', '/publisher/', [cookies[0]!])).status).toBe(401)
  })

  // Covers: D07
  it('admits nobody who is revoked while the password is being checked', async () => {
    const { name, password } = users.admin
    let now = Date.UTC(2026, 0, 1)
    const userStore = new MemoryUserStore({ users: { [name]: { password, roles: ['admin'] } } })
    const front = await startPortals({ options: { userStore, clock: () => now } })
    front.app.use('/management', front.security.managementApi())
    const authenticate = userStore.authenticate.bind(userStore)
    userStore.authenticate = async (...values) => {
      const result = await authenticate(...values)
      now += 1
      await front.security.tokens.revokeUser(name)
      return result
    }
    const signedIn = await front.signIn('/publisher')
    expect([signedIn.status, signedIn.header('set-cookie')]).toEqual([401, undefined])
    expect((await front.call('GET', '/management/login', [basic(name, password)])).status).toBe(401)
    expect(await front.security.tokens.list()).toEqual([])
  })

  it('puts out the session that was idle longest when there are too many', async () => {
    const front = await startPortals({ root: { portal: { max_sessions: 2 } } })
    const cookies = [
      await front.cookieOf('/publisher'),
      await front.cookieOf('/publisher'),
      await front.cookieOf('/publisher', reader),
    ]
    const statuses = await Promise.all(cookies.map((cookie) => front.call('GET', '/publisher/', [cookie])))
    expect(statuses.map(({ status }) => status)).toEqual([401, 200, 200])
    expect(front.events.filter(({ name }) => name === 'eviction')).toMatchObject([{ kind: 'portal', subject: 'admin' }])
  })
})

describe('names of portals', () => {
  it('are those of the products and those with a table', async () => {
    const security = await createSecurity(document({ root: { portal: { shop: {} } } }), {
      logger: recordedLog().logger,
    })
    for (const name of ['management_console', 'publisher', 'devportal', 'admin', 'shop']) {
      expect(security.portal(name)).toBeTypeOf('function')
    }
    await security.close()
  })

  it.each([
    ['publishr', 'portal.publisher'],
    ['managementConsole', 'portal.management_console'],
    ['__proto__', undefined],
    ['shop', undefined],
    ['', undefined],
  ])('do not have %j', async (name, suggestion) => {
    const security = await createSecurity(document(), { logger: recordedLog().logger })
    const make = (): unknown => security.portal(name)
    expect(make).toThrow(ConfigError)
    expect(make).toThrow('is no portal of this configuration')
    if (suggestion !== undefined) expect(make).toThrow(`did you mean ${suggestion}?`)
    await security.close()
  })

  it('stay when a new configuration lacks one that is mounted', async () => {
    const front = await startPortals({ root: { portal: { shop: {} } }, portals: { shop: '/shop' } })
    const cookie = await front.cookieOf('/shop')
    await expect(front.security.reload(document())).rejects.toThrow('portal.shop: is no portal')
    expect((await front.call('GET', '/shop/', [cookie])).status).toBe(200)
  })
})

describe('the control of the management console', () => {
  const root = { admin_console: { control_access: { enable: true, allow: ['127.0.0.1'] } } }
  const express = serverSetUps[0]!.express

  it.each([
    ['nothing', [], false],
    ['another portal', ['publisher'], false],
    ['the management console', ['publisher', 'management_console'], true],
  ])('is enforced when %s is mounted: %j', async (_what, names, isEnforced) => {
    const security = await createSecurity(document({ root }), { logger: recordedLog().logger })
    for (const name of names) security.portal(name)
    const make = (): unknown => security.createServer(express(), { protocol: 'http' })
    if (isEnforced) expect(make).not.toThrow()
    else
      expect(make).toThrow(
        "admin_console.control_access.enable: is switched on, but nothing enforces it: mount security.portal('management_console')",
      )
    await security.close()
  })
})

describe('plain HTTP from another machine', () => {
  /** A header that a proxy adds makes the request one of another machine. */
  const remote = 'X-Forwarded-Proto: http'

  it('lets nobody sign in, with a page that says why', async () => {
    const front = await startPortals()
    const page = await front.call('GET', '/publisher/login', [...navigation, remote])
    expect(page.status).toBe(403)
    expect(page.header('content-type')).toBe('text/html; charset=utf-8')
    expect(page.body).toContain('Open this page with https.')
    expect(page.body).not.toMatch(/<input|trust proxy|allow_insecure_http/)
    const answer = await front.signIn('/publisher', {}, [`Origin: ${origin}`, remote])
    expect(answer.json()).toMatchObject({ code: 'ERR_HTTPS_REQUIRED' })
    expect(answer.body).toContain('allow_insecure_http = true in [portal]')
  })

  it('can be allowed, which warns and takes the prefix and Secure off the cookie', async () => {
    const front = await startPortals({ root: { portal: { allow_insecure_http: true } } })
    expect(front.entries.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^portal\.allow_insecure_http: lets passwords/),
    )
    const answer = await front.signIn('/publisher', {}, [`Origin: ${origin}`, remote])
    const cookie = answer.header('set-cookie')!
    expect(cookie).toMatch(/^sallyport-publisher=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
    expect((await front.call('GET', '/publisher/', [`Cookie: ${cookie.split(';')[0]}`, remote])).status).toBe(200)
  })

  it('makes no difference over TLS, where the cookie without the prefix is nothing', async () => {
    const front = await startPortals({
      root: { portal: { allow_insecure_http: true } },
      prepare: (app) => void app.set('trust proxy', 'loopback'),
    })
    const secure = 'X-Forwarded-Proto: https'
    const answer = await front.signIn('/publisher', {}, ['Origin: https://front.test', secure])
    expect(answer.header('set-cookie')).toMatch(/^__Host-sallyport-publisher=.*; Secure$/)
    const value = answer.header('set-cookie')!.split(';')[0]!.split('=')[1]
    expect((await front.call('GET', '/publisher/', [`Cookie: sallyport-publisher=${value}`, secure])).status).toBe(401)
    expect(answer.header('strict-transport-security')).toBe('max-age=31536000')
  })
})

// Covers: H05
describe('security headers', () => {
  it('of the app are defaults, which it may change, and break no plain HTTP', async () => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    const answer = await front.call('GET', '/publisher/', [...navigation, cookie])
    expect(answer.header('content-security-policy')).toBe("frame-ancestors 'self';base-uri 'self';object-src 'none'")
    expect(answer.header('x-content-type-options')).toBe('nosniff')
    expect(answer.header('referrer-policy')).toBe('same-origin')
    expect(answer.header('x-frame-options')).toBe('SAMEORIGIN')
    expect(answer.header('strict-transport-security')).toBeUndefined()
    expect(answer.header('cross-origin-opener-policy')).toBeUndefined()
  })

  it('of our pages let nothing run and nothing be loaded', async () => {
    const front = await startPortals()
    const page = await front.call('GET', '/publisher/login', navigation)
    const policy = page.header('content-security-policy')!
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; frame-ancestors 'none'; base-uri 'none'$/,
    )
    const { createHash } = await import('node:crypto')
    const style = /<style>(.*)<\/style>/s.exec(page.body)![1]!
    expect(policy).toContain(createHash('sha256').update(style).digest('base64'))
    expect(page.body).not.toMatch(/<script|style="| on\w+="/)
    expect(page.body).toContain('<html lang="en">')
    expect(page.body).toContain('autocomplete="current-password"')
    expect(page.header('x-frame-options')).toBe('DENY')
  })

  it.each(['script', 'style', 'image', 'font'])('let a browser keep a %s, and ask each time', async (destination) => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    const answer = await front.call('GET', '/publisher/a', [cookie, `Sec-Fetch-Dest: ${destination}`])
    expect(answer.header('cache-control')).toBe('private, no-cache')
    expect(answer.header('etag')).toBeDefined()
  })

  it('let nobody keep a page, which needs no ETag then', async () => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    const answer = await front.call('GET', '/publisher/a', [cookie, 'Sec-Fetch-Dest: document'])
    expect(answer.status).toBe(200)
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.header('etag')).toBeUndefined()
  })
})

describe('a token store that fails', () => {
  it.each(['find', 'add', 'touch'] as const)('gives 503 and lets nobody in: %s', async (method) => {
    const memory = new MemoryTokenStore()
    let isDown = false
    const tokenStore = new Proxy<TokenStore>(memory, {
      get(target, name) {
        const own = (target[name as keyof TokenStore] as (...values: unknown[]) => unknown).bind(target)
        return name === method
          ? (...values: unknown[]) => (isDown ? Promise.reject(new StoreError('gone')) : own(...values))
          : own
      },
    })
    const front = await startPortals({ options: { tokenStore } })
    const cookie = await front.cookieOf('/publisher')
    isDown = true
    const answers = {
      find: () => front.call('GET', '/publisher/', [cookie]),
      touch: () => front.call('GET', '/publisher/', [cookie]),
      add: () => front.signIn('/publisher'),
    }
    const answer = await answers[method]()
    expect(answer.status).toBe(503)
    expect(answer.header('retry-after')).toBe('5')
    expect(answer.header('set-cookie')).toBeUndefined()
    expect(front.handled).toEqual([])
    const status = await front.call('GET', '/publisher/session', [cookie])
    expect(status.status).toBe(method === 'find' ? 503 : 200)
  })

  it('lets people sign out also while nobody can say who they are', async () => {
    const userStore = new MemoryUserStore({ users: { admin: { password: 'Correct-horse-1', roles: ['admin'] } } })
    let now = Date.UTC(2026, 0, 1)
    const front = await startPortals({ options: { userStore, clock: () => now } })
    const cookie = await front.cookieOf('/publisher', { name: 'admin', password: 'Correct-horse-1' })
    now += 600_000
    userStore.failure = new StoreError('gone')
    expect((await front.call('GET', '/publisher/', [cookie])).status).toBe(503)
    expect((await front.call('POST', '/publisher/logout', [...ownForm, cookie])).status).toBe(303)
    userStore.failure = undefined
    expect((await front.call('GET', '/publisher/', [cookie])).status).toBe(401)
  })
})
