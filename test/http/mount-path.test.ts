import { createRequire } from 'node:module'
import type { Express, IRouter, Request, RequestHandler, Response } from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { basicAuthentication } from '../../lib/middleware/basic-authentication.js'
import { basicLogin } from '../../lib/middleware/basic-login.js'
import { bearerAuthentication } from '../../lib/middleware/bearer-authentication.js'
import { errorResponses } from '../../lib/middleware/error-responses.js'
import { logout } from '../../lib/middleware/logout.js'
import { pathAuthorization } from '../../lib/middleware/path-authorization.js'
import { portalSession } from '../../lib/middleware/portal-session.js'
import { pathEnds } from '../../lib/paths/readings.js'
import { createSessions } from '../../lib/tokens/sessions.js'
import { expressVersions } from '../helpers/express-versions.js'
import { document, users } from '../helpers/front.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { serverSetUps } from '../helpers/set-ups.js'
import { alice, standAloneParts } from '../helpers/stand-alone.js'
import { standInAuthentication } from '../helpers/stand-in-authentication.js'

type ExpressLine = (typeof expressVersions)[number][1]

/** The two lines, and the first router of Express 5, whose layers keep what they match. */
const lines: readonly (readonly [name: string, express: ExpressLine, isExpress4: boolean])[] = [
  ...expressVersions.map(([name, express]) => [name, express, name === 'Express 4'] as const),
  ['Express 5.1', createRequire(import.meta.url)('express51'), false],
]

/** Mounts handlers in an app. `wildcard(path)` is the path and everything below it, as this Express writes it. */
type Mount = (
  app: Express,
  handlers: RequestHandler[],
  express: ExpressLine,
  wildcard: (path: string) => string,
) => unknown

const through: RequestHandler = (_request, _response, next) => next()
const served: RequestHandler = (_request, response) => void response.send('the route')

function below(express: ExpressLine, handlers: RequestHandler[], options = {}): IRouter {
  return express.Router(options).use(...handlers)
}

/** Mounts that hide the path, or that may. */
const hiding: readonly (readonly [how: string, mount: Mount])[] = [
  ['a wildcard', (app, handlers, _express, wildcard) => app.use(wildcard('/api'), ...handlers)],
  ['a wildcard at the root', (app, handlers, _express, wildcard) => app.use(wildcard(''), ...handlers)],
  ['a list with a wildcard', (app, handlers, _express, wildcard) => app.use(['/x', wildcard('/api')], ...handlers)],
  ['a route with a wildcard', (app, handlers, _express, wildcard) => app.all(wildcard('/api'), ...handlers)],
  ['a route', (app, handlers) => app.get(['/api/users', '/api/users/42'], ...handlers)],
  ['app.route', (app, handlers) => app.route('/api/users').all(...handlers)],
  ['a regular expression with a group', (app, handlers) => app.use(/^\/api\/(.*)/, ...handlers)],
  [
    'a route of a router',
    (app, handlers, express, wildcard) => app.use('/api', express.Router().all(wildcard(''), ...handlers)),
  ],
  ['a router in a route', (app, handlers, express, wildcard) => app.all(wildcard('/api'), below(express, handlers))],
  ['an app in a route', (app, handlers, express, wildcard) => app.all(wildcard('/api'), express().use(...handlers))],
  [
    'another function in a route',
    (app, handlers, _express, wildcard) =>
      app.all(
        wildcard('/api'),
        ...handlers.map(
          (handler): RequestHandler =>
            (a, b, c) =>
              handler(a, b, c),
        ),
      ),
  ],
  [
    'a router below a wildcard, with its parameters',
    (app, handlers, express, wildcard) => app.use(wildcard('/api'), below(express, handlers, { mergeParams: true })),
  ],
]

/** Calls a handler with a `next` of its own, as tracers do. */
const traced =
  (handler: RequestHandler): RequestHandler =>
  (a, b, next) =>
    handler(a, b, (error: unknown) => next(error))

/** Mounts whose gates may not see all of the path, and cannot know. */
const swallowing: readonly (readonly [how: string, mount: Mount])[] = [
  ['two parameters', (app, handlers) => app.use('/:a/:b', ...handlers)],
  ['a parameter', (app, handlers) => app.use('/:tenant', ...handlers)],
  ['a regular expression', (app, handlers) => app.use(/.*/, ...handlers)],
  ['a route, traced', (app, handlers) => app.all(/^\/api\//, ...handlers.map(traced))],
  ['a regular expression below /api', (app, handlers) => app.use(/^\/api(?:\/.*)?$/, ...handlers)],
  ['a regular expression with a named group', (app, handlers) => app.use(/^\/api\/(?<rest>.*)/, ...handlers)],
  [
    'a router below a wildcard',
    (app, handlers, express, wildcard) => app.use(wildcard('/api'), below(express, handlers)),
  ],
  [
    'an app below a wildcard',
    (app, handlers, express, wildcard) => app.use(wildcard('/api'), express().use(...handlers)),
  ],
  [
    'a router below a parameter, with its parameters',
    (app, handlers, express) => app.use('/:a/:b', below(express, handlers, { mergeParams: true })),
  ],
]

/** Mounts that leave the path as it was meant, `/api` being where the handlers are. */
const plain: readonly (readonly [how: string, mount: Mount])[] = [
  ['a plain path', (app, handlers) => app.use('/api', ...handlers)],
  [
    'a plain path behind a route that let the request go on',
    (app, handlers, _express, wildcard) => app.all(wildcard(''), through).use('/api', ...handlers),
  ],
  [
    'a router behind such a route',
    (app, handlers, express, wildcard) => app.all(wildcard(''), through).use('/api', below(express, handlers)),
  ],
  ['a router', (app, handlers, express) => app.use('/api', below(express, handlers))],
  [
    'two routers',
    (app, handlers, express) => app.use(express.Router().use('/api', below(express, [below(express, handlers)]))),
  ],
  [
    'another function',
    (app, handlers) =>
      app.use(
        '/api',
        ...handlers.map(
          (handler): RequestHandler =>
            (a, b, c) =>
              handler(a, b, c),
        ),
      ),
  ],
  ['a plain path, traced', (app, handlers) => app.use('/api', ...handlers.map(traced))],
  ['an app', (app, handlers, express) => app.use('/api', express().use(...handlers))],
]

// Covers: E08 E12
describe.each(lines)('pathAuthorization on %s', (_line, express, isExpress4) => {
  const wildcard = (path: string): string => (isExpress4 ? `${path}/*` : `${path}/*rest`)

  function start(mount: Mount, options: Partial<Parameters<typeof pathAuthorization>[0]> = {}) {
    const log = recordedLog()
    const errors: unknown[] = []
    const authorization = pathAuthorization({ rules: [{ path: '/users' }], logger: log.logger, ...options })
    const app = express()
    app.use(standInAuthentication)
    mount(app, [authorization, served], express, wildcard)
    app.use((error: unknown, _request: Request, _response: Response, next: (error: unknown) => void) => {
      errors.push(error)
      next(error)
    })
    app.use(errorResponses())
    const get = (path: string, caller: string) => request(app).get(path).set('X-Caller', caller)
    return { get, errors, log }
  }

  it.each(hiding)('below %s refuses every request, and logs the reason once', async (_how, mount) => {
    const { get, errors, log } = start(mount)
    for (const caller of ['user', 'admin', 'none']) {
      const { body } = await get('/api/users', caller).expect(500)
      expect(body).toEqual({
        Error: 'The server is not set up correctly. The log has the reason.',
        code: 'ERR_MOUNT_PATH',
      })
    }
    expect(errors).toHaveLength(3)
    expect(log.entries.map(({ message }) => message)).toEqual([
      expect.stringMatching(/does not see it: .+; mount it with app\.use at a plain path/),
    ])
  })

  it.each(swallowing)('below %s holds the rules for every end of the path', async (_how, mount) => {
    const { get } = start(mount)
    for (const path of ['/api/users', '/api/USERS/', '/api/users/42', '/api/%75sers', '/api/x/..%2fusers/1']) {
      await get(path, 'user').expect(403)
      await get(path, 'admin').expect(200)
    }
    await get('/api/orders', 'user').expect(200)
    await get('/api/orders', 'none').expect(401)
  })

  it.each(swallowing)('below %s makes nothing public', async (_how, mount) => {
    const { get } = start(mount, { publicPaths: ['/', '/users', '/open'] })
    await get('/api/users', 'none').expect(401)
    await get('/api/a/b/open', 'none').expect(401)
    await get('/api/orders/7', 'none').expect(401)
  })

  it.each(swallowing)('below %s adds rules, and no other default', async (_how, mount) => {
    const { get } = start(mount, { rules: [{ path: '/', roles: ['x'] }], defaultPolicy: 'deny' })
    await get('/api/orders', 'admin').expect(200)
    await get('/api/orders', 'user').expect(403)
  })

  it.each(plain)('at %s lets the path below the mount decide', async (_how, mount) => {
    const { get } = start(mount)
    await get('/api/users', 'user').expect(403)
    await get('/api/v1/users', 'user').expect(200, 'the route')
    await get('/api', 'user').expect(200, 'the route')
  })

  it.each(plain.filter(([how]) => !/function|traced|an app/.test(how)))(
    'at %s can have a public root',
    async (_how, mount) => {
      const { get } = start(mount, { publicPaths: ['/'] })
      for (const path of ['/api', '/api/', '/API']) await get(path, 'none').expect(200, 'the route')
      await get('/api/orders', 'none').expect(401)
    },
  )

  it('at a plain path behind a route, traced, lets the others pass', async () => {
    const { get } = start((app, handlers) => app.all(wildcard(''), through).use('/api', ...handlers.map(traced)))
    await get('/api/users', 'user').expect(403)
    await get('/api/orders', 'user').expect(200, 'the route')
  })

  it('below the parameter of a parent is meant for the path below its own mount', async () => {
    const { get } = start((app, handlers) => app.use('/:tenant', express.Router().use('/api', ...handlers)))
    await get('/acme/api/users', 'user').expect(403)
    await get('/users/api/orders', 'user').expect(200)
  })

  it('below a parameter lets a path be public that is so without it', async () => {
    const { get } = start((app, handlers) => app.use('/:tenant', ...handlers), { publicPaths: ['/', '/version'] })
    await get('/acme/version', 'none').expect(200)
    await get('/acme', 'none').expect(200)
    await get('/users/version', 'none').expect(401)
    await get('/acme/x/version', 'none').expect(401)
  })
})

// Covers: E12
describe.each(serverSetUps)('a mount of createSecurity on $name', (setUp) => {
  const isExpress4 = setUp.name.startsWith('Express 4')
  const wildcard = (path: string): string => (isExpress4 ? `${path}/*` : `${path}/*rest`)

  async function secure(root: Record<string, unknown> = {}) {
    const log = recordedLog()
    const security = await createSecurity(document({ root }), { logger: log.logger })
    onTestFinished(() => security.close())
    return { log, security }
  }

  /** Sends requests to an app with one handler. */
  function agentOf(security: Security, mount: (app: Express) => unknown) {
    const app = setUp.express()
    mount(app)
    app.use(served)
    return request(setUp.usesCreateServer ? security.createServer(app, { protocol: 'http' }) : app)
  }

  it.each<[string, (app: Express, handler: RequestHandler) => unknown]>([
    ['a wildcard', (app, handler) => app.use(wildcard('/other'), handler)],
    ['a route', (app, handler) => app.all(wildcard('/other'), handler)],
  ])('refuses every request below %s, and says why in the log', async (_how, mount) => {
    const oauth = { enable: true, issuer: 'https://front.test/other', algorithm: 'ES256' }
    const { security, log } = await secure({ portal: { shop: {} }, oauth })
    for (const handler of [security.oauth(), security.managementApi(), security.portal('shop')]) {
      const agent = agentOf(security, (app) => mount(app, handler))
      for (const path of ['/other/login', '/other/users', '/other/x']) {
        const answer = await agent.get(path).set('Accept', 'text/html')
        expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('ERR_MOUNT_PATH')])
      }
    }
    const reasons = log.lines.filter((line) => /does not see it: [^:]+(?:a route|a wildcard)/.test(line))
    expect(reasons).toHaveLength(9)
  })

  it('serves every tenant below a parameter', async () => {
    const { security } = await secure()
    const agent = agentOf(security, (app) => app.use('/tenants/:tenant', security.managementApi()))
    const { name, password } = users.reader
    const { body } = await agent.get('/tenants/acme/login').auth(name, password).expect(200)
    const get = (path: string) => agent.get(path).auth(body.AccessToken, { type: 'bearer' })
    await get('/tenants/acme/orders').expect(200, 'the route')
    await get('/tenants/acme/users').expect(403)
    await get('/tenants/users/orders').expect(403)
  })

  it('does not send a browser from one login page to the next', async () => {
    const { security } = await secure({ portal: { shop: {} } })
    const agent = agentOf(security, (app) => app.use(/^\/shop(?:\/.*)?$/, security.portal('shop')))
    const open = (path: string) => agent.get(path).set('Accept', 'text/html').redirects(0)
    const { headers } = await open('/shop/cart').expect(303)
    await open(headers['location']!).expect(500)
  })

  it('shows the login page of a portal that is mounted at /login', async () => {
    const { security } = await secure({ portal: { shop: {} } })
    const agent = agentOf(security, (app) => app.use('/login', security.portal('shop')))
    const { headers } = await agent.get('/login').set('Accept', 'text/html').redirects(0).expect(303)
    await agent.get(headers['location']!).set('Accept', 'text/html').expect(200)
  })

  it('reads the rules for addresses from the root of the server, wherever webApps() stands', async () => {
    const filter = { filter_name: 'Remote Address Filter', allow_ip_regex: '10.0.0.1', url_pattern: '/shop/*' }
    const { security } = await secure({ servlet_access_control_filter: [filter] })
    const handler = security.webApps()
    for (const mount of [
      (app: Express) => app.use(handler),
      (app: Express) => app.use(wildcard(''), handler),
      (app: Express) => app.all(wildcard(''), handler),
      (app: Express) => app.use('/:tenant', handler),
    ]) {
      const agent = agentOf(security, mount)
      await agent.get('/shop/cart').expect(403)
      await agent.get('/other/cart').expect(200)
    }
    const agent = agentOf(security, (app) => app.use('/:tenant', handler))
    await agent.get('/acme/shop/cart').expect(403)
  })
})

describe.each(lines)('a handler that reads no path, on %s', (_line, express) => {
  it('may be part of a route', async () => {
    const { tokens, authenticator } = await standAloneParts()
    const app = express()
    app.post('/login', basicLogin({ authenticator, tokens }))
    app.get('/orders/:id', bearerAuthentication({ tokens }), served)
    app.post('/logout', bearerAuthentication({ tokens }), logout({ tokens }))
    app.use(errorResponses())
    const { body } = await request(app).post('/login').auth(alice.name, alice.password).expect(200)
    const call = (method: 'get' | 'post', path: string) =>
      request(app)[method](path).auth(body.AccessToken, { type: 'bearer' })
    await call('get', '/orders/7').expect(200, 'the route')
    await request(app).get('/orders/7').expect(401)
    await call('post', '/logout').expect(200)
    await call('get', '/orders/7').expect(401)
  })

  it('may not once some paths are public', async () => {
    const { tokens, authenticator, accounts, store } = await standAloneParts()
    const log = recordedLog()
    const parts = { tokens, authenticator, accounts, logger: log.logger }
    const isPublic = (): boolean => true
    const sessions = createSessions({ store, accounts, portal: 'shop', idleTimeoutMs: 1000, absoluteTimeoutMs: 1000 })
    for (const handler of [
      bearerAuthentication({ ...parts, allowAnonymous: isPublic }),
      basicAuthentication({ ...parts, allowAnonymous: isPublic }),
      portalSession({ ...parts, name: 'shop', sessions }),
    ]) {
      const app = express().get('/open', handler, served)
      app.use(errorResponses())
      await request(app).get('/open').expect(500)
    }
    expect(log.entries).toHaveLength(3)
  })

  it('takes no longer path for a public root', async () => {
    const { tokens } = await standAloneParts()
    const isPublic = (_method: string, path: string): boolean => path === '/'
    const authentication = bearerAuthentication({ tokens, allowAnonymous: isPublic })
    const app = express()
      .use(/^\/api(?:\/.*)?$/, authentication, served)
      .use('/plain', authentication, served)
    app.use(errorResponses())
    await request(app).get('/api/users').expect(401)
    await request(app).get('/plain').expect(200)
    await request(app).get('/plain/users').expect(401)
  })
})

it('reads the ends of the longest ambiguous path, and of the deepest path', () => {
  expect(pathEnds('/a;v/b')).toEqual(expect.arrayContaining(['/a;v/b', '/b', '/a/b']))
  expect(pathEnds('/a/b')).toEqual(['/a/b', '/b'])
  expect(pathEnds('/%zz/users')).toBeUndefined()
  expect(pathEnds('/a;'.repeat(683))).toBeUndefined()
  expect(pathEnds('/a'.repeat(8000))).toHaveLength(8000)
})
