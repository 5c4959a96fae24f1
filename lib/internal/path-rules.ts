/**
 * Path rules, compiled to a tree of path segments: judging a path costs the same with one rule and with thousands.
 *
 * @module
 */

import type { DefaultPolicy } from '../config/config.js'
import type { Swallowed } from '../http/mount-path.js'
import { endsOf, foldCase, foldedSegments, hasOneReading, readingsOf } from './path-readings.js'
import { checkPathRules } from './path-rule-check.js'

/** Protects a path and everything below it, by whole segments, whatever the case of its letters. */
export interface PathRule {
  /** Path relative to the mount, for example `/users`. It has no parameters and no wildcards. */
  readonly path: string
  /** The methods that the rule binds; GET includes HEAD. @defaultValue every method */
  readonly methods?: readonly string[] | undefined
  /** Any one of these roles opens the path. Administrators may always pass. @defaultValue administrators only */
  readonly roles?: readonly string[] | undefined
}

/** Options of {@link compilePathRules}. */
export interface PathRulesOptions {
  readonly rules: readonly PathRule[]
  readonly defaultPolicy: DefaultPolicy
  /** Paths that need no authentication for GET and HEAD, exactly as spelled. */
  readonly publicPaths?: readonly string[] | undefined
}

/** What a request has to bring. `deny` refuses everybody, administrators too; the other levels let administrators pass. */
export interface Demand {
  readonly level: 'authenticated' | 'roles' | 'admin' | 'deny'
  /** At level `roles`: one role out of each of these sets. */
  readonly roles: readonly ReadonlySet<string>[]
}

/** Compiled rules. `path` is what Express calls `request.path`: neither decoded nor normalised. */
export interface PathRules {
  /**
   * Whether anybody may make this request without authentication. `'ambiguous'`: only some readings of the path are
   * public, or it has none; then the request is refused with 400.
   */
  isPublic(method: string, path: string): boolean | 'ambiguous'
  /**
   * The same, and what the rules demand where authentication is needed: each rule that matches any reading of the path has
   * to be met. Of a path that a mount has `swallowed` a part of, each rule that matches any end of the whole path as well.
   */
  decide(method: string, path: string, swallowed?: Swallowed): Demand | 'public' | 'ambiguous'
}

interface Node {
  readonly children: Map<string, Node>
  readonly rules: PathRule[]
  /** Demands of the methods that some rule on the way to this node names. */
  demands: ReadonlyMap<string, Demand>
  /** Demand of all other methods. */
  otherwise: Demand
}

const authenticated: Demand = { level: 'authenticated', roles: [] }
const admin: Demand = { level: 'admin', roles: [] }
const deny: Demand = { level: 'deny', roles: [] }
const policies: Readonly<Record<DefaultPolicy, Demand>> = { authenticated, admin, deny }

const strictness = ['authenticated', 'roles', 'admin', 'deny'] as const

/**
 * Compiles path rules. The default policy holds for every reading that no rule matches; over all readings, the
 * strictest demand wins.
 *
 * @throws {@link ConfigError} that lists every malformed rule.
 */
export function compilePathRules(options: PathRulesOptions): PathRules {
  checkPathRules(options)
  const root = treeOf(options.rules)
  const fallback = policies[options.defaultPolicy]
  settleDemands(root, [], fallback)
  const publicPaths = new Set(options.publicPaths)
  const isNamedPublic = (method: string, path: string): boolean =>
    (method === 'GET' || method === 'HEAD') && publicPaths.has(path)

  /** The readings of a path that has several; `undefined` when there are none, or only some are public. */
  function unambiguous(method: string, path: string): readonly string[] | undefined {
    const readings = readingsOf(path)
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

  function decideOn(method: string, path: string): Demand | 'public' | 'ambiguous' {
    if (hasOneReading(path)) {
      return isNamedPublic(method, path) ? 'public' : demandOn(nodeAt(root, path), method)
    }
    const readings = unambiguous(method, path)
    if (readings === undefined) return 'ambiguous'
    return strictest(readings.map((reading) => demandOn(nodeAt(root, reading), method)))
  }

  /** What a mount has swallowed can add rules, and nothing else: the default policy is for the path below the mount. */
  function decideOnEnds(
    method: string,
    path: string,
    { wholePath, isRoot }: Swallowed,
  ): Demand | 'public' | 'ambiguous' {
    const own = decideOn(method, path)
    const ends = endsOf(wholePath)
    if (own === 'ambiguous' || ends === undefined) return 'ambiguous'
    const nodes = new Set(ends.map((end) => nodeAt(root, end)))
    const added = [...nodes].map((node) => demandOn(node, method)).filter((demand) => demand !== fallback)
    if (own !== 'public') return strictest([own, ...added])
    if (added.length > 0) return strictest(added)
    return isRoot() ? 'public' : fallback
  }
}

function treeOf(rules: readonly PathRule[]): Node {
  const root = emptyNode()
  for (const rule of rules) {
    let node = root
    for (const segment of foldedSegments(rule.path)) {
      // The path of the mount itself, or a trailing slash.
      if (segment === '') continue
      const child = node.children.get(segment) ?? emptyNode()
      node.children.set(segment, child)
      node = child
    }
    node.rules.push(rule)
  }
  return root
}

function emptyNode(): Node {
  return { children: new Map(), rules: [], demands: new Map(), otherwise: deny }
}

/** Gives each node the demands of its own rules and of all rules above it, so that a request adds nothing up. */
function settleDemands(node: Node, inherited: readonly PathRule[], fallback: Demand): void {
  const rules = [...inherited, ...node.rules]
  const demandFor = (method: string | undefined): Demand => {
    const demands = rules.filter((rule) => binds(rule, method)).map(demandOf)
    return demands.length === 0 ? fallback : strictest(demands)
  }
  node.otherwise = demandFor(undefined)
  node.demands = new Map(rules.flatMap(methodsOf).map((method) => [method, demandFor(method)]))
  for (const child of node.children.values()) settleDemands(child, rules, fallback)
}

/** The methods a rule names, in the spelling of a request; none when it binds all. */
function methodsOf({ methods = [] }: PathRule): readonly string[] {
  const named = methods.map((method) => method.toUpperCase())
  // Express answers HEAD with the handler of GET.
  return named.includes('GET') ? [...named, 'HEAD'] : named
}

function binds(rule: PathRule, method: string | undefined): boolean {
  return rule.methods === undefined || (method !== undefined && methodsOf(rule).includes(method))
}

function demandOf({ roles }: PathRule): Demand {
  return roles === undefined ? admin : { level: 'roles', roles: [new Set(roles)] }
}

/** The demand that is met by those only who meet all of these. */
function strictest(demands: readonly Demand[]): Demand {
  const level = strictness[Math.max(...demands.map((demand) => strictness.indexOf(demand.level)))]!
  return { level, roles: level === 'roles' ? demands.flatMap(({ roles }) => roles) : [] }
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

function demandOn(node: Node, method: string): Demand {
  return node.demands.get(method) ?? node.otherwise
}
