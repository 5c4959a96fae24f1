import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../lib/config/parse.js'
import type { ExplainRequest } from '../../lib/explain/request.js'
import {
  createObservedApp,
  type ObservedApp,
  type ObservedServer,
  openObservedServer,
  requestBytes,
} from './observed-server.js'

const paths = ['/users', '/users/keys', '/apis', '/apis/keys', '/roles', '/configs', '/tokens'] as const
const roles = ['creator', 'keeper', 'viewer'] as const
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const
const networks = ['127.0.0.1', '10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32'] as const
const addresses = ['127.0.0.1', '10.1.2.3', '192.0.2.7', '198.51.100.1', '2001:db8::1', '::ffff:10.0.0.1'] as const
const origins = ['https://a.example', 'https://b.example'] as const

const some = <T>(values: readonly T[], minLength = 0) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength, maxLength: 3 })
const option = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const access = fc.record({ enable: fc.boolean(), allow: some(networks, 1) })

const resource = fc.record({
  path: fc.constantFrom(...paths, '/'),
  methods: option(some(methods.slice(0, 6), 1)),
  roles: option(some(roles, 1)),
})

/** A random file, as an object without keys that are not written. */
const files = fc
  .record({
    handler: fc.record({
      enable: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      default_policy: fc.constantFrom('authenticated', 'admin', 'deny'),
      apply_to_file_users: fc.boolean(),
      resources: option(fc.uniqueArray(resource, { minLength: 1, maxLength: 4, selector: ({ path }) => path })),
    }),
    publicPaths: some(['/health', '/docs/index', '/tokens/public']),
    authentication: fc.constantFrom('jwt', 'jwt', 'jwt', 'basic', 'none'),
    cors: fc.record({ enable: fc.boolean(), allowed_origins: fc.constantFrom(['*'], ['https://a.example']) }),
    control: access,
    isReadOnly: fc.boolean(),
    webApp: access,
    filter: option(
      fc.record({
        url_pattern: fc.constantFrom('/carbon/*', '/carbon/shop', '*.jsp', '/'),
        deny_ip_regex: fc.constantFrom('10\\..*', '192\\.0\\.2\\.7'),
      }),
    ),
    portalRoles: option(some(roles, 1)),
    portalAllow: option(some(networks, 1)),
  })
  .map((plan) => ({
    management_api: {
      authorization_handler: plan.handler,
      public_paths: plan.publicPaths,
      cors: plan.cors,
      control_access: plan.control,
      jwt_token_security_handler: { enable: plan.authentication === 'jwt' },
      basic_security_handler: { enable: plan.authentication === 'basic' },
    },
    user_access: { make_non_admin_users_read_only: plan.isReadOnly },
    web_app: { control_access: plan.webApp },
    servlet_access_control_filter: plan.filter === undefined ? [] : [{ filter_name: 'one', ...plan.filter }],
    portal: { shop: { roles: plan.portalRoles, allow: plan.portalAllow } },
  }))
  .map((file) => JSON.parse(JSON.stringify(file)) as object)
  .filter(isValid)

/** A path that a rule covers cannot be public. */
function isValid(file: object): boolean {
  try {
    return parseConfig(file) !== undefined
  } catch {
    return false
  }
}

const spellings: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => path,
  (path) => path,
  (path) => path.toUpperCase(),
  (path) => `${path}/`,
  (path) => `${path}/42`,
  (path) => path.replace('s', '%73'),
  (path) => path.replace('/', '//'),
  (path) => `/x/..${path}`,
  (path) => `${path};v=1`,
  (path) => `${path}?x=/users`,
  (path) => `${path}%ff`,
]

const requests = fc.record({
  mount: fc.constantFrom('/management', '/management', '/management', '/carbon/shop', '/carbon/console', '/web', ''),
  path: fc.constantFrom(
    ...paths,
    '/login',
    '/logout',
    '/jwks',
    '/session',
    '/health',
    '/docs/index',
    '/index.jsp',
    '/',
  ),
  spelling: fc.constantFrom(...spellings),
  method: fc.constantFrom('GET', 'GET', 'GET', ...methods),
  caller: fc.constantFrom('nobody', 'user', 'user', 'admin', 'other'),
  roles: some(roles),
  address: fc.constantFrom(...addresses),
  origin: option(fc.constantFrom(...origins)),
  accept: option(fc.constantFrom('text/html', 'application/problem+json', 'application/json')),
  isSameSite: fc.boolean(),
  forwarded: option(fc.constantFrom(...addresses)),
})

type RequestPlan = typeof requests extends fc.Arbitrary<infer Plan> ? Plan : never

const runs = 50
const requestsEach = 40

let server: ObservedServer
beforeAll(async () => {
  server = await openObservedServer()
})
afterAll(() => server[Symbol.asyncDispose]())

function mountAll({ app, security }: Pick<ObservedApp, 'app' | 'security'>, trustsProxy: boolean): void {
  if (trustsProxy) app.set('trust proxy', ['127.0.0.1', '10.1.2.3'])
  app.use('/management', security.managementApi())
  app.use('/carbon/shop', security.portal('shop'))
  app.use('/carbon/console', security.portal('management_console'))
  app.use(security.webApps())
}

/** What differs between the answer of the server and the explanation. */
async function check(
  observed: ObservedApp,
  plan: RequestPlan,
  credentials: Readonly<Record<string, string>>,
): Promise<void> {
  const { security } = observed
  const target = plan.mount + plan.spelling(plan.path)
  const isLogin = plan.mount === '/management' && /^\/login\/?(?:\?|$)/i.test(target.slice(plan.mount.length))
  const rights = { roles: plan.roles, isAdmin: plan.caller === 'admin' }
  const plain: (readonly [string, string])[] = [
    ['X-Peer', plan.address],
    ...(plan.origin === undefined ? [] : [['Origin', plan.origin] as const]),
    ...(plan.accept === undefined ? [] : [['Accept', plan.accept] as const]),
    ...(plan.isSameSite ? [['Sec-Fetch-Site', 'same-origin'] as const] : []),
    ...(plan.forwarded === undefined ? [] : [['X-Forwarded-For', plan.forwarded] as const]),
    ...(plan.caller === 'other' ? [['Authorization', 'Bearer made-up'] as const] : []),
  ]
  const isSignedIn = plan.caller === 'user' || plan.caller === 'admin'
  const own: (readonly [string, string])[] = []
  if (isSignedIn) {
    security.users.set('alice', rights)
    const { Authorization = '', Cookie = '' } = credentials
    const basic = `Basic ${Buffer.from(`alice:${security.users.passwordOf('alice')}`).toString('base64')}`
    own.push(['Authorization', isLogin ? basic : Authorization], ['Cookie', Cookie])
  }
  const [got] = await server.send(observed, requestBytes(plan.method, target, [...plain, ...own]))
  expect(got).toBeDefined()
  const { facts, ...answer } = got!
  const headers = (facts.headers as readonly (readonly [string, string])[]).filter(
    ([name]) => !isSignedIn || !['Authorization', 'Cookie'].includes(name),
  )
  const request: ExplainRequest = { ...facts, headers, ...(isSignedIn && { user: 'alice', ...rights }) }
  const { outcome, status, code } = await observed.explain(request)
  expect({ outcome, status, code }, JSON.stringify({ request })).toEqual(answer)
}

describe('an explanation', () => {
  it('says the outcome, the status and the code that the server has, for random requests over random files', {
    timeout: 300_000,
  }, async () => {
    let count = 0
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.boolean(),
        fc.array(requests, { minLength: requestsEach, maxLength: requestsEach }),
        async (file, trustsProxy, plans) => {
          const observed = await createObservedApp(file, (app, security) => mountAll({ app, security }, trustsProxy))
          try {
            let credentials = await observed.security.signedIn('alice')
            for (const plan of plans) {
              await check(observed, plan, credentials)
              count++
              // It may have been a logout.
              if (/logout/i.test(plan.path)) credentials = await observed.security.signedIn('alice')
            }
          } finally {
            await observed.close()
          }
        },
      ),
      { numRuns: runs, endOnFailure: true },
    )
    expect(count).toBe(2000)
  })
})
