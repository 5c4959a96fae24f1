/**
 * The routes of an app with who may call them: a list, and a table of roles by routes by methods.
 *
 * @module
 */

import type { Origin } from '../core/errors.js'
import type { Coverage, RouteAccess, RouteCoverage } from '../explain/coverage.js'
import { alignColumns } from './output.js'

/** One line a route, the rules that no route meets, and a count. */
export function printCoverage({ routes, unusedRules }: Coverage): string {
  const rows = routes.map(({ access, method, path, roles, handler }) => [
    access,
    method,
    path,
    access === 'role' ? roles.join(', ') : access === 'open' || access === 'opaque' ? `(${handler})` : '',
  ])
  const unused = unusedRules.length === 0 ? [] : ['', 'no route meets', ...unusedRules.map(ruleText)]
  return [...alignColumns(rows), ...unused, '', countText(routes)].join('\n')
}

function ruleText({ key, position }: Origin): string {
  return position === undefined ? `  ${key}` : `  ${key}  ${position.file}:${position.line}:${position.column}`
}

function countText(routes: readonly RouteCoverage[]): string {
  const counts = new Map<RouteAccess, number>()
  for (const { access } of routes) counts.set(access, (counts.get(access) ?? 0) + 1)
  const parts = [...counts].map(([access, count]) => `${count} ${access}`)
  return `${routes.length} ${routes.length === 1 ? 'route' : 'routes'}: ${parts.join(', ')}`
}

/** A route by method, and whether each caller gets to it; `undefined`: that cannot be told. */
export interface MatrixRow {
  readonly method: string
  readonly path: string
  readonly callers: Readonly<Record<string, boolean | undefined>>
}

/** In the order of their paths, so that a version control system shows what has changed and no more. */
export function matrixFrom({ routes, roles }: Coverage): readonly MatrixRow[] {
  return routes
    .map(({ method, path, access, roles: own }) => ({
      method,
      path,
      callers: Object.fromEntries(
        ['nobody', 'any user', ...roles, 'administrator'].map((caller) => [caller, mayCall(caller, access, own)]),
      ),
    }))
    .sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function mayCall(caller: string, access: RouteAccess, roles: readonly string[]): boolean | undefined {
  if (access === 'opaque') return undefined
  if (access === 'open' || access === 'public') return true
  if (caller === 'nobody' || access === 'denied' || access === 'mount') return false
  if (access === 'user' || caller === 'administrator') return true
  return roles.includes(caller)
}

/** The matrix as a table of Markdown. */
export function printMatrix(coverage: Coverage): string {
  const callers = ['nobody', 'any user', ...coverage.roles, 'administrator']
  const rows = matrixFrom(coverage).map(({ method, path, callers: own }) => [
    method,
    `\`${path}\``,
    ...callers.map((caller) => (own[caller] === undefined ? '?' : own[caller] ? 'yes' : '')),
  ])
  const head = ['method', 'path', ...callers]
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
