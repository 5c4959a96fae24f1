/**
 * Paths and methods that stand for all others: of any two in one class, each of two configurations says the same.
 *
 * @module
 */

import type { Config } from '../config/config.js'
import { compilePathRules, type PathRules, type Requirement } from '../paths/rules.js'
import type { Pace } from './pace.js'

/** The rights of a caller. */
export interface Rights {
  readonly roles: readonly string[]
  readonly isAdmin: boolean
}

/** Requests that differ by nothing that matters. */
export interface PathClass {
  /** The same for all of the class. */
  readonly key: string
  readonly method: string
  /** The path of one of them. */
  readonly example: string
  readonly methods: readonly string[]
  /** For people to read. */
  readonly texts: readonly string[]
  /** The same for paths that no rule about addresses tells apart. */
  readonly addressKey: string
  /** The callers that its rules tell apart. */
  readonly callers: readonly Rights[]
}

/** No file has it. */
const fresh = 'sallyport-any'

/** What a management API may answer itself, and what it treats as such. */
const endPoints = ['/login', '/logout', '/jwks', '/users', '/roles', '/sessions', '/locks']

/** The classes of a management API. */
export async function managementPaths(before: Config, after: Config, pace: Pace): Promise<readonly PathClass[]> {
  const rules = [before, after].map(rulesOf)
  const methods = methodsOf([before, after])
  const tellsWritesApart = before.makeNonAdminUsersReadOnly || after.makeNonAdminUsersReadOnly
  const classOf = (method: string): string => (tellsWritesApart && isReading(method) ? 'reads' : '')
  const classes = new Map<string, { path: PathClass; methods: Set<string>; texts: Set<string> }>()
  for (const { example, text, isEndPoint } of placesOf([before, after])) {
    await pace()
    for (const method of methods) {
      const needs = rules.map((one) => one?.decide(method, example) ?? 'off')
      const special = isEndPoint ? `${example} ${method}` : ''
      // Every mount refuses TRACE before it looks at the path.
      const key = method === 'TRACE' ? 'TRACE' : `${special} ${classOf(method)} ${signature(needs)}`
      const known = classes.get(key)
      known?.methods.add(method)
      known?.texts.add(text)
      if (known !== undefined) continue
      const path = { key, method, example, methods: [], texts: [], addressKey: '', callers: callersFor(needs) }
      classes.set(key, { path, methods: new Set([method]), texts: new Set([text]) })
    }
  }
  return [...classes.values()].map(({ path, methods: own, texts }) => ({
    ...path,
    methods: [...own],
    texts: [...texts],
  }))
}

/** As the gates of the management API compile them; `undefined`: they are switched off. */
function rulesOf({ managementApi }: Config): PathRules | undefined {
  const { isEnabled, resources, defaultPolicy } = managementApi.authorization
  if (!isEnabled) return undefined
  return compilePathRules({ rules: resources, defaultPolicy, publicPaths: managementApi.publicPaths })
}

type Need = Requirement | 'public' | 'ambiguous' | 'off'

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/** Where both sides say the same, the names of roles make no difference. */
function signature([before, after]: readonly Need[]): string {
  const [a, b] = [spell(before!), spell(after!)]
  if (a !== b) return `${a} -> ${b}`
  return typeof before === 'object' ? `same ${before.level} ${before.roles.length}` : `same ${a}`
}

function spell(need: Need): string {
  if (typeof need === 'string') return need
  return `${need.level} ${need.roles
    .map(({ anyOf }) => JSON.stringify([...anyOf].sort()))
    .sort()
    .join(' and ')}`
}

function callersFor(needs: readonly Need[]): readonly Rights[] {
  const lists = needs.flatMap((need) => (typeof need === 'string' ? [] : need.roles.map(({ anyOf }) => [...anyOf])))
  return rightsFor([...new Set(lists.flat())], lists)
}

function methodsOf(configs: readonly Config[]): readonly string[] {
  const named = configs.flatMap(({ managementApi }) =>
    managementApi.authorization.resources.flatMap(({ methods = [] }) => methods),
  )
  // PROPFIND stands for all that no rule names.
  return [...new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', ...named])]
}

interface Place {
  readonly example: string
  readonly text: string
  readonly isEndPoint: boolean
}

/** Each path that is named somewhere, what is below it and named nowhere, and other spellings of public paths. */
function placesOf(configs: readonly Config[]): readonly Place[] {
  const publicPaths = new Set(configs.flatMap(({ managementApi }) => managementApi.publicPaths))
  const ruled = configs.flatMap(({ managementApi }) => managementApi.authorization.resources.map(({ path }) => path))
  const named = new Map(['/', ...endPoints, ...ruled, ...publicPaths].map((path) => [path.toLowerCase(), path]))
  const places = new Map<string, Place>()
  const add = (example: string, text: string): void => {
    const isEndPoint = endPoints.some((path) => `${example.toLowerCase()}/`.startsWith(`${path}/`))
    places.set(example, { example, text, isEndPoint })
  }
  for (const path of named.values()) {
    const start = path === '/' ? '' : path.replace(/\/$/, '')
    add(path, path)
    add(`${start}/${fresh}`, `${start}/* and below`)
  }
  for (const path of publicPaths) {
    add(path, `${path} in this spelling`)
    if (path !== '/') add(`${path}/`, `${path}/`)
    add(`/.${path}`, `other spellings of ${path}`)
  }
  return [...places.values()]
}

/**
 * The callers that rules can tell apart. Whoever has more roles may do more: a rule that refuses a set of roles refuses one of these,
 * all roles but those of one of its lists, which is as large as can be.
 */
export function rightsFor(roles: readonly string[], lists: readonly (readonly string[])[]): readonly Rights[] {
  // For people to read, as far as they are few.
  const single = roles.length <= 4 ? roles.map((role) => [role]) : []
  const sets = [[], ...single, ...lists.map((list) => roles.filter((role) => !list.includes(role))), roles]
  const distinct = new Map(sets.map((set) => [[...set].sort().join('\n'), set]))
  return [...[...distinct.values()].map((set) => ({ roles: set, isAdmin: false })), { roles: [], isAdmin: true }]
}

/** The classes of paths from the root of the server that URL patterns tell apart. A login page is not among them. */
export function outerPaths(patterns: readonly string[]): readonly Omit<PathClass, 'callers'>[] {
  const extensions = [
    ...new Set(patterns.filter((pattern) => pattern.startsWith('*')).map((pattern) => pattern.slice(1))),
  ]
  const bases = new Set([
    '',
    ...patterns.filter((pattern) => pattern.startsWith('/')).map((pattern) => pattern.replace(/\/\*?$/, '')),
  ])
  const examples = new Map<string, string>()
  for (const base of bases) {
    if (base !== '') examples.set(base, base)
    examples.set(`${base}/${fresh}`, `${base}/* and below`)
    for (const extension of extensions) examples.set(`${base}/${fresh}${extension}`, `${base}/*${extension}`)
  }
  return [...examples].map(([example, text]) => ({
    key: example,
    method: 'GET',
    example,
    methods: ['every method'],
    texts: [text],
    addressKey: example,
  }))
}
