import express from 'express'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wireSecurity } from '../../lib/app/create-security.js'
import type { Config } from '../../lib/config/config.js'
import { parseConfig } from '../../lib/config/parse.js'
import { type AccessChange, diffConfigs } from '../../lib/explain/diff.js'
import type { Rights } from '../../lib/explain/path-classes.js'
import { type CredentialKind, Sandbox } from '../../lib/explain/sandbox.js'

const paths = ['/a', '/a/b', '/users', '/c'] as const
const roles = ['x', 'y', 'z'] as const

const some = <T>(values: readonly T[], minLength = 0) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength, maxLength: values.length })
const option = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const plans = fc.record({
  isEnabled: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  policy: fc.constantFrom('authenticated', 'authenticated', 'admin', 'deny'),
  rules: fc.uniqueArray(
    fc.record({
      path: fc.constantFrom(...paths),
      methods: option(some(['GET', 'POST', 'DELETE'], 1)),
      roles: option(some(roles, 1)),
    }),
    { minLength: 1, maxLength: 3, selector: ({ path, methods }) => `${path} ${methods?.toSorted()}` },
  ),
  isPublic: fc.boolean(),
  authentication: fc.constantFrom('jwt', 'jwt', 'basic', 'none'),
  networks: option(some(['10.0.0.0/8', '10.1.0.0/16', '192.0.2.7'], 1)),
  isReadOnly: fc.boolean(),
})

type Plan = typeof plans extends fc.Arbitrary<infer One> ? One : never

function sourceOf({ isEnabled, policy, rules, isPublic, authentication, networks, isReadOnly }: Plan): object {
  const source = {
    management_api: {
      authorization_handler: { enable: isEnabled, default_policy: policy, resources: rules },
      public_paths: isPublic ? ['/p'] : [],
      jwt_token_security_handler: { enable: authentication === 'jwt' },
      basic_security_handler: { enable: authentication === 'basic' },
      control_access: { enable: networks !== undefined, allow: networks },
    },
    user_access: { make_non_admin_users_read_only: isReadOnly },
  }
  return JSON.parse(JSON.stringify(source)) as object
}

/** Every request of a small world. */
const world = {
  paths: ['/', '/a', '/A/b/q', '/a/q', '/users/q', '/c', '/q', '/p', '/p/', '/./p'],
  methods: ['GET', 'POST', 'PATCH', 'DELETE'],
  addresses: ['10.1.2.3', '10.2.0.0', '192.0.2.7'],
  callers: [
    undefined,
    ...[[], ['x'], ['y', 'z'], ['x', 'z'], ['x', 'y', 'z']].map((own) => ({
      roles: own,
      isAdmin: false,
    })),
    { roles: [], isAdmin: true },
  ] as readonly (Rights | undefined)[],
}

interface WorldRequest {
  readonly path: string
  readonly method: string
  readonly address: string
  readonly kind: CredentialKind | undefined
  readonly caller: Rights | undefined
}

/** Which requests of the world a configuration lets in. */
async function letIn(config: Config, kinds: readonly CredentialKind[]): Promise<Map<string, WorldRequest>> {
  const sandbox = await Sandbox.open(config, { wire: wireSecurity })
  const app = express()
  const handler = sandbox.security.managementApi()
  const found = new Map<string, WorldRequest>()
  for (const kind of [undefined, ...kinds]) {
    const headers = kind === undefined ? [] : await sandbox.credentialOf(kind, { name: 'u', roles: [], isAdmin: false })
    for (const caller of kind === undefined ? [undefined] : world.callers.slice(1)) {
      if (caller !== undefined) sandbox.become({ name: 'u', ...caller })
      for (const path of world.paths) {
        for (const method of world.methods) {
          for (const address of world.addresses) {
            const facts = { method, url: path, headers: [['Host', 'x'] as const, ...headers], address, isSecure: true }
            const { outcome } = await sandbox.ask(facts, app, handler)
            const request = { path, method, address, kind, caller }
            if (outcome !== 'refused') found.set(JSON.stringify(request), request)
          }
        }
      }
    }
  }
  await sandbox.close()
  return found
}

/** Whether a change speaks of a request: by the texts that people read. */
function covers(
  { mount, kind, methods, paths: texts, addresses, callers }: AccessChange,
  request: WorldRequest,
  all: readonly string[],
): boolean {
  return (
    mount === 'managementApi' &&
    kind === request.kind &&
    methods.includes(request.method) &&
    texts.includes(textOf(request.path, all)) &&
    addresses.some((text) => text === 'every address' || isWithin(request.address, text)) &&
    (request.kind === undefined || callers.some((rights) => isComparable(rights, request.caller!)))
  )
}

const publicPath = '/p'

/** The text of the class of a path: its own, or that of the longest path above it that is named. */
function textOf(path: string, named: readonly string[]): string {
  const plain = path.toLowerCase()
  if (named.includes(publicPath)) {
    if (path === publicPath) return '/p in this spelling'
    if (path === '/p/') return '/p/'
    if (path === '/./p') return 'other spellings of /p'
  }
  const resolved = plain.replace('/./', '/').replace(/(.)\/$/, '$1')
  if (named.includes(resolved)) return resolved
  const above = named
    .filter((one) => one !== '/' && resolved.startsWith(`${one}/`))
    .sort((a, b) => b.length - a.length)[0]
  return `${above ?? ''}/* and below`
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function isWithin(address: string, range: string): boolean {
  const [first = '', last = first] = range.split(' to ')
  if (address.includes(':') !== first.includes(':')) return false
  return address.includes(':') || (numberOf(address) >= numberOf(first) && numberOf(address) <= numberOf(last))
}

/** Rights grow with roles: of a set that is not listed, one that is has fewer, or more. */
function isComparable(rights: Rights, caller: Rights): boolean {
  const isWithin = (one: Rights, other: Rights) => one.roles.every((role) => other.roles.includes(role))
  return rights.isAdmin === caller.isAdmin && (isWithin(rights, caller) || isWithin(caller, rights))
}

describe('the difference of two configurations', () => {
  it('is that of brute force over every request of a small world', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(plans, plans, async (one, other) => {
        const sources = [one, other].map(sourceOf)
        let configs: readonly Config[]
        try {
          configs = sources.map((source) => parseConfig(source))
        } catch {
          return
        }
        const [before, after] = configs as [Config, Config]
        // What neither of them takes is as good as nothing.
        const kinds = (
          [
            ['jwt', 'token'],
            ['basic', 'basic'],
          ] as const
        ).flatMap(([name, kind]) => ([one, other].some(({ authentication }) => authentication === name) ? [kind] : []))
        const [wasIn, isIn] = [await letIn(before, kinds), await letIn(after, kinds)]
        const changes = await diffConfigs(before, after, wireSecurity)
        const named = [
          '/',
          '/login',
          '/logout',
          '/jwks',
          '/users',
          '/roles',
          '/sessions',
          '/locks',
          ...[one, other].flatMap((plan) => [...plan.rules.map(({ path }) => path), ...(plan.isPublic ? ['/p'] : [])]),
        ]
        for (const [effect, has, lacks] of [
          ['let in', isIn, wasIn],
          ['refused', wasIn, isIn],
        ] as const) {
          const own = changes.filter((change) => change.effect === effect)
          for (const [key, request] of has) {
            if (lacks.has(key)) continue
            expect(
              own.some((change) => covers(change, request, named)),
              `${effect} ${key} of ${JSON.stringify({ sources, own })}`,
            ).toBe(true)
          }
        }
      }),
      { numRuns: 25, endOnFailure: true },
    )
  })
})

const base = {
  management_api: {
    public_paths: ['/health'],
    control_access: {
      enable: true,
      allow: ['10.0.0.0/9', '192.0.2.0/25', '198.51.100.7', '2001:db8::/33', '127.0.0.1'],
    },
    authorization_handler: {
      default_policy: 'admin',
      resources: Array.from({ length: 10 }, (_, index) => ({
        path: `/area${index % 3}/part${index}`,
        ...(index % 2 === 0 && { roles: ['keeper', `role${index}`] }),
        ...(index % 4 === 3 && { methods: ['POST', 'DELETE'] }),
      })),
    },
  },
  web_app: { control_access: { enable: true, allow: ['10.0.0.0/9', '192\\.0\\.2\\.[1-4]'] } },
  servlet_access_control_filter: [{ filter_name: 'reports', url_pattern: '/reports/*', deny_ip_regex: '10\\.1\\..*' }],
  portal: { shop: { roles: ['clerk'], allow: ['10.1.0.0/16', '10.2.0.7'] }, desk: {} },
}

type Base = typeof base

type Change = (file: Base) => unknown

const handler = (file: Base): Record<string, unknown> => file.management_api.authorization_handler
const api = (file: Base): Record<string, unknown> => file.management_api
const shop = (file: Base): Record<string, unknown> => file.portal.shop

const set =
  (table: (file: Base) => Record<string, unknown>, fields: object): Change =>
  (file) => {
    Object.assign(table(file), fields)
  }

const both =
  (one: Change, other: Change): Change =>
  (file) => {
    one(file)
    other(file)
  }

/** Changes that let in what was refused, each with a name. */
const widenings: readonly (readonly [name: string, widen: Change])[] = [
  ...base.management_api.authorization_handler.resources.flatMap(({ path, roles: own, methods }, index) => {
    const rule = (file: Base): Record<string, unknown> => file.management_api.authorization_handler.resources[index]!
    const underOther =
      (fields: object): Change =>
      (file) => {
        set(handler, { default_policy: 'authenticated' })(file)
        set(rule, fields)(file)
      }
    return [
      [`another role for ${path}`, set(rule, { roles: [...(own ?? []), 'guest'] })],
      [`${path} renamed`, underOther({ path: `${path}x` })],
      [`${path} for another method only`, underOther({ methods: [methods === undefined ? 'PUT' : 'POST'] })],
    ] as const
  }),
  ['another default policy', set(handler, { default_policy: 'authenticated' })],
  ['no authorization', set(handler, { enable: false })],
  ['rules that do not bind users of the file', set(handler, { apply_to_file_users: false })],
  ['a public path', set(api, { public_paths: ['/health', '/status'] })],
  [
    'no authentication',
    both(
      set(api, { jwt_token_security_handler: { enable: false } }),
      set(handler, { default_policy: 'authenticated' }),
    ),
  ],
  ['Basic', set(api, { basic_security_handler: { enable: true } })],
  ['no list of addresses', set(api, { control_access: { enable: false } })],
  ...[
    '10.0.0.0/8',
    '192.0.2.0/24',
    '198.51.100.6/31',
    '2001:db8::/32',
    '127.0.0.0/31',
    '203.0.113.9',
    '2001:db8:ffff::1',
  ].map(
    (network, index) =>
      [
        `the network ${network}`,
        (file: Base) => file.management_api.control_access.allow.splice(index, 1, network),
      ] as const,
  ),
  ['a portal for everybody', set(shop, { roles: undefined })],
  ['another role of a portal', set(shop, { roles: ['clerk', 'guest'] })],
  ['a portal from everywhere', set(shop, { allow: undefined })],
  ['one more address of a portal', set(shop, { allow: ['10.1.0.0/16', '10.2.0.7', '10.2.0.8'] })],
  [
    'an expression of web apps',
    set(({ web_app }) => web_app.control_access, { allow: ['10.0.0.0/9', '192\\.0\\.2\\.[1-5]'] }),
  ],
  ['web apps from everywhere', set(({ web_app }) => web_app.control_access, { enable: false })],
  [
    'a filter for fewer addresses',
    set((file) => file.servlet_access_control_filter[0]!, { deny_ip_regex: '10\\.1\\.[0-9]\\..*' }),
  ],
  [
    'a filter for fewer paths',
    set((file) => file.servlet_access_control_filter[0]!, { url_pattern: '/reports/today' }),
  ],
]

it('is found for each of fifty planted widenings, and none in what is the same', { timeout: 300_000 }, async () => {
  expect(widenings.length).toBeGreaterThanOrEqual(50)
  const before = parseConfig(base)
  expect(await diffConfigs(before, parseConfig(base), wireSecurity)).toEqual([])
  for (const [name, widen] of widenings) {
    const file = structuredClone(base)
    widen(file)
    const after = parseConfig(JSON.parse(JSON.stringify(file)) as object)
    const changes = await diffConfigs(before, after, wireSecurity)
    expect(
      changes.some(({ effect }) => effect === 'let in'),
      name,
    ).toBe(true)
    // And back.
    if (name.length % 5 === 0) {
      const back = await diffConfigs(after, before, wireSecurity)
      expect(
        back.some(({ effect }) => effect === 'refused'),
        name,
      ).toBe(true)
    }
  }
})
