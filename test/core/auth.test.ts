import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { type Auth, findAuth, forgetAuth, getAuth, setAuth } from '../../lib/core/auth.js'
import { type HttpError, UnauthorizedError } from '../../lib/core/errors.js'
import { basicAuthentication } from '../../lib/middleware/basic-authentication.js'
import { bearerAuthentication } from '../../lib/middleware/bearer-authentication.js'
import { logout } from '../../lib/middleware/logout.js'
import { pathAuthorization } from '../../lib/middleware/path-authorization.js'
import { readOnlyUsers } from '../../lib/middleware/read-only-users.js'
import { expressVersions } from '../helpers/express-versions.js'
import { alice, standAloneParts } from '../helpers/stand-alone.js'

type AuthenticatedRequest = IncomingMessage & { auth?: Auth }

const auth: Auth = {
  subject: 'alice',
  roles: ['viewer'],
  isAdmin: false,
  scope: 'default',
  tokenId: 'id-of-a-token',
  kind: 'management',
  issuedAt: 1,
  expiresAt: 2,
}

const foreign: Auth = { ...auth, subject: 'mallory', isAdmin: true, scope: 'admin' }

const requestOf = (properties: object = {}): AuthenticatedRequest =>
  Object.assign(new IncomingMessage(new Socket()), properties)

function thrownBy(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe('getAuth', () => {
  it('returns the caller of a request, which request.auth has as well', () => {
    const incoming = requestOf()
    setAuth(incoming, auth)
    expect(getAuth(incoming)).toBe(auth)
    expect(incoming.auth).toBe(auth)
  })

  it('throws a 401 with a challenge where nobody is authenticated', () => {
    const thrown = thrownBy(() => getAuth(requestOf()))
    expect(thrown).toBeInstanceOf(UnauthorizedError)
    expect(thrown).toMatchObject({
      status: 401,
      code: 'ERR_AUTH_REQUIRED',
      headers: { 'WWW-Authenticate': 'Bearer realm="Sallyport"' },
    })
    expect((thrown as Error).cause).toContain('mount security.managementApi()')
  })

  it.each<[string, () => IncomingMessage]>([
    ['is set', () => requestOf({ auth: foreign })],
    ['is inherited', () => Object.create(requestOf({ auth: foreign })) as IncomingMessage],
    ['is noted under a symbol of the same name', () => requestOf({ [Symbol.for('caller')]: foreign, auth: foreign })],
  ])('throws, and says why to a developer, where request.auth of other code %s', (_how, made) => {
    const thrown = thrownBy(() => getAuth(made()))
    expect(thrown).toMatchObject({ status: 401, code: 'ERR_AUTH_REQUIRED' })
    expect((thrown as Error).cause).toMatch(/^request\.auth was set by other code/)
  })

  it.each<[string, (incoming: AuthenticatedRequest) => IncomingMessage]>([
    ['replaced', (incoming) => Object.assign(incoming, { auth: foreign })],
    ['removed', (incoming) => Object.assign(incoming, { auth: undefined })],
    [
      'replaced in an object made from the request',
      (incoming) => Object.create(incoming, { auth: { value: foreign } }),
    ],
    [
      'replaced in a proxy',
      (incoming) => new Proxy(incoming, { get: (t, k) => (k === 'auth' ? foreign : Reflect.get(t, k)) }),
    ],
  ])('returns what the gate has found where request.auth was %s after it', (_how, change) => {
    const incoming = requestOf()
    setAuth(incoming, auth)
    expect(getAuth(change(incoming))).toBe(auth)
  })

  it('returns what no route can have changed', () => {
    const incoming = requestOf()
    setAuth(incoming, auth)
    expect(() => Object.assign(incoming.auth!, { isAdmin: true })).toThrow(TypeError)
    expect(getAuth(incoming).isAdmin).toBe(false)
  })

  it('knows nobody any more once a mount has forgotten the caller of the one before', () => {
    const outer = requestOf()
    setAuth(outer, auth)
    const inner = Object.create(outer) as AuthenticatedRequest
    forgetAuth(inner)
    expect([findAuth(inner), inner.auth]).toEqual([undefined, undefined])
    expect(getAuth(outer)).toBe(auth)
  })
})

describe.each(expressVersions)('request.auth of another package, on %s', (_name, express) => {
  /** What express-jwt and its like do with a token that is good for them. */
  const anotherPackage: RequestHandler = (incoming, _response, next) => {
    Object.assign(incoming, { auth: foreign })
    next()
  }
  const noted: ErrorRequestHandler = (error: HttpError, _request, response, _next) => {
    response.status(error.status).set(error.headers).json(error.code)
  }

  function appWith(...handlers: readonly RequestHandler[]) {
    const app = express()
    app.use(...handlers, (incoming, response) => void response.json(getAuth(incoming).subject))
    app.use(noted)
    return app
  }

  it('is no caller where no gate of this package stands before the route', async () => {
    await request(appWith(anotherPackage)).get('/').expect(401, '"ERR_AUTH_REQUIRED"')
  })

  it('opens nothing behind the gates that decide', async () => {
    const { tokens } = await standAloneParts()
    const isPublic = (): boolean => true
    const rules = pathAuthorization({ rules: [{ path: '/' }] })
    await request(appWith(anotherPackage, rules)).get('/').expect(401, '"ERR_AUTH_REQUIRED"')
    await request(appWith(bearerAuthentication({ tokens, allowAnonymous: isPublic }), anotherPackage, rules))
      .get('/')
      .expect(401)
    await request(appWith(anotherPackage, readOnlyUsers())).post('/').expect(403, '"ERR_READ_ONLY"')
    await request(appWith(anotherPackage, logout({ tokens })))
      .post('/')
      .expect(401, '"ERR_AUTH_REQUIRED"')
  })

  it.each(['before', 'after'])('does not stand in for the caller when it comes %s the gate', async (order) => {
    const { tokens, users, authenticator, accounts } = await standAloneParts()
    const { token } = await tokens.issue(users.find(alice.name)!)
    const gates = [bearerAuthentication({ tokens }), basicAuthentication({ authenticator, accounts })]
    for (const gate of gates) {
      const app = appWith(...(order === 'before' ? [anotherPackage, gate] : [gate, anotherPackage]), readOnlyUsers())
      const isBasic = gate === gates[1]
      const call = (method: 'get' | 'post') =>
        isBasic
          ? request(app)[method]('/').auth(alice.name, alice.password)
          : request(app)[method]('/').set('Authorization', `Bearer ${token}`)
      await call('get').expect(200, '"alice"')
      await call('post').expect(403)
    }
  })
})
