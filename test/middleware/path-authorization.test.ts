import type { ErrorRequestHandler, RequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { type Auth, type AuthKind, setAuth } from '../../lib/core/auth.js'
import { ConfigError, type HttpError } from '../../lib/core/errors.js'
import { type PathAuthorizationOptions, pathAuthorization } from '../../lib/middleware/path-authorization.js'
import { readOnlyUsers } from '../../lib/middleware/read-only-users.js'
import { expressVersions } from '../helpers/express-versions.js'

interface Caller {
  readonly isAdmin?: boolean
  readonly roles?: readonly string[]
  readonly kind?: AuthKind
}

const administrator: Caller = { isAdmin: true }
const user: Caller = {}

function authOf({ isAdmin = false, roles = [], kind = 'management' }: Caller): Auth {
  return { subject: 'mia', roles, isAdmin, scope: '', tokenId: undefined, kind, issuedAt: 0, expiresAt: undefined }
}

const authenticate: (caller: Caller | undefined) => RequestHandler = (caller) => (incoming, _response, next) => {
  if (caller !== undefined) setAuth(incoming, authOf(caller))
  next()
}

const answerRefusal: ErrorRequestHandler = (error: HttpError, _request, response, _next) => {
  response.status(error.status).set(error.headers).json({ code: error.code, message: error.message })
}

describe.each(expressVersions)('pathAuthorization on %s', (_name, express) => {
  function answerTo(method: string, path: string, caller: Caller | undefined, options: PathAuthorizationOptions) {
    const app = express()
    const routes: RequestHandler = (_request, response) => void response.end('reached')
    app.use('/m', authenticate(caller), pathAuthorization(options), routes)
    app.use(answerRefusal)
    return request(app)[method.toLowerCase() as 'get'](`/m${path}`)
  }

  const rules = [
    { path: '/users' },
    { path: '/apis', methods: ['DELETE'], roles: ['publisher', 'creator'] },
    { path: '/apis/locked', roles: ['locksmith'] },
  ]

  it.each<[method: string, path: string, caller: Caller, status: number, code?: string]>([
    ['GET', '/users', administrator, 200],
    ['GET', '/users', user, 403, 'ERR_ADMIN_REQUIRED'],
    ['DELETE', '/USERS/42', user, 403, 'ERR_ADMIN_REQUIRED'],
    ['GET', '/usersx', user, 200],
    ['GET', '/apis/1', user, 200],
    ['DELETE', '/apis/1', user, 403, 'ERR_ROLE_REQUIRED'],
    ['DELETE', '/apis/1', { roles: ['creator'] }, 200],
    ['DELETE', '/apis/1', { roles: ['locksmith'] }, 403, 'ERR_ROLE_REQUIRED'],
    ['DELETE', '/apis/1', administrator, 200],
    ['GET', '/apis/locked', { roles: ['creator'] }, 403, 'ERR_ROLE_REQUIRED'],
    ['DELETE', '/apis/locked', { roles: ['locksmith'] }, 403, 'ERR_ROLE_REQUIRED'],
    ['DELETE', '/apis/locked', { roles: ['creator', 'locksmith'] }, 200],
    ['GET', '/users/%zz', administrator, 400, 'ERR_PATH_AMBIGUOUS'],
    ['GET', '/users%23x', user, 403, 'ERR_ADMIN_REQUIRED'],
    ['GET', `/apis${'/..;'.repeat(500)}`, user, 200],
    ['GET', `/apis${'/..;'.repeat(3_000)}`, administrator, 400, 'ERR_PATH_AMBIGUOUS'],
    ['GET', `/apis/${'x'.repeat(12_000)}`, user, 200],
  ])('answers %s %s of %o with %i', async (method, path, caller, status, code) => {
    const response = await answerTo(method, path, caller, { rules }).expect(status)
    if (code !== undefined) expect(response.body.code).toBe(code)
  })

  it.each(['/users', '/apis', '/', '/unknown'])('answers 401 to an anonymous GET %s', async (path) => {
    const response = await answerTo('GET', path, undefined, { rules }).expect(401)
    expect(response.body.code).toBe('ERR_AUTH_REQUIRED')
    expect(response.headers['www-authenticate']).toBe('Bearer realm="Sallyport"')
  })

  it.each<[AuthKind, string | undefined]>([
    ['management', 'Bearer realm="Sallyport", error="insufficient_scope"'],
    ['oauth', 'Bearer realm="Sallyport", error="insufficient_scope"'],
    ['basic', undefined],
    ['portal', undefined],
  ])('sends a caller of kind %s the challenge %o', async (kind, challenge) => {
    for (const [method, path] of [
      ['GET', '/users'],
      ['DELETE', '/apis'],
    ] as const) {
      const response = await answerTo(method, path, { kind }, { rules }).expect(403)
      expect(response.headers['www-authenticate']).toBe(challenge)
    }
  })

  it.each<['authenticated' | 'admin' | 'deny', Caller, number, string?]>([
    ['authenticated', user, 200],
    ['admin', user, 403, 'ERR_ADMIN_REQUIRED'],
    ['admin', administrator, 200],
    ['deny', user, 403, 'ERR_PATH_DENIED'],
    ['deny', administrator, 403, 'ERR_PATH_DENIED'],
  ])(
    'under the default policy %s answers %o with %i where no rule matches',
    async (defaultPolicy, caller, status, code) => {
      const response = await answerTo('GET', '/other', caller, { rules, defaultPolicy }).expect(status)
      if (code !== undefined) expect(response.body.code).toBe(code)
    },
  )

  it('lets an administrator pass where a rule matches though the default policy is deny', async () => {
    await answerTo('GET', '/users', administrator, { rules, defaultPolicy: 'deny' }).expect(200)
  })

  it.each<[method: string, path: string, caller: Caller | undefined, status: number]>([
    ['GET', '/health', undefined, 200],
    ['HEAD', '/health', undefined, 200],
    ['GET', '/health?x=1', undefined, 200],
    ['GET', '/users/ready', user, 200],
    ['POST', '/health', undefined, 401],
    ['GET', '/HEALTH', undefined, 401],
    ['GET', '/health/', undefined, 401],
    ['GET', '///health', undefined, 400],
    ['GET', '/users/%72eady', user, 400],
    ['GET', '/users/../health', administrator, 400],
  ])('with public paths answers %s %s of %o with %i', async (method, path, caller, status) => {
    await answerTo(method, path, caller, { rules, publicPaths: ['/health', '/users/ready'] }).expect(status)
  })

  it.each<[path: string, options: Partial<PathAuthorizationOptions>, status: number]>([
    ['/other', {}, 200],
    ['/users', {}, 403],
    ['/apis/locked', {}, 403],
    ['/other', { defaultPolicy: 'admin' }, 403],
    ['/other', { defaultPolicy: 'deny' }, 403],
  ])('with authentication switched off answers GET %s under %o with %i', async (path, options, status) => {
    const response = await answerTo('GET', path, undefined, { rules, skipAuthentication: true, ...options })
    expect(response.status).toBe(status)
    if (status === 403) expect(response.body.code).toBe('ERR_PATH_DENIED')
  })

  it('asks applyTo whether the rules hold for a caller', async () => {
    const applyTo = ({ subject }: Auth) => subject !== 'mia'
    await answerTo('GET', '/users', user, { rules, applyTo }).expect(200)
    await answerTo('GET', '/users', user, { rules, applyTo: () => true }).expect(403)
    await answerTo('GET', '/users', undefined, { rules, applyTo }).expect(401)
    await answerTo('GET', '/other', user, { rules, applyTo, defaultPolicy: 'deny' }).expect(403)
  })
})

describe('pathAuthorization, given malformed rules', () => {
  it('throws a ConfigError', () => {
    expect(() => pathAuthorization({ rules: [{ path: 'users' }] })).toThrow(ConfigError)
  })
})

describe('readOnlyUsers', () => {
  const [[, express]] = expressVersions as [(typeof expressVersions)[number]]

  it.each<[method: string, caller: Caller | undefined, status: number]>([
    ['GET', user, 200],
    ['HEAD', user, 200],
    ['OPTIONS', user, 200],
    ['POST', user, 403],
    ['PUT', user, 403],
    ['PATCH', user, 403],
    ['DELETE', user, 403],
    ['DELETE', { roles: ['admin'] }, 403],
    ['DELETE', administrator, 200],
    ['POST', undefined, 403],
    ['GET', undefined, 200],
  ])('answers %s of %o with %i', async (method, caller, status) => {
    const app = express()
    app.use(authenticate(caller), readOnlyUsers(), (_request, response) => void response.end())
    app.use(answerRefusal)
    const response = await request(app)[method.toLowerCase() as 'get']('/x')
    expect(response.status).toBe(status)
    if (status === 403) expect(response.body.code).toBe('ERR_READ_ONLY')
  })
})
