import type { ErrorRequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { StoreError, TooManyRequestsError, UnauthorizedError } from '../../lib/core/errors.js'
import { basicLogin } from '../../lib/middleware/basic-login.js'
import type { Authenticator } from '../../lib/users/login/authenticator.js'
import { expressVersions } from '../helpers/express-versions.js'
import { alice, standAloneParts } from '../helpers/stand-alone.js'

describe.each(expressVersions)('basicLogin on %s', (_name, express) => {
  async function appWith(options: Partial<Parameters<typeof basicLogin>[0]> = {}) {
    const parts = await standAloneParts()
    const errors: unknown[] = []
    const app = express()
    app.use('/login', basicLogin({ ...parts, ...options }))
    const note: ErrorRequestHandler = (error, _request, response, _next) => {
      errors.push(error)
      response.sendStatus(error.status)
    }
    app.use(note)
    return { app, errors, ...parts }
  }

  it.each(['get', 'post'] as const)('answers %s with a token that is good', async (method) => {
    const { app, tokens } = await appWith()
    const response = await request(app)[method]('/login').auth(alice.name, alice.password).expect(200)
    expect(Object.keys(response.body)).toEqual(['AccessToken'])
    expect(response.headers['cache-control']).toBe('no-store')
    expect(await tokens.verify(response.body.AccessToken)).toMatchObject({ subject: 'alice', roles: ['viewer'] })
  })

  it('passes 401 with a Basic challenge to next, and answers nothing itself', async () => {
    const { app, errors } = await appWith({ realm: 'My API' })
    await request(app).get('/login').expect(401)
    await request(app).get('/login').auth(alice.name, 'a-wrong-password').expect(401)
    expect(errors).toMatchObject([{ code: 'ERR_AUTH_REQUIRED' }, { code: 'ERR_AUTH_INVALID_CREDENTIALS' }])
    for (const error of errors as UnauthorizedError[]) {
      expect(error).toBeInstanceOf(UnauthorizedError)
      expect(error.headers).toEqual({ 'WWW-Authenticate': 'Basic realm="My API", charset="UTF-8"' })
    }
  })

  it('refuses credentials that cannot be read, and needs no listener for it', async () => {
    const { app, errors } = await appWith()
    for (const header of ['Basic !!!', 'Basic YTpi=', 'Bearer a.b.c']) {
      await request(app).get('/login').set('Authorization', header).expect(401)
    }
    expect(errors).toMatchObject(
      Array(3).fill({
        code: 'ERR_AUTH_INVALID_CREDENTIALS',
        message: 'Send a user name and a password by HTTP Basic.',
        headers: { 'WWW-Authenticate': 'Basic realm="Sallyport", charset="UTF-8"' },
      }),
    )
  })

  it('passes 503 to next when no token can be issued, and needs no listener for it', async () => {
    const { app, errors, store } = await appWith()
    store.add = () => {
      throw new StoreError('gone')
    }
    await request(app).get('/login').auth(alice.name, alice.password).expect(503)
    expect(errors).toMatchObject([{ code: 'ERR_STORE_UNAVAILABLE' }])
  })

  it('passes 403 to next when a page of another site sends somebody here', async () => {
    const { app, errors, store } = await appWith()
    const login = () => request(app).get('/login').auth(alice.name, alice.password)
    await login().set('Sec-Fetch-Site', 'cross-site').set('Sec-Fetch-Mode', 'navigate').expect(403)
    expect(errors).toMatchObject([
      { code: 'ERR_CROSS_SITE', message: 'A page of another site cannot log in without asking for it.' },
    ])
    expect(store.size).toBe(0)
    await login().set('Sec-Fetch-Site', 'same-origin').expect(200)
  })

  it('passes 405 with Allow to next', async () => {
    const { app, errors } = await appWith()
    await request(app).put('/login').auth(alice.name, alice.password).expect(405)
    expect(errors).toMatchObject([{ code: 'ERR_METHOD_NOT_ALLOWED', headers: { Allow: 'GET, POST' } }])
  })

  it('passes what the authenticator rejects with to next', async () => {
    const refusal = new TooManyRequestsError('ERR_LOGIN_THROTTLED', 'Later.', { headers: { 'Retry-After': '7' } })
    const authenticator: Pick<Authenticator, 'authenticate'> = { authenticate: () => Promise.reject(refusal) }
    const { app, errors } = await appWith({ authenticator })
    await request(app).get('/login').auth(alice.name, alice.password).expect(429)
    expect(errors).toEqual([refusal])
  })

  it('takes a password over plain HTTP from elsewhere only where that is allowed', async () => {
    const login = (app: Parameters<typeof request>[0]) =>
      request(app).get('/login').auth(alice.name, alice.password).set('X-Forwarded-For', '192.0.2.1')
    await login((await appWith()).app).expect(403)
    await login((await appWith({ allowPlainHttp: true })).app).expect(200)
  })

  it.each(['', 'a "quoted" realm', 'two\r\nlines', 'back\\slash'])('refuses the realm %j', async (realm) => {
    const parts = await standAloneParts()
    expect(() => basicLogin({ ...parts, realm })).toThrow(TypeError)
  })

  it('takes names and passwords beyond ASCII, in UTF-8', async () => {
    const { app, users } = await appWith()
    await users.replace([{ name: 'J\u00f6rg', password: 'gr\u00fc\u00dfe:\u{1f511}', isAdmin: false, roles: [] }])
    await request(app).get('/login').auth('J\u00f6rg', 'gr\u00fc\u00dfe:\u{1f511}').expect(200)
  })
})
