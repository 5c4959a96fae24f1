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
import { findApp } from '../app/connections.js'
import { coverApp, type RouteAccess } from '../explain/coverage.js'
import { isExpressApp } from '../http/express/create-server.js'
import { CommandError, type CommandProcess, runCommand } from './command.js'
import { matrixFrom, printCoverage, printMatrix } from './coverage-output.js'

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
