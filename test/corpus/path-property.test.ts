import type { ErrorRequestHandler, Express, RequestHandler, RouterOptions } from 'express'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pathAuthorization } from '../../lib/middleware/path-authorization.js'
import { expressVersions } from '../helpers/express-versions.js'
import { type ListeningServer, listen, type RawResponse, sendRaw } from '../helpers/raw-socket.js'
import { type Caller, standInAuthentication } from '../helpers/stand-in-authentication.js'

type ExpressModule = (typeof expressVersions)[number][1]

/** An app whose guard stands in one mount with its routes. */
interface AppPlan {
  readonly mount: string
  /** Paths for administrators only. */
  readonly rules: readonly string[]
  readonly routes: readonly string[]
  /** What holds the routes: a router, a router in a router for each first segment, or a sub-app. */
  readonly holder: 'router' | 'routers' | 'sub-app'
  readonly isStrict: boolean
  readonly isCaseSensitive: boolean
}

const paths = ['/users', '/users/keys', '/apis', '/apis/keys', '/apis/keys/old', '/tokens'] as const

const appPlans: fc.Arbitrary<AppPlan> = fc.record({
  mount: fc.constantFrom('/', '/management', '/a/b'),
  rules: fc.uniqueArray(fc.constantFrom(...paths), { minLength: 1, maxLength: 3 }),
  routes: fc.uniqueArray(
    fc.constantFrom(
      ...paths,
      '/users/:id',
      '/apis/:id',
      '/apis/:id/:key',
      '/:collection',
      '/:collection/:id',
      '/Tokens/:id',
    ),
    { minLength: 1, maxLength: 6 },
  ),
  holder: fc.constantFrom('router', 'routers', 'sub-app'),
  isStrict: fc.boolean(),
  isCaseSensitive: fc.boolean(),
})

/** Changes at one place of a path; `at` is a number that a place is made of. */
const mutations: readonly ((path: string, at: number) => string)[] = [
  (path) => path,
  (path, at) => replaceAt(path, at, (character) => character.toUpperCase()),
  (path, at) => replaceAt(path, at, (character) => `%${hexOf(character)}`),
  (path, at) => replaceAt(path, at, (character) => `%${hexOf(character).toUpperCase()}`),
  (path, at) => replaceAt(path, at, (character) => `%25${hexOf(character)}`),
  (path, at) => replaceSlash(path, at, '//'),
  (path, at) => replaceSlash(path, at, '/./'),
  (path, at) => replaceSlash(path, at, '/x/../'),
  (path, at) => replaceSlash(path, at, '/%2e%2E/'),
  (path, at) => replaceSlash(path, at, '/..;/'),
  (path, at) => replaceSlash(path, at, ';v=1/'),
  (path, at) => replaceSlash(path, at, '\\'),
  (path, at) => replaceSlash(path, at, '%2f'),
  (path, at) => replaceSlash(path, at, '%5c'),
  (path, at) => replaceSlash(path, at, '/apis/'),
  (path) => path.replace('s', '%C5%BF'),
  (path) => path.replace('k', '%E2%84%AA'),
  (path) => `${path}/`,
  (path) => `${path}/42`,
  (path) => `${path};x`,
  (path) => `${path}/..`,
  (path) => `${path}/%2e`,
  (path) => `${path}#x`,
  (path) => `${path}?x=/users`,
  (path) => `${path}%00`,
  (path) => `${path}%23x`,
  (path, at) => replaceSlash(path, at, '%3f/'),
  (path) => `${path}%ff`,
  (path) => `${path}x`,
  (path) => `http://localhost${path}`,
]

interface TargetPlan {
  readonly path: string
  /** Which mutations, and where. */
  readonly changes: readonly (readonly [mutation: number, at: number])[]
}

const targetPlans: fc.Arbitrary<TargetPlan> = fc.record({
  path: fc.constantFrom(...paths, '/', '/other/keys'),
  changes: fc.array(fc.tuple(fc.nat(mutations.length - 1), fc.nat(40)), { maxLength: 4 }),
})

function targetOf(mount: string, { path, changes }: TargetPlan): string {
  const start = mount === '/' ? path : mount + path
  return changes.reduce((changed, [mutation, at]) => mutations[mutation]!(changed, at), start)
}

function replaceAt(path: string, at: number, replace: (character: string) => string): string {
  const index = at % path.length
  const character = path.charAt(index)
  return /[a-z]/.test(character) ? path.slice(0, index) + replace(character) + path.slice(index + 1) : path
}

function replaceSlash(path: string, at: number, replacement: string): string {
  const slashes = [...path.matchAll(/\//g)].map(({ index }) => index)
  const index = slashes[at % slashes.length] ?? 0
  return path.slice(0, index) + replacement + path.slice(index + 1)
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0')
}

/** Resources that a protected handler served, by the run they were served in. */
type Served = Map<string, string>

function appOf(express: ExpressModule, plan: AppPlan, isGuarded: boolean, served: Served): Express {
  const options: RouterOptions = { strict: plan.isStrict, caseSensitive: plan.isCaseSensitive, mergeParams: true }
  const serve =
    (pattern: string): RequestHandler =>
    (request, response) => {
      const resource = pattern.replace(/:(\w+)/g, (_whole, name: string) => String(request.params[name]))
      served.set(request.get('x-run') ?? '', resource)
      response.json({ pattern, resource })
    }
  const app = express()
  const noGuard: RequestHandler = (_request, _response, next) => next()
  const guard = pathAuthorization({ rules: plan.rules.map((path) => ({ path })) })
  const tellPath: RequestHandler = (request, response, next) => {
    response.set('X-Path', encodeURIComponent(request.path))
    next()
  }
  app.use(
    plan.mount,
    tellPath,
    standInAuthentication,
    isGuarded ? guard : noGuard,
    routesOf(express, plan, options, serve),
  )
  app.use(((error, _request, response, _next) => {
    response.status(error.status ?? 500).json({ code: error.code })
  }) as ErrorRequestHandler)
  return app
}

function routesOf(
  express: ExpressModule,
  { routes, holder, isStrict, isCaseSensitive }: AppPlan,
  options: RouterOptions,
  serve: (pattern: string) => RequestHandler,
): RequestHandler {
  if (holder === 'sub-app') {
    const app = express()
    app.set('strict routing', isStrict).set('case sensitive routing', isCaseSensitive)
    for (const pattern of routes) app.all(pattern, serve(pattern))
    return app
  }
  const router = express.Router(options)
  for (const pattern of routes) {
    const [, first = '', rest = '/'] = /^(\/[^/]+)(\/.+)?$/.exec(pattern) ?? []
    if (holder === 'router') router.all(pattern, serve(pattern))
    else router.use(first, express.Router(options).all(rest, serve(pattern)))
  }
  return router
}

/** Whether a path is at or below one of the rules in any of the readings; a slow and simple second opinion. */
function isProtected(path: string, rules: readonly string[]): boolean {
  return isReadAsProtected(path, rules) || isReadAsProtected(decodeURIComponent(path), rules)
}

/** The same for a path that has been decoded as often as it will be. */
function isReadAsProtected(path: string, rules: readonly string[]): boolean {
  return Array.from({ length: 32 }, (_, choice) => readingOf(path, choice)).some((reading) => isBelow(reading, rules))
}

function readingOf(path: string, choice: number): string {
  const whole = choice & 16 ? path.split(/[?#]/, 1)[0]! : path
  let segments = (whole.startsWith('/') ? whole : `/${whole}`).split(choice & 1 ? /[\\/]/ : '/')
  if (choice & 2) segments = segments.map((segment) => segment.split(';')[0]!)
  if (choice & 4)
    segments = segments.filter((segment, index) => segment !== '' || index === 0 || index === segments.length - 1)
  if (choice & 8) {
    const kept: string[] = []
    for (const segment of segments.slice(1)) {
      if (segment === '..') kept.pop()
      else if (segment !== '.') kept.push(segment)
    }
    segments = ['', ...kept]
  }
  return segments.join('/')
}

function isBelow(path: string, rules: readonly string[]): boolean {
  const folded = `${path.toUpperCase().toLowerCase()}/`
  return rules.some((rule) => folded.startsWith(`${rule}/`))
}

function isDecodable(path: string): boolean {
  try {
    return decodeURIComponent(path) !== undefined
  } catch {
    return false
  }
}

// Covers: E01 E02
describe.each(expressVersions)('a guard in one mount with its routes, on %s', (_name, express) => {
  const served: Served = new Map()
  let apps: Readonly<Record<string, Express>> = {}
  let server: ListeningServer
  let lastRun = 0

  beforeAll(async () => {
    server = await listen((request, response) => apps[String(request.headers['x-app'])]!(request, response))
  })
  afterAll(() => server[Symbol.asyncDispose]())

  async function answerOf(app: 'guarded' | 'bare', target: string, caller: Caller) {
    const run = String(++lastRun)
    const lines = [
      `GET ${target} HTTP/1.1`,
      'Host: x',
      'Connection: close',
      `X-App: ${app}`,
      `X-Caller: ${caller}`,
      `X-Run: ${run}`,
    ]
    const [response] = await sendRaw(server.port, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`))
    return { response, text: textOf(response), resource: served.get(run) }
  }

  function textOf(response: RawResponse | undefined): string {
    return `${response?.status} ${response?.body}`
  }

  it('serves protected resources to administrators only, and changes nothing else', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(appPlans, fc.array(targetPlans, { minLength: 4, maxLength: 4 }), async (plan, planned) => {
        served.clear()
        apps = { guarded: appOf(express, plan, true, served), bare: appOf(express, plan, false, served) }
        await Promise.all(planned.map((target) => check(plan, targetOf(plan.mount, target))))
      }),
      { numRuns: 100 },
    )
  })

  async function check({ rules }: AppPlan, target: string): Promise<void> {
    const [bare, admin, user, none] = await Promise.all([
      answerOf('bare', target, 'none'),
      answerOf('guarded', target, 'admin'),
      answerOf('guarded', target, 'user'),
      answerOf('guarded', target, 'none'),
    ])
    for (const { resource } of [user, none]) {
      if (resource !== undefined) expect(isReadAsProtected(resource, rules), `${target} serves ${resource}`).toBe(false)
    }
    const guardedPath = bare.response?.headers['x-path']
    if (guardedPath === undefined) {
      // The mount was not reached.
      expect([admin.text, user.text, none.text]).toEqual([bare.text, bare.text, bare.text])
      return
    }
    const path = decodeURIComponent(guardedPath)
    if (!isDecodable(path)) {
      const refusal = '400 {"code":"ERR_PATH_AMBIGUOUS"}'
      expect([admin.text, user.text, none.text]).toEqual([refusal, refusal, refusal])
      return
    }
    expect(admin.text, target).toBe(bare.text)
    expect(user.text, target).toBe(isProtected(path, rules) ? '403 {"code":"ERR_ADMIN_REQUIRED"}' : bare.text)
    expect(none.text).toBe('401 {"code":"ERR_AUTH_REQUIRED"}')
  }
})
