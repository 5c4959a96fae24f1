import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { ErrorRequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { getAuth } from '../../lib/core/auth.js'
import { StoreError } from '../../lib/core/errors.js'
import { basicAuthentication } from '../../lib/middleware/basic-authentication.js'
import { errorResponses } from '../../lib/middleware/error-responses.js'
import { type Authenticator, createAuthenticator } from '../../lib/users/login/authenticator.js'
import { createLoginThrottle } from '../../lib/users/throttle/login-throttle.js'
import { expressVersions } from '../helpers/express-versions.js'
import { alice, type Parts, standAloneParts } from '../helpers/stand-alone.js'
import { deferred } from '../users/deferred.js'

/** How long a good password is remembered. */
const rememberedMs = 60_000

describe.each(expressVersions)('basicAuthentication on %s', (_name, express) => {
  async function appWith(options: Partial<Parameters<typeof basicAuthentication>[0]> = {}) {
    const parts = await standAloneParts()
    let count = 0
    const authenticator: Pick<Authenticator, 'authenticate'> = {
      authenticate: (...values) => {
        count++
        return parts.authenticator.authenticate(...values)
      },
    }
    const errors: unknown[] = []
    const app = express()
    app.use(basicAuthentication({ accounts: parts.accounts, authenticator, ...options }))
    app.use((incoming, response) => void response.json(getAuth(incoming)))
    const note: ErrorRequestHandler = (error, _request, response, _next) => {
      errors.push(error)
      response.sendStatus(error.status)
    }
    app.use(note)
    return { app, errors, ...parts, checks: () => count }
  }
  const asAlice = (app: Parameters<typeof request>[0], password: string = alice.password) =>
    request(app).get('/').auth(alice.name, password)

  it('lets a good name and password pass and sets the caller', async () => {
    const { app } = await appWith()
    const response = await asAlice(app).expect(200)
    expect(response.body).toMatchObject({ subject: 'alice', roles: ['viewer'], kind: 'basic', isAdmin: false })
    expect(response.headers['cache-control']).toBe('no-store')
    expect(response.headers).not.toHaveProperty('etag')
  })

  // Covers: A17
  it('checks a password once a minute, and each wrong one', async () => {
    let now = 1_000_000
    const { app, checks } = await appWith({ clock: () => now })
    await asAlice(app).expect(200)
    await asAlice(app).expect(200)
    expect(checks(), 'at the same moment').toBe(1)
    now += rememberedMs - 1
    await asAlice(app).expect(200)
    expect(checks()).toBe(1)
    now += 1
    await asAlice(app).expect(200)
    expect(checks()).toBe(2)
    await asAlice(app, 'a-wrong-password').expect(401)
    await asAlice(app, 'a-wrong-password').expect(401)
    expect(checks()).toBe(4)
    now -= 10 * rememberedMs
    await asAlice(app).expect(200)
    expect(checks(), 'a clock that was put back is not believed').toBe(5)
  })

  it('does not tell from elsewhere, past the throttle, which password is right', async () => {
    const parts = await standAloneParts()
    const throttle = createLoginThrottle()
    const authenticator = createAuthenticator({ users: parts.users, throttle, failureFloorMs: 0 })
    const app = express()
    app.set('trust proxy', 'loopback')
    app.use(basicAuthentication({ accounts: parts.accounts, authenticator }), errorResponses())
    const from = (address: string, password?: string) => asAlice(app, password).set('X-Forwarded-For', address)
    app.use((_incoming, response) => void response.sendStatus(204))
    await from('203.0.113.1').set('X-Forwarded-Proto', 'https').expect(204)
    for (const status of [401, 401, 401, 401, 401, 429]) {
      await from('198.51.100.9', 'a-guess').set('X-Forwarded-Proto', 'https').expect(status)
    }
    await from('198.51.100.9').set('X-Forwarded-Proto', 'https').expect(429)
    await from('203.0.113.1').set('X-Forwarded-Proto', 'https').expect(204)
  })

  /** An app whose password checks wait until `open` is called; `arrived` tells when so many have reached the gate. */
  async function appWithSlowChecks() {
    const parts = await standAloneParts()
    const throttle = createLoginThrottle()
    const real = createAuthenticator({ users: parts.users, throttle, failureFloorMs: 0 })
    const barrier = deferred()
    const arrival = new EventEmitter()
    let [checks, requests] = [0, 0]
    const authenticator: Pick<Authenticator, 'authenticate'> = {
      async authenticate(...values) {
        checks++
        const account = await real.authenticate(...values)
        await barrier.promise
        return account
      },
    }
    const app = express()
    app.use((_request, _response, next) => {
      next()
      arrival.emit(`arrived ${++requests}`)
    })
    app.use(basicAuthentication({ accounts: parts.accounts, authenticator }))
    app.use((incoming, response) => void response.json(getAuth(incoming)))
    app.use(errorResponses())
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const ask = (count: number, password: string = alice.password) =>
      Array.from({ length: count }, () => asAlice(server as never, password).then(({ status }) => status))
    return {
      ...parts,
      ask,
      server,
      open: barrier.resolve,
      arrived: (count: number) => once(arrival, `arrived ${count}`),
      checks: () => checks,
    }
  }

  // Covers: A17
  it('checks the password of 60 parallel requests once', async () => {
    const { ask, open, arrived, checks } = await appWithSlowChecks()
    const all = arrived(60)
    const answers = ask(60)
    await all
    open()
    expect(await Promise.all(answers)).toEqual(Array(60).fill(200))
    expect(checks()).toBe(1)
  })

  it('counts each of 20 parallel requests with a wrong password', async () => {
    const { ask, open } = await appWithSlowChecks()
    open()
    const statuses = await Promise.all(ask(20, 'a-wrong-password'))
    expect(statuses.filter((status) => status === 401)).toHaveLength(5)
    expect(statuses.filter((status) => status === 429)).toHaveLength(15)
    expect(await Promise.all(ask(1))).toEqual([429])
  })

  it.each([
    ['is revoked', [200], async ({ tokens }: Parts) => void (await tokens.revokeUser('alice'))],
    [
      'has another password',
      [401, 429],
      ({ users }: Parts) => users.replace([{ ...alice, password: 'another-password' }]),
    ],
    ['is removed', [401, 429], ({ users }: Parts) => users.replace([])],
  ])('lets nobody in by a check that began before the user %s', async (_what, statuses, change) => {
    const { ask, open, arrived, checks, ...parts } = await appWithSlowChecks()
    const all = arrived(10)
    const answers = ask(10)
    await all
    await change(parts)
    open()
    expect([...new Set(await Promise.all(answers))].sort()).toEqual(statuses)
    expect(checks()).toBeGreaterThan(1)
  })

  it('checks again for those who wait when the client whose request was first has gone', async () => {
    const { ask, server, open, arrived, checks } = await appWithSlowChecks()
    const first = arrived(1)
    const { port } = server.address() as AddressInfo
    const authorization = `Basic ${Buffer.from(`${alice.name}:${alice.password}`).toString('base64')}`
    const client = new AbortController()
    const gone = fetch(`http://127.0.0.1:${port}/`, { headers: { authorization }, signal: client.signal }).catch(
      () => 'gone',
    )
    await first
    const all = arrived(4)
    const answers = ask(3)
    await all
    client.abort()
    expect(await gone).toBe('gone')
    open()
    expect(await Promise.all(answers)).toEqual([200, 200, 200])
    expect(checks()).toBeLessThanOrEqual(2)
  })

  it('forgets a remembered caller with the password, and gives it its present rights', async () => {
    const { app, users } = await appWith()
    await asAlice(app).expect(200)
    await users.replace([{ ...alice, isAdmin: true, roles: ['publisher'] }])
    expect((await asAlice(app).expect(200)).body).toMatchObject({ isAdmin: true, roles: ['publisher', 'admin'] })
    await users.replace([{ ...alice, password: 'another-password' }])
    await asAlice(app).expect(401)
    await asAlice(app, 'another-password').expect(200)
    await users.replace([])
    await asAlice(app, 'another-password').expect(401)
  })

  it('passes refusals to next', async () => {
    const { app, errors } = await appWith({ realm: 'My API' })
    await request(app).get('/').expect(401)
    await asAlice(app, 'a-wrong-password').expect(401)
    await asAlice(app).set('Sec-Fetch-Site', 'cross-site').expect(403)
    await asAlice(app).set('X-Forwarded-For', '192.0.2.1').expect(403)
    expect(errors).toMatchObject([
      { code: 'ERR_AUTH_REQUIRED', headers: { 'WWW-Authenticate': expect.stringContaining('Basic realm="My API"') } },
      { code: 'ERR_AUTH_INVALID_CREDENTIALS' },
      { code: 'ERR_CROSS_SITE' },
      { code: 'ERR_HTTPS_REQUIRED' },
    ])
  })

  it('answers 400 where the readings of a path disagree about being public', async () => {
    const { app, errors } = await appWith({
      allowAnonymous: (method, path) => (path === '/twofold' ? 'ambiguous' : method === 'GET' && path === '/open'),
    })
    await request(app).get('/twofold').expect(400)
    await request(app).post('/open').expect(401)
    await request(app).get('/open').auth(alice.name, 'a-wrong-password').expect(401)
    expect(errors).toMatchObject([
      { code: 'ERR_PATH_AMBIGUOUS' },
      { code: 'ERR_AUTH_REQUIRED', message: 'Authentication is required.' },
      { code: 'ERR_AUTH_INVALID_CREDENTIALS' },
    ])
  })

  it('passes 503 to next when the store is down', async () => {
    const authenticator: Pick<Authenticator, 'authenticate'> = {
      authenticate: () => Promise.reject(new StoreError('gone')),
    }
    const { app, errors } = await appWith({ authenticator })
    await asAlice(app).expect(503)
    expect(errors).toMatchObject([{ code: 'ERR_STORE_UNAVAILABLE' }])
  })

  it('names no scheme that the client could not use: there are no tokens here', async () => {
    const { app, errors } = await appWith()
    await request(app).get('/').expect(401)
    const { headers } = errors[0] as { headers: Record<string, string> }
    expect(headers['WWW-Authenticate']).toContain('Basic realm="Sallyport", charset="UTF-8"')
  })
})
