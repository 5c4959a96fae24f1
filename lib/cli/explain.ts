/**
 * `sallyport explain`: why a request passes or is refused.
 *
 * @module
 */

import { Command } from 'commander'
import { wireSecurity } from '../app/create-security.js'
import { loadConfig } from '../config/load.js'
import type { Position } from '../core/errors.js'
import { type Explanation, explain } from '../explain/explain.js'
import { type ExplainRequest, listHeaders, userFinder } from '../explain/request.js'
import { CommandError, type CommandProcess, runCommand } from './command.js'
import { alignColumns, printable } from './output.js'

interface ExplainOptions {
  readonly method: string
  readonly path: string
  readonly portal?: string
  readonly webApps?: boolean
  readonly at?: string
  readonly user?: string
  readonly roles?: string
  readonly admin?: boolean
  readonly address: string
  readonly header: readonly string[]
  readonly origin?: string
  readonly http?: boolean
  readonly trustProxy?: string
  readonly json?: boolean
}

export function explainCommand(process: CommandProcess): Command {
  const command = new Command('explain')
    .description('Says why a request would pass or be refused. Nothing is sent, and no server has to run.')
    .argument('<file>', 'the configuration file')
    .requiredOption('--path <path>', 'as a client sends it, below the mount')
    .option('--method <method>', 'the method', 'GET')
    .option('--portal <name>', 'ask a portal, not the management API')
    .option('--web-apps', 'ask what is mounted behind security.webApps()')
    .option('--at <path>', 'where the mount stands; only [[servlet_access_control_filter]] asks')
    .option('--user <name>', 'who is signed in; without it nobody is')
    .option('--roles <names>', 'the roles of the user, with commas between them')
    .option('--admin', 'the user is an administrator')
    .option('--address <address>', 'where the connection comes from', '127.0.0.1')
    .option('--header <line>', 'a further header, as in "Accept: text/html"', collect, [])
    .option('--origin <origin>', 'the site of the page whose script asks')
    .option('--http', 'the request comes over plain HTTP')
    .option('--trust-proxy <addresses>', "Express' setting trust proxy")
    .option('--json', 'print an evaluation in the shape of AuthZEN')
    .allowExcessArguments(false)
  return command.action((file: string, options: ExplainOptions) =>
    runCommand(process, async () => {
      const config = await loadConfig(file)
      const request = requestFrom(options)
      try {
        const explanation = await explain(request, { wire: wireSecurity, config, findUser: userFinder(config) })
        if (options.json !== true) return printExplanation(request, explanation)
        return JSON.stringify(authZenFrom(request, explanation), undefined, 2)
      } catch (error) {
        throw error instanceof TypeError ? new CommandError(error.message) : error
      }
    }),
  )
}

function collect(line: string, before: readonly string[]): readonly string[] {
  return [...before, line]
}

function requestFrom(options: ExplainOptions): ExplainRequest {
  const { method, path, portal, webApps, at, user, roles, admin, address, origin, trustProxy } = options
  if (!path.startsWith('/')) throw new CommandError(`--path has to begin with a slash: write --path /${path}`)
  return {
    method,
    path,
    mount: portal === undefined ? (webApps === true ? 'webApps' : 'managementApi') : `portal ${portal}`,
    at,
    user,
    roles: roles?.split(',').flatMap((name) => name.trim() || []),
    isAdmin: admin,
    address,
    headers: options.header.map(readHeader),
    origin,
    isSecure: options.http !== true,
    trustProxy,
  }
}

function readHeader(line: string): readonly [name: string, value: string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/.exec(line) ?? []
  if (name === undefined || value === undefined) {
    throw new CommandError(`"${line}" is no header: write it like "Accept: text/html".`)
  }
  return [name, value]
}

/** One line a stage, and the outcome. */
function printExplanation(request: ExplainRequest, explanation: Explanation): string {
  const { method = 'GET', path, address = '127.0.0.1' } = request
  const rows = explanation.stages.map(({ mount, stage, effect, rule, position }) => [
    effect,
    stage,
    rule ?? '',
    rule === undefined ? '' : placeText(position),
    ...(explanation.mounts.length > 1 ? [mount] : []),
  ])
  const lines = alignColumns(rows)
  const head = `${method.toUpperCase()} ${path} of ${whoText(request)} from ${address}`
  return [head, '', ...lines, ...(lines.length > 0 ? [''] : []), outcomeText(explanation)].map(printable).join('\n')
}

function placeText(position: Position | undefined): string {
  return position === undefined ? '(default)' : `${position.file}:${position.line}:${position.column}`
}

function whoText({ user, roles = [], isAdmin }: ExplainRequest): string {
  const rights = [...(isAdmin === true ? ['an administrator'] : []), ...(roles.length > 0 ? [roles.join(', ')] : [])]
  if (user === undefined) return rights.length > 0 ? `somebody (${rights.join('; ')})` : 'nobody'
  return rights.length > 0 ? `${user} (${rights.join('; ')})` : user
}

function outcomeText({ outcome, status, code, mounts, stages }: Explanation): string {
  if (mounts.length === 0) return 'open: no mount is on the way'
  if (outcome === 'passed') return 'passed: on to the app'
  const login = stages.some(({ effect }) => effect === 'may') ? ', and a login may change that' : ''
  return `${outcome}: ${[status, code].filter((part) => part !== undefined).join(' ')}${login}`
}

/**
 * An evaluation request and its response, https://openid.net/specs/authorization-api-1_0.html. `decision` is whether the request is not
 * refused. Of the headers there are the names: what one holds may be a credential.
 */
function authZenFrom(request: ExplainRequest, explanation: Explanation): object {
  const { method = 'GET', path, user, roles = [], isAdmin = false, address = '127.0.0.1' } = request
  const { headers = {}, origin, isSecure = true } = request
  const { outcome, status, code, stages, mounts, subject } = explanation
  return {
    request: {
      subject: { type: 'user', id: subject ?? user ?? 'anonymous', properties: { roles, isAdmin } },
      action: { name: method.toUpperCase() },
      resource: { type: 'path', id: path, properties: { mounts } },
      context: { address, origin, isSecure, headers: listHeaders(headers).map(([name]) => name) },
    },
    response: { decision: outcome !== 'refused', context: { outcome, status, code, stages } },
  }
}
