import type express5 from 'express'
import type { Express } from 'express'
import request from 'supertest'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Security } from '../../../lib/app/security.js'
import { type AppRoute, listRoutes } from '../../../lib/http/express/app-routes.js'
import { bearerAuthentication } from '../../../lib/middleware/bearer-authentication.js'
import { createTestSecurity } from '../../../lib/testing/test-security.js'
import { expressVersions, routerVersions } from '../../helpers/express-versions.js'

type ExpressModule = typeof express5
type Handler = express5.RequestHandler

let security: Security

beforeAll(async () => {
  security = await createTestSecurity({ portal: { shop: {} } })
  return () => security.close()
})

const answer: Handler = (_request, response) => {
  response.send('handled')
}
function passes(_request: express5.Request, _response: express5.Response, next: express5.NextFunction): void {
  next()
}
const bearer = (): Handler => bearerAuthentication({ tokens: security.tokens, events: security.events })

/** A router that answers at each path, and an app that does. */
const routerAt = (express: ExpressModule, ...paths: string[]): express5.Router => {
  const router = express.Router()
  for (const path of paths) router.get(path, answer)
  return router
}
const appAt = (express: ExpressModule, ...paths: string[]): Express => {
  const app = express()
  for (const path of paths) app.get(path, answer)
  return app
}

/** A way of building an app, and what is to be seen in it: `guarded` unless it says something else. */
interface Shape {
  readonly name: string
  build(app: Express, express: ExpressModule): void
  readonly routes: readonly string[]
}

const shapes: readonly Shape[] = [
  {
    name: 'a guard before a router, and a route before it',
    build(app, express) {
      app.get('/health', answer)
      app.use('/management', security.managementApi(), routerAt(express, '/apis', '/apis/:id'))
    },
    routes: ['open GET /health', 'guarded GET /management/apis', 'guarded GET /management/apis/:id'],
  },
  {
    name: 'a guard that is mounted below the routes',
    build(app) {
      app.get('/management/early', answer)
      app.use('/management', security.managementApi())
      app.get('/management/late', answer)
    },
    routes: ['open GET /management/early', 'guarded GET /management/late'],
  },
  {
    name: 'sub-apps, one of them guarded by its parent, one with a guard of its own',
    build(app, express) {
      const own = express()
      own.use(security.portal('shop'))
      own.get('/basket', answer)
      app.use('/open', appAt(express, '/page'))
      app.use('/shop', security.portal('shop'), appAt(express, '/page'))
      app.use('/own', own)
    },
    routes: ['open GET /open/page', 'guarded GET /shop/page', 'guarded GET /own/basket'],
  },
  {
    name: 'routers in routers, and a guard in the middle',
    build(app, express) {
      const middle = express.Router()
      middle.use('/open', routerAt(express, '/', '/deep'))
      middle.use(security.managementApi())
      middle.use('/deep', routerAt(express, '/end/:id'))
      app.use('/v1', middle)
    },
    routes: ['open GET /v1/open', 'open GET /v1/open/deep', 'guarded GET /v1/deep/end/:id'],
  },
  {
    name: 'arrays of paths and of middlewares',
    build(app, express) {
      app.use(['/a', '/b/:tenant'], [security.managementApi(), routerAt(express, '/x')])
      app.get(['/c', '/d'], [answer])
    },
    routes: ['guarded GET /a/x', 'guarded GET /b/:tenant/x', 'open GET /c', 'open GET /d'],
  },
  {
    name: 'all methods, several methods, and a handler without a route',
    build(app) {
      app.all('/all', answer)
      app.route('/several').get(answer).post(answer)
      app.use('/use', answer)
      app.use('/management', security.managementApi())
      app.all('/management/all', answer)
      app.use('/management/use', answer)
    },
    routes: [
      'open ALL /all',
      'open GET /several',
      'open POST /several',
      'open ALL /use',
      'guarded ALL /management/all',
      'guarded ALL /management/use',
    ],
  },
  {
    name: 'a guard inside a route, before and after its handler, and for one method',
    build(app) {
      app.get('/before', bearer(), answer)
      app.get('/after', answer, bearer())
      app.route('/one').post(bearer(), answer).get(answer)
      app.route('/both').all(bearer()).get(answer)
    },
    routes: ['guarded GET /before', 'open GET /after', 'guarded POST /one', 'open GET /one', 'guarded ALL /both'],
  },
  {
    name: 'parameters that a guard at a plain path does not cover',
    build(app) {
      app.use('/admin', security.managementApi())
      app.get('/:page', answer)
      app.get('/admin/:page', answer)
      app.get('/ADMIN/:page/edit', answer)
    },
    routes: ['open GET /:page', 'guarded GET /admin/:page', 'guarded GET /ADMIN/:page/edit'],
  },
  {
    name: 'a guard that is a route, before a mount and a parameter that take longer paths',
    build(app) {
      app.all('/mount', bearer())
      app.use('/mount', answer)
      app.get('/route', bearer())
      app.get('/route', answer)
      app.post('/route', answer)
      app.all('/deep/:one', bearer())
      app.get('/deep/:one', answer)
      app.get('/deep/:one/:two', answer)
    },
    routes: [
      'guarded ALL /mount',
      'open ALL /mount',
      'guarded GET /route',
      'guarded GET /route',
      'open POST /route',
      'guarded ALL /deep/:one',
      'guarded GET /deep/:one',
      'open GET /deep/:one/:two',
    ],
  },
  {
    name: 'a guard of routes in a strict router, before routes that are not',
    build(app, express) {
      const router = express.Router({ strict: true })
      router.all('/page', bearer())
      app.use(router)
      app.get('/page', answer)
    },
    routes: ['guarded ALL /page', 'open GET /page'],
  },
  {
    name: 'a guard in a router that is case-sensitive, before routes that are not',
    build(app, express) {
      const router = express.Router({ caseSensitive: true })
      router.use('/api', bearer())
      app.use(router)
      app.get('/api/x', answer)
    },
    routes: ['open GET /api/x'],
  },
  {
    name: 'a guard of all paths, and regular expressions before and after it',
    build(app) {
      app.get(/^\/early/, answer)
      app.use(bearer())
      app.get(/^\/late/, answer)
    },
    routes: ['open GET /^\\/early/', 'guarded GET /^\\/late/'],
  },
  {
    name: 'only addresses checked, and authentication by a function of the app',
    build(app) {
      app.use(security.webApps())
      app.get('/page', answer)
    },
    routes: ['open GET /page'],
  },
  {
    name: 'functions that may be anything',
    build(app, express) {
      const router = routerAt(express, '/hidden')
      app.use('/wrapped', (incoming, response, next) => router(incoming, response, next))
      app.use(passes, express.json())
      app.use((_error: unknown, _request: unknown, _response: unknown, next: () => void) => next())
      app.use('/management', security.managementApi(), passes)
      app.get('/mixed', passes, bearer(), answer)
    },
    routes: ['opaque ALL /wrapped', 'opaque ALL /', 'guarded ALL /management', 'opaque GET /mixed'],
  },
  {
    name: 'a router that is mounted twice, and in itself',
    build(app, express) {
      const router = routerAt(express, '/x')
      router.use('/again', router)
      app.use('/open', router)
      app.use('/management', security.managementApi(), router)
    },
    routes: ['open GET /open/x', 'guarded GET /management/x'],
  },
]

describe.each(routerVersions)('the routes of an app of %s', (version, express) => {
  it.each(shapes)('are what anonymous requests meet: $name', async ({ build, routes }) => {
    const app = express()
    build(app, express)
    const listed = listRoutes(app)
    expect(listed.map(({ state, method, path }) => `${state} ${method} ${path}`)).toEqual(routes)
    for (const route of listed)
      if (route.sample !== undefined) expect(await isHandled(app, route)).toBe(isReached(route))
  })

  it('are none in an app without routes', () => {
    expect(listRoutes(express())).toEqual([])
  })

  it('have optional parts, and a guard of the longer path leaves the shorter one open', async () => {
    const app = express()
    app.use('/api/:id', security.managementApi())
    app.get(version.startsWith('Express 5') ? '/api{/:id}' : '/api/:id?', answer)
    expect(listRoutes(app).map(({ state }) => state)).toEqual(['open'])
  })

  it('have wildcards, and a guard of one segment leaves longer paths open', () => {
    const app = express()
    app.all('/files/:name', bearer())
    app.get(version.startsWith('Express 5') ? '/files/*path' : '/files/*', answer)
    app.use('/files', security.managementApi())
    app.get(version.startsWith('Express 5') ? '/files/a/*path' : '/files/a/*', answer)
    expect(listRoutes(app).map(({ state }) => state)).toEqual(['guarded', 'open', 'guarded'])
  })

  it('include a handler with the name of a middleware', () => {
    const app = express()
    app.use('/x', function session(_request, response) {
      response.send('handled')
    } as Handler)
    expect(listRoutes(app)).toMatchObject([{ state: 'open', path: '/x' }])
  })

  it('are not called, and neither are middlewares and parameters', () => {
    const app = express()
    const refuse = () => {
      throw new Error('called')
    }
    app.param('id', refuse)
    const sub = express()
    sub.use((_request, _response, _next) => refuse())
    sub.use((_error: unknown, _request: unknown, _response: unknown, _next: unknown) => refuse())
    sub.get('/:id', refuse)
    app.use((_request, _response, _next) => refuse())
    app.use('/sub/:id', sub)
    app.set('query parser', refuse)
    sub.set('query parser', refuse)
    expect(listRoutes(app).map(({ path }) => path)).toEqual(['/', '/sub/:id', '/sub/:id/:id'])
  })

  it('are found in a sub-app of another version of Express', async () => {
    const app = express()
    for (const [name, other] of expressVersions) app.use(`/${name.at(-1)}`, appAt(other, '/x'))
    app.use(
      '/management',
      security.managementApi(),
      appAt(expressVersions.find(([name]) => name !== version)![1], '/x'),
    )
    const states = listRoutes(app).map(({ state, path }) => `${state} ${path}`)
    expect(states).toEqual(['open /5/x', 'open /4/x', 'guarded /management/x'])
  })

  it('include what is no layer that is known', () => {
    const app = express()
    app.get('/x', answer)
    const { stack } = (app as unknown as { _router?: { stack: unknown[] } })._router ?? app.router
    stack.push({ handle: answer } as never)
    expect(listRoutes(app).at(-1)).toMatchObject({ state: 'opaque', path: '/' })
  })
})

/** Whether an anonymous request is handled by the app. */
async function isHandled(app: Express, { method, sample }: AppRoute): Promise<boolean> {
  const verb = method === 'ALL' ? 'get' : (method.toLowerCase() as 'get')
  const { text } = await request(app)[verb](sample!)
  return text === 'handled'
}

/** A function that passes requests on, and one that may be a router, handle nothing at their own path. */
function isReached({ state }: AppRoute): boolean {
  return state === 'open'
}
