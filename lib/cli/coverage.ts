/**
 * `sallyport coverage`: who may call each route of an app.
 *
 * @module
 */

import { Server } from 'node:net'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import type { Express } from 'express'
import { findApp } from '../app/server-apps.js'
import type { Origin } from '../core/errors.js'
import { type Coverage, coverApp, type RouteAccess, type RouteCoverage } from '../explain/coverage.js'
import { isExpressApp } from '../http/express/create-server.js'
import { CommandError, type CommandProcess, runCommand } from './command.js'
import { alignColumns } from './output.js'

interface CoverageOptions {
  readonly failOn?: string
  readonly matrix?: boolean
  readonly json?: boolean
}

const accesses: readonly RouteAccess[] = ['public', 'user', 'role', 'admin', 'denied', 'mount', 'open', 'opaque']

/**
 * Loads the module of a server, which does all that it does at its start but listen. `exit` ends the process, which connections to stores
 * would keep alive.
 */
export function coverageCommand(process: CommandProcess, exit: () => void = () => undefined): Command {
  return new Command('coverage')
    .description(
      'Lists the routes of an app, and who may call each. The module of the server is loaded; it does not listen.',
    )
    .argument('<module>', 'the module that makes the app: it exports the app, or makes a server of it')
    .option('--fail-on <list>', 'exit with 1 when a route is one of these, as in open,opaque')
    .option('--matrix', 'print roles by routes by methods, as a table of Markdown')
    .option('--json', 'print JSON')
    .allowExcessArguments(false)
    .action(async (module: string, options: CoverageOptions) => {
      await runCommand(process, async () => {
        const failOn = readAccesses(options.failOn)
        const coverage = await coverApp(await loadApp(module))
        if (coverage.routes.some(({ access }) => failOn.includes(access))) process.exitCode = 1
        if (options.json === true)
          return JSON.stringify(options.matrix === true ? matrixFrom(coverage) : coverage, undefined, 2)
        return options.matrix === true ? printMatrix(coverage) : printCoverage(coverage)
      })
      exit()
    })
}

function readAccesses(list = ''): readonly RouteAccess[] {
  return list.split(',').flatMap((name) => {
    const known = accesses.find((access) => access === name.trim())
    if (known === undefined && name !== '') throw new CommandError(`"${name}" is none of ${accesses.join(', ')}.`)
    return known ?? []
  })
}

async function loadApp(module: string): Promise<Express> {
  const servers: Server[] = []
  const { listen } = Server.prototype
  Server.prototype.listen = function (this: Server) {
    servers.push(this)
    return this
  }
  try {
    const exported = (await import(pathToFileURL(resolve(module)).href)) as Readonly<Record<string, unknown>>
    const candidates = [exported['app'], exported['default'], ...servers.map(findApp)]
    const app = candidates.find(isExpressApp)
    if (app !== undefined) return app as Express
  } finally {
    Server.prototype.listen = listen
  }
  throw new CommandError(`${module} makes no Express app that can be seen: export it as "app".`)
}

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
