import type { ErrorRequestHandler, RequestHandler } from 'express'
import request from 'supertest'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { ForbiddenError, UnauthorizedError } from '../../lib/core/errors.js'
import {
  basicAuthentication,
  basicLogin,
  bearerAuthentication,
  corsPolicy,
  createAuthenticator,
  createSessions,
  errorResponses,
  ipAllowList,
  logout,
  pathAuthorization,
  portalSession,
  readOnlyUsers,
  SecurityEvents,
} from '../../lib/middleware.js'
import { expressVersions } from '../helpers/express-versions.js'
import { document } from '../helpers/front.js'
import { type RecordedLog, recordedLog } from '../helpers/recorded-log.js'
import { type Parts, standAloneParts } from '../helpers/stand-alone.js'

type MakeGate = (parts: Parts, options: { readonly events?: SecurityEvents }) => RequestHandler

/** Each gate by hand, with what refuses a POST without credentials. */
const gates: readonly (readonly [name: string, status: number, code: string, make: MakeGate])[] = [
  [
    'bearerAuthentication',
    401,
    'ERR_AUTH_REQUIRED',
    ({ tokens }, options) => bearerAuthentication({ tokens, ...options }),
  ],
  [
    'bearerAuthentication of a resource server',
    401,
    'ERR_AUTH_REQUIRED',
    ({ tokens }, options) => bearerAuthentication({ tokens, audience: 'https://api.example', ...options }),
  ],
  ['basicAuthentication', 401, 'ERR_AUTH_REQUIRED', (parts, options) => basicAuthentication({ ...parts, ...options })],
  ['basicLogin', 401, 'ERR_AUTH_REQUIRED', (parts, options) => basicLogin({ ...parts, ...options })],
  ['logout', 401, 'ERR_AUTH_REQUIRED', (parts, options) => logout({ ...parts, ...options })],
  ['ipAllowList', 403, 'ERR_IP_NOT_ALLOWED', (_parts, options) => ipAllowList({ networks: ['192.0.2.1'], ...options })],
  ['pathAuthorization', 401, 'ERR_AUTH_REQUIRED', (_parts, options) => pathAuthorization({ rules: [], ...options })],
  ['readOnlyUsers', 403, 'ERR_READ_ONLY', (_parts, options) => readOnlyUsers(options)],
  [
    'portalSession',
    403,
    'ERR_CROSS_SITE',
    ({ store, authenticator }, options) => {
      const sessions = createSessions({ store, portal: 'shop', idleTimeoutMs: 1000, absoluteTimeoutMs: 1000 })
      return portalSession({ name: 'shop', sessions, authenticator, ...options })
    },
  ],
]

/** The rule that an option makes, by the code of its refusal. */
const ruleOf: Readonly<Record<string, string | undefined>> = {
  ERR_IP_NOT_ALLOWED: 'networks',
  ERR_READ_ONLY: 'readOnlyUsers',
}

let log: RecordedLog
let events: SecurityEvents
let refusals: unknown[]
let parts: Parts

beforeEach(async () => {
  log = recordedLog()
  events = new SecurityEvents(log.logger)
  refusals = []
  events.on('refusal', (event) => void refusals.push(event))
  parts = await standAloneParts()
})

/** What NestJS does: nothing of the error but these two is looked at. */
const ownHandler: ErrorRequestHandler = ({ statusCode, message }, _request, response, _next) => {
  response.status(statusCode).json({ statusCode, message })
}

describe.each(expressVersions)('a refusal of a gate by hand on %s', (_name, express) => {
  function appWith(handlers: readonly RequestHandler[], errorHandlers: readonly ErrorRequestHandler[]) {
    const app = express()
    app.use('/api', ...handlers)
    app.use(...errorHandlers)
    return app
  }

  it.each(gates)('of %s is reported as a mount does (%i %s)', async (_gate, status, code, make) => {
    const app = appWith([make(parts, { events })], [ownHandler])
    const answer = await request(app).post('/api/orders?token=a-secret')
    expect(answer.status).toBe(status)
    const reported = {
      at: expect.any(Number),
      address: expect.stringMatching(/127\.0\.0\.1$/),
      method: 'POST',
      path: '/api/orders',
      status,
      code,
      reference: undefined,
      subject: undefined,
      cause: undefined,
      rule: ruleOf[code],
    }
    expect(refusals).toEqual([reported])
    expect(log.entries.map(({ level, message }) => [level, message])).toEqual([['warn', 'request refused']])
    expect(log.lines.join('')).not.toContain('a-secret')
  })

  it.each(gates)('of %s is reported by errorResponses, once', async (_gate, status, code, make) => {
    for (const options of [{}, { events }]) {
      refusals.length = 0
      const app = appWith([make(parts, options)], [errorResponses({ events })])
      expect((await request(app).post('/api/orders')).status).toBe(status)
      expect(refusals).toMatchObject([{ path: '/api/orders', status, code }])
    }
  })

  it('has its headers on the answer of an error handler that reads status and message alone', async () => {
    const app = appWith([bearerAuthentication({ tokens: parts.tokens, realm: 'Shop' })], [ownHandler])
    const answer = await request(app).get('/api').expect(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="Shop"')
    const login = appWith([basicLogin(parts)], [ownHandler])
    expect((await request(login).put('/api').expect(405)).headers['allow']).toBe('GET, POST')
  })

  it("has each header once in the answer of Express' own handler", async () => {
    const app = express().set('env', 'production')
    app.use(bearerAuthentication(parts))
    const answer = await request(app).get('/').expect(401)
    const { res } = answer as unknown as { readonly res: { readonly rawHeaders: readonly string[] } }
    expect(res.rawHeaders.filter((name) => name.toLowerCase() === 'www-authenticate')).toHaveLength(1)
  })

  it('sets no headers once they are sent', async () => {
    const late: RequestHandler = (_request, response, next) => {
      response.write('the beginning')
      next()
    }
    const seen: unknown[] = []
    const note: ErrorRequestHandler = (error, _request, response, _next) => {
      seen.push(error)
      response.end()
    }
    await request(appWith([late, bearerAuthentication(parts)], [note]))
      .get('/api')
      .expect(200, 'the beginning')
    expect(seen).toMatchObject([{ code: 'ERR_AUTH_REQUIRED' }])
  })

  it('of a failed login is one event, by whichever part has events', async () => {
    const seen: unknown[] = []
    events.on('loginRefused', (event) => void seen.push({ name: 'loginRefused', ...event }))
    events.on('refusal', (event) => void seen.push({ name: 'refusal', ...event }))
    const { users, accounts, tokens } = parts
    const told = createAuthenticator({ users, failureFloorMs: 0, events })
    const untold = createAuthenticator({ users, failureFloorMs: 0 })
    const loginRefused = { name: 'loginRefused', userName: 'alice' }
    const refusal = { name: 'refusal', status: 401, code: 'ERR_AUTH_INVALID_CREDENTIALS' }
    const cases: readonly (readonly [RequestHandler, object])[] = [
      [basicLogin({ authenticator: told, tokens }), loginRefused],
      [basicLogin({ authenticator: told, tokens, events }), loginRefused],
      [basicLogin({ authenticator: untold, tokens, events }), loginRefused],
      [basicLogin({ authenticator: untold, tokens }), refusal],
      [basicAuthentication({ authenticator: told, accounts, events }), loginRefused],
      [basicAuthentication({ authenticator: untold, accounts, events }), refusal],
      [basicAuthentication({ authenticator: untold, accounts }), refusal],
    ]
    for (const [gate, expected] of cases) {
      seen.length = 0
      await request(appWith([gate], [errorResponses({ events })]))
        .get('/api')
        .auth('alice', 'not-the-password')
        .expect(401)
      expect(seen).toMatchObject([expected])
    }
  })

  it('that the app makes itself is reported for each request, also where it is one error for all of them', async () => {
    const denied = new ForbiddenError('ERR_PATH_DENIED', 'Closed.')
    const app = appWith([(_request, _response, next) => next(denied)], [errorResponses({ events })])
    await request(app).get('/api/one')
    await request(app).get('/api/two')
    expect(refusals).toMatchObject([{ path: '/api/one' }, { path: '/api/two' }])
  })

  it('that fails by a store has the cause in the report', async () => {
    parts.store.find = () => {
      throw new Error('a private reason')
    }
    const app = appWith([bearerAuthentication({ ...parts, events })], [errorResponses()])
    await request(app).get('/api').set('Authorization', 'Bearer abc').expect(503)
    expect(refusals).toMatchObject([{ status: 503, cause: { cause: { message: 'a private reason' } } }])
    expect(log.entries).toMatchObject([{ level: 'error' }])
  })

  it('says why a mount hides the path, in the event alone', async () => {
    const other = recordedLog()
    const app = express()
    app.get('/api', pathAuthorization({ rules: [], events, logger: other.logger }))
    app.use(ownHandler)
    await request(app).get('/api').expect(500)
    expect(refusals).toMatchObject([{ code: 'ERR_MOUNT_PATH', cause: expect.any(Error) }])
    expect(other.entries).toEqual([])
  })

  it('of too many headers is reported too', async () => {
    const app = appWith([corsPolicy({ events })], [ownHandler])
    const others = Array.from({ length: 1100 }, (_, index) => [`h${index}`, '1'])
    await request(app)
      .get('/api')
      .set({ Host: 'localhost', ...Object.fromEntries(others) })
      .expect(431)
    expect(refusals).toMatchObject([{ status: 431, code: 'ERR_HEADERS_TOO_MANY' }])
  })

  it('of a resource server beside createSecurity is an event of the front', async () => {
    const security = await createSecurity(document(), { logger: log.logger })
    onTestFinished(() => security.close())
    security.events.on('refusal', (event) => void refusals.push(event))
    const guard = bearerAuthentication({ tokens: security.tokens, audience: 'https://api.example' })
    await request(appWith([guard], [errorResponses({ events: security.events })]))
      .get('/api/orders')
      .expect(401)
    expect(refusals).toMatchObject([{ path: '/api/orders', code: 'ERR_AUTH_REQUIRED' }])
  })
})

it('leaves a line of JSON on stderr where nobody was given events', async () => {
  const written: string[] = []
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  onTestFinished(() => spy.mockRestore())
  const [[, express]] = expressVersions as [(typeof expressVersions)[number]]
  const app = express()
  app.use(() => {
    throw new UnauthorizedError('ERR_AUTH_REQUIRED', 'Who is it?')
  })
  app.use(errorResponses({ clock: () => 42 }))
  await request(app).get('/').expect(401)
  expect(written.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', event: 'refusal', path: '/', code: 'ERR_AUTH_REQUIRED' },
  ])
})
