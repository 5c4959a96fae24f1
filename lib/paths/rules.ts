/**
 * Path rules, compiled to a tree of path segments: judging a path costs the same with one rule and with thousands.
 *
 * @module
 */

import type { DefaultPolicy } from '../config/config.js'
import { ConfigError, type ConfigProblem, type Origin } from '../core/errors.js'
import type { Swallowed } from '../http/mounted-at.js'
import { foldCase, foldedSegments, hasOneReading, pathEnds, pathSyntaxProblems, readingsFrom } from './readings.js'

/** Protects a path and everything below it, by whole segments, case-insensitively. */
export interface PathRule {
  /** Path relative to the mount, for example `/users`. It has no parameters and no wildcards. */
  readonly path: string
  /** The methods that the rule binds; GET includes HEAD. @defaultValue every method */
  readonly methods?: readonly string[] | undefined
  /** Any one of these roles opens the path. Administrators may always pass. @defaultValue administrators only */
  readonly roles?: readonly string[] | undefined
  /** What the log names when the rule refuses. @defaultValue `{ key: 'rules[0]' }`, by its place in the list */
  readonly origin?: Origin | undefined
}

/** Options of {@link compilePathRules}. */
export interface PathRulesOptions {
  readonly rules: readonly PathRule[]
  readonly defaultPolicy: DefaultPolicy
  /** What the log names when the default policy refuses. @defaultValue `{ key: 'defaultPolicy' }` */
  readonly defaultOrigin?: Origin | undefined
  /** Paths that need no authentication for GET and HEAD, exactly as spelled. */
  readonly publicPaths?: readonly string[] | undefined
}

/** What a request needs. `deny` refuses every caller, administrators too; the other levels let administrators pass. */
export interface Requirement {
  readonly level: 'authenticated' | 'roles' | 'admin' | 'deny'
  /** At level `roles`: one role out of each of these sets. */
  readonly roles: readonly { readonly anyOf: ReadonlySet<string>; readonly origin: Origin }[]
  /** The rule that it comes from. */
  readonly origin: Origin
}

/** Compiled rules. `path` is what Express calls `request.path`: neither decoded nor normalised. */
export interface PathRules {
  /**
   * Whether a request needs no authentication. `'ambiguous'`: only some readings of the path are public, or it has none; then
   * the request is refused with 400.
   */
  isPublic(method: string, path: string): boolean | 'ambiguous'
  /**
   * The same, and what the rules require where authentication is needed: each rule that matches any reading of the path has to
   * be met. Of a path that a mount has `swallowed` a part of, each rule that matches any end of the whole path as well.
   */
  decide(method: string, path: string, swallowed?: Swallowed): Requirement | 'public' | 'ambiguous'
}

interface CompiledRule {
  readonly requirement: Requirement
  /** In the spelling of a request; `undefined`: every method. */
  readonly methods: ReadonlySet<string> | undefined
}

interface Node {
  readonly children: Map<string, Node>
  readonly rules: CompiledRule[]
  /** Requirements of the methods that some rule on the way to this node names. */
  byMethod: ReadonlyMap<string, Requirement>
  /** Requirement of all other methods. */
  otherwise: Requirement
}

const strictness = ['authenticated', 'roles', 'admin', 'deny'] as const

/**
 * Compiles path rules. The default policy holds for every reading that no rule matches; over all readings, the strictest
 * requirement wins.
 *
 * @throws `ConfigError` that lists every malformed rule.
 */
export function compilePathRules(options: PathRulesOptions): PathRules {
  checkPathRules(options)
  const { rules, defaultPolicy, defaultOrigin = { key: 'defaultPolicy' }, publicPaths } = options
  const fallback: Requirement = { level: defaultPolicy, roles: [], origin: defaultOrigin }
  const root = createTree(rules, fallback)
  settle(root, [], fallback)
  const exactlyPublic = new Set(publicPaths)
  const isNamedPublic = (method: string, path: string): boolean =>
    (method === 'GET' || method === 'HEAD') && exactlyPublic.has(path)

  /** The readings of a path that has several; `undefined` when there are none, or only some are public. */
  function unambiguous(method: string, path: string): readonly string[] | undefined {
    const readings = readingsFrom(path)
    return readings?.some((reading) => isNamedPublic(method, reading)) ? undefined : readings
  }

  return {
    isPublic(method, path) {
      if (hasOneReading(path)) return isNamedPublic(method, path)
      return unambiguous(method, path) === undefined ? 'ambiguous' : false
    },

    decide(method, path, swallowed) {
      return swallowed === undefined ? decideOn(method, path) : decideOnEnds(method, path, swallowed)
    },
  }

  function decideOn(method: string, path: string): Requirement | 'public' | 'ambiguous' {
    if (hasOneReading(path)) return isNamedPublic(method, path) ? 'public' : requirementAt(nodeAt(root, path), method)
    const readings = unambiguous(method, path)
    if (readings === undefined) return 'ambiguous'
    return strictest(readings.map((reading) => requirementAt(nodeAt(root, reading), method)))
  }

  /** What a mount has swallowed can add rules, and nothing else: the default policy is for the path below the mount. */
  function decideOnEnds(
    method: string,
    path: string,
    { wholePath, isRoot }: Swallowed,
  ): Requirement | 'public' | 'ambiguous' {
    const own = decideOn(method, path)
    const ends = pathEnds(wholePath)
    if (own === 'ambiguous' || ends === undefined) return 'ambiguous'
    const nodes = new Set(ends.map((end) => nodeAt(root, end)))
    const added = [...nodes].map((node) => requirementAt(node, method)).filter((one) => one !== fallback)
    if (own !== 'public') return strictest([own, ...added])
    if (added.length > 0) return strictest(added)
    return isRoot() ? 'public' : fallback
  }
}

function createTree(rules: readonly PathRule[], fallback: Requirement): Node {
  const createNode = (): Node => ({ children: new Map(), rules: [], byMethod: new Map(), otherwise: fallback })
  const root = createNode()
  rules.forEach((rule, index) => {
    let node = root
    for (const segment of foldedSegments(rule.path)) {
      // The path of the mount itself, or a trailing slash.
      if (segment === '') continue
      const child = node.children.get(segment) ?? createNode()
      node.children.set(segment, child)
      node = child
    }
    node.rules.push(compileRule(rule, index))
  })
  return root
}

function compileRule(rule: PathRule, index: number): CompiledRule {
  const { methods, roles, origin = { key: `rules[${index}]` } } = rule
  const names = methods && new Set(methods.map((method) => method.toUpperCase()))
  // Express answers HEAD with the handler of GET.
  if (names?.has('GET')) names.add('HEAD')
  if (roles === undefined) return { requirement: { level: 'admin', roles: [], origin }, methods: names }
  const anyOf = { anyOf: new Set(roles), origin }
  return { requirement: { level: 'roles', roles: [anyOf], origin }, methods: names }
}

/** Gives each node the requirements of its own rules and of all rules above it, so that a request adds nothing up. */
function settle(node: Node, inherited: readonly CompiledRule[], fallback: Requirement): void {
  const rules = [...inherited, ...node.rules]
  const requirementFor = (method?: string): Requirement => {
    const binding = rules.filter(
      ({ methods }) => methods === undefined || (method !== undefined && methods.has(method)),
    )
    return binding.length === 0 ? fallback : strictest(binding.map(({ requirement }) => requirement))
  }
  node.otherwise = requirementFor()
  const named = rules.flatMap(({ methods = [] }) => [...methods])
  node.byMethod = new Map(named.map((method) => [method, requirementFor(method)]))
  for (const child of node.children.values()) settle(child, rules, fallback)
}

/** The requirement that is met by those only who meet all of these. */
function strictest(requirements: readonly Requirement[]): Requirement {
  const level = strictness[Math.max(...requirements.map((one) => strictness.indexOf(one.level)))]!
  const { origin } = requirements.find((one) => one.level === level)!
  return { level, roles: level === 'roles' ? requirements.flatMap(({ roles }) => roles) : [], origin }
}

/** The deepest node on the way of a path. Its rules, and those above it, are the rules that match. */
function nodeAt(root: Node, path: string): Node {
  let node = root
  let start = path.startsWith('/') ? 1 : 0
  while (node.children.size > 0 && start <= path.length) {
    const slashAt = path.indexOf('/', start)
    const end = slashAt === -1 ? path.length : slashAt
    const child = node.children.get(foldCase(path.slice(start, end)))
    if (child === undefined) return node
    node = child
    start = end + 1
  }
  return node
}

function requirementAt(node: Node, method: string): Requirement {
  return node.byMethod.get(method) ?? node.otherwise
}

/** Lists mistakes by these keys: `rules[0].path`, `rules[0].methods`, `rules[0].roles`, `publicPaths[0]`, `defaultPolicy`. */
export function checkPathRules({ rules, defaultPolicy, publicPaths = [] }: PathRulesOptions): void {
  const problems = [
    ...asList(rules, 'rules').flatMap((rule, index) => ruleProblems(rule, `rules[${index}]`)),
    ...asList(publicPaths, 'publicPaths').flatMap((path, index) => pathProblems(path, `publicPaths[${index}]`)),
    ...policyProblems(defaultPolicy),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
}

function asList<T>(value: readonly T[], key: string): readonly T[] {
  // A copy without holes, which the array methods would skip.
  if (Array.isArray(value)) return Array.from(value)
  throw new ConfigError([{ key, rule: 'must be a list' }])
}

function ruleProblems(rule: PathRule, key: string): ConfigProblem[] {
  if (typeof rule !== 'object' || rule === null) return [{ key, rule: 'must be an object with a path' }]
  return [
    ...pathProblems(rule.path, `${key}.path`),
    ...namesProblems(rule.methods, `${key}.methods`, 'bind every method'),
    ...namesProblems(rule.roles, `${key}.roles`, 'let only administrators pass'),
  ]
}

function pathProblems(path: unknown, key: string): ConfigProblem[] {
  if (typeof path !== 'string') return [{ key, rule: `must be a path such as /users, got ${typeof path}` }]
  return pathSyntaxProblems(path).map((rule) => ({ key, rule: `${rule}, got ${JSON.stringify(path)}` }))
}

function namesProblems(names: unknown, key: string, effectOfAbsence: string): ConfigProblem[] {
  if (names === undefined) return []
  const isList =
    Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')
  return isList ? [] : [{ key, rule: `must be a list of one or more names; leave it out to ${effectOfAbsence}` }]
}

function policyProblems(policy: unknown): ConfigProblem[] {
  const isKnown = policy === 'authenticated' || policy === 'admin' || policy === 'deny'
  return isKnown ? [] : [{ key: 'defaultPolicy', rule: 'must be "authenticated", "admin" or "deny"' }]
}
