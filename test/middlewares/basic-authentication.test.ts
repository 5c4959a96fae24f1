import type { ErrorRequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { getAuth } from '../../lib/core/auth.js'
import { StoreError } from '../../lib/core/errors.js'
import { basicAuthentication } from '../../lib/middlewares/basic-authentication.js'
import type { Authenticator } from '../../lib/users/authenticator.js'
import { expressVersions } from '../helpers/express-versions.js'
import { alice, standAloneParts } from '../helpers/stand-alone.js'

/** How long a good password is remembered. */
const rememberedMs = 60_000

describe.each(expressVersions)('basicAuthentication on %s', (_name, express) => {
  async function appWith(options: Partial<Parameters<typeof basicAuthentication>[0]> = {}) {
    const parts = await standAloneParts()
    let count = 0
    const authenticator: Authenticator = {
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
      isPublic: (method, path) => (path === '/twofold' ? 'ambiguous' : method === 'GET' && path === '/open'),
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
    const authenticator: Authenticator = { authenticate: () => Promise.reject(new StoreError('gone')) }
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
