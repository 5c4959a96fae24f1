import type express5 from 'express'
import type { Express, RequestHandler, Router } from 'express'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { matrixFrom, printCoverage, printMatrix } from '../../lib/cli/coverage.js'
import { coverApp, type RouteCoverage } from '../../lib/explain/coverage.js'
import { listPlacedRoutes } from '../../lib/http/express/app-routes.js'
import { bearerAuthentication } from '../../lib/middleware/bearer-authentication.js'
import { pathAuthorization } from '../../lib/middleware/path-authorization.js'
import { createTestSecurity, type TestSecurity } from '../../lib/testing/test-security.js'
import { routerVersions } from '../helpers/express-versions.js'

type ExpressModule = typeof express5

const source = {
  management_api: {
    control_access: { enable: true, allow: ['127.0.0.1', '::ffff:127.0.0.1'] },
    public_paths: ['/health', '/nothing'],
    authorization_handler: {
      resources: [
        { path: '/apis', methods: ['POST', 'DELETE'], roles: ['creator', 'keeper'] },
        { path: '/keys', roles: ['creator'] },
        { path: '/keys/both', roles: ['keeper'] },
        { path: '/settings' },
        { path: '/nobody' },
      ],
    },
  },
  portal: { shop: {}, desk: { roles: ['clerk'], allow: ['10.0.0.0/8'] } },
}

let security: TestSecurity
beforeAll(async () => {
  security = await createTestSecurity(source)
})
afterAll(() => security.close())

/** What routes of the app answer. */
const reached = 299

const answer: RequestHandler = (_request, response) => {
  response.status(reached).end()
}
const pass: RequestHandler = (_request, _response, next) => next()

/** A way of building an app, and the lines that are expected. */
interface Shape {
  readonly name: string
  build(app: Express, express: ExpressModule): void
  readonly expected: readonly string[]
}

const routesIn = (router: Router): Router => {
  router.get('/apis', answer)
  router.post('/apis', answer)
  router.get('/settings', answer)
  return router
}

const managed = [
  'user GET /management/apis',
  'role POST /management/apis creator keeper',
  'admin GET /management/settings',
]

const shapes: readonly Shape[] = [
  {
    name: 'a guard and a router in one mount',
    build: (app, express) => app.use('/management', security.managementApi(), routesIn(express.Router())),
    expected: managed,
  },
  {
    name: 'a sub-app',
    build(app, express) {
      const inner = express()
      inner.use(routesIn(express.Router()))
      app.use('/management', security.managementApi(), inner)
    },
    expected: managed,
  },
  {
    name: 'a router in a function, which cannot be looked into',
    build(app, express) {
      const router = routesIn(express.Router())
      app.use('/free', (incoming, response, next) => router(incoming, response, next))
      app.use('/management', security.managementApi(), (incoming, response, next) => router(incoming, response, next))
    },
    // Of what is behind the guard the path of the mount is known.
    expected: ['opaque ALL /free', 'user ALL /management'],
  },
  {
    name: 'static files, before the guard and after it',
    build(app, express) {
      app.use('/files', express.static('docs'))
      app.use('/management', security.managementApi(), express.static('docs'), routesIn(express.Router()))
    },
    expected: ['opaque ALL /files', 'user ALL /management', ...managed],
  },
  {
    name: 'lists of middlewares',
    build(app, express) {
      app.use(['/management', '/api'], [pass, [security.managementApi(), pass]] as unknown as RequestHandler[])
      app.use('/management', [routesIn(express.Router())])
      app.get('/after', [answer])
    },
    expected: [
      'opaque ALL /management',
      'opaque ALL /api',
      'user ALL /management',
      'user ALL /api',
      ...managed,
      'open GET /after',
    ],
  },
  {
    name: 'app.all, and rules by methods',
    build(app) {
      app.use('/management', security.managementApi())
      app.all('/management/apis', answer)
      app.all('/management/health', answer)
    },
    expected: [
      'user GET /management/apis',
      'role POST /management/apis creator keeper',
      'user PUT /management/apis',
      'user PATCH /management/apis',
      'role DELETE /management/apis creator keeper',
      'public GET /management/health',
      'user POST /management/health',
      'user PUT /management/health',
      'user PATCH /management/health',
      'user DELETE /management/health',
    ],
  },
  {
    name: 'parameters, and router.param',
    build(app, express) {
      const router = express.Router()
      router.param('id', (_request, _response, next) => next())
      router.get('/apis/:id', answer)
      router.delete('/apis/:id', answer)
      router.get('/keys/both', answer)
      app.use('/management', security.managementApi(), router)
    },
    expected: [
      'user GET /management/apis/:id',
      'role DELETE /management/apis/:id creator keeper',
      'role GET /management/keys/both creator + keeper',
    ],
  },
  {
    name: 'a guard below the routes',
    build(app, express) {
      app.use('/management', routesIn(express.Router()))
      app.use('/management', security.managementApi())
      app.get('/management/late', answer)
    },
    expected: [
      'open GET /management/apis',
      'open POST /management/apis',
      'open GET /management/settings',
      'user GET /management/late',
    ],
  },
  {
    name: 'portals, one with roles, and what is before them',
    build(app, express) {
      app.get('/shop/open', answer)
      app.use('/shop', security.portal('shop'), express.Router().get('/basket', answer))
      app.use('/console', security.portal('management_console'), express.Router().post('/x', answer))
      app.use('/shop2', express.Router().use(security.portal('shop')).get('/y', answer))
    },
    expected: ['open GET /shop/open', 'user GET /shop/basket', 'admin POST /console/x', 'user GET /shop2/y'],
  },
  {
    name: 'guards that are composed by hand, before a router and in a route',
    build(app, express) {
      const bearer = () => bearerAuthentication({ tokens: security.tokens, events: security.events })
      const rules = pathAuthorization({
        rules: [{ path: '/keys', roles: ['creator'] }, { path: '/settings' }],
        events: security.events,
      })
      const router = express.Router()
      router.get('/apis', answer)
      router.get('/keys', answer)
      router.get('/settings', answer)
      app.use('/own', bearer(), rules, router)
      app.get('/one', bearer(), answer)
    },
    expected: ['user GET /own/apis', 'role GET /own/keys creator', 'admin GET /own/settings', 'user GET /one'],
  },
]

function lineOf({ access, method, path, roles }: RouteCoverage): string {
  return [access, method, path, ...roles].join(' ')
}

/** Who gets to a route, by requests. */
async function whoGetsTo(
  app: Express,
  { method, path }: RouteCoverage,
  roles: readonly string[],
): Promise<readonly boolean[]> {
  const route = listPlacedRoutes(app).find(
    (one) => one.path === path && (one.method === method || one.method === 'ALL'),
  )!
  const verb = (method === 'ALL' ? 'get' : method.toLowerCase()) as 'get'
  const callers = [
    {},
    await security.signedIn('user', { roles: [] }),
    await security.signedIn('somebody', { roles }),
    await security.signedIn('boss', { isAdmin: true }),
  ]
  const got: boolean[] = []
  for (const headers of callers) {
    const agent = request(app)
    got.push((await agent[verb](route.sample ?? path).set(headers)).status === reached)
  }
  return got
}

const expectedOf: Readonly<Record<string, readonly boolean[]>> = {
  open: [true, true, true, true],
  public: [true, true, true, true],
  user: [false, true, true, true],
  role: [false, false, true, true],
  admin: [false, false, false, true],
  denied: [false, false, false, false],
  mount: [false, false, false, false],
}

describe.each(routerVersions)('coverage on %s', (_version, express) => {
  it.each(shapes)(
    'of $name says what nobody, a user, one with roles and an administrator get',
    async ({ build, expected }) => {
      const app = express()
      build(app, express)
      const { routes } = await coverApp(app)
      expect(routes.map(lineOf)).toEqual(expected)
      for (const route of routes) {
        const isAnswering = route.handler === 'answer'
        if (route.access === 'opaque' || !isAnswering) continue
        const roles = route.roles[0]?.split(' + ') ?? []
        expect(await whoGetsTo(app, route, roles), lineOf(route)).toEqual(expectedOf[route.access])
      }
    },
  )
})

describe('coverage', () => {
  const build = async () => {
    const { default: express } = await import('express')
    const app = express()
    app.use('/management', security.managementApi(), routesIn(express.Router()))
    app.get('/ping', answer)
    return app
  }

  it('lists the rules and public paths of the file that no route meets', async () => {
    const { unusedRules } = await security.coverage(await build())
    const key = 'management_api.authorization_handler.resources'
    expect(unusedRules.map((rule) => rule.key)).toEqual([
      `${key}[1]`,
      `${key}[2]`,
      `${key}[4]`,
      'management_api.public_paths[0]',
      'management_api.public_paths[1]',
    ])
  })

  it('is printed as lines and as a table', async () => {
    const coverage = await security.coverage(await build())
    expect(printCoverage(coverage)).toContain('open   GET   /ping                 (answer)\n')
    expect(printCoverage(coverage)).toContain('role   POST  /management/apis      creator, keeper\n')
    expect(printCoverage(coverage)).toMatch(/4 routes: 1 user, 1 role, 1 admin, 1 open$/)
    expect(printMatrix(coverage).split('\n')).toContain('| POST | `/management/apis` |  |  |  | yes | yes | yes |')
    expect(matrixFrom(coverage).map(({ path }) => path)).toEqual([
      '/management/apis',
      '/management/apis',
      '/management/settings',
      '/ping',
    ])
  })

  it('counts nothing and tells nobody', async () => {
    security.decisions.length = 0
    security.log.length = 0
    await security.coverage(await build())
    expect([security.decisions, security.log]).toEqual([[], []])
  })
})
