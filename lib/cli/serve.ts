/**
 * `sallyport serve`: a management API, guarded by what a file says, to try the file out.
 *
 * @module
 */

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { Command } from 'commander'
import type { Express } from 'express'
import type { Security } from '../app/security.js'
import { builtInPortals } from '../config/schema/portals.js'
import { getAuth } from '../core/auth.js'
import { ConfigError } from '../core/errors.js'
import { CommandError, type CommandProcess, exitCodes, runCommand } from './command.js'
import { commandLogger, printableLines } from './output.js'

/** Loads Express, which the app has and this package has not. */
export type LoadExpress = () => Promise<() => Express>

const loadExpress: LoadExpress = async () => (await import('express')).default

async function loadOrExplain(load: LoadExpress): Promise<() => Express> {
  try {
    return await load()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new CommandError('"sallyport serve" needs Express beside the package; run: npm install express')
  }
}

interface ServeOptions {
  readonly port: string
  readonly httpsPort: string
}

/** What runs until a signal ends it. */
interface Running {
  readonly security: Security
  readonly servers: readonly Server[]
  readonly text: string
}

/** SIGHUP reads the file anew, SIGTERM and SIGINT end the server. It listens for this machine alone. */
export function serveCommand(process: CommandProcess, load: LoadExpress = loadExpress): Command {
  return new Command('serve')
    .description('Serves a management API, guarded by what a configuration file says, to try the file out.')
    .argument('[file]', 'the configuration file', 'deployment.toml')
    .option('--port <number>', 'port for HTTP', '9201')
    .option('--https-port <number>', 'port for HTTPS', '9164')
    .allowExcessArguments(false)
    .action((file: string, options: ServeOptions) =>
      runCommand(process, async () => {
        const running = await serve(file, options, process, await loadOrExplain(load))
        followSignals(running, file, process)
        return running.text
      }),
    )
}

async function serve(
  file: string,
  options: ServeOptions,
  process: CommandProcess,
  createApp: () => Express,
): Promise<Running> {
  const ports = { http: readPort('port', options.port), https: readPort('https-port', options.httpsPort) }
  const { createSecurity } = await import('../app/create-security.js')
  const security = await createSecurity(file, { logger: commandLogger(process, 'info') })
  const servers: Server[] = []
  try {
    const app = createApp()
    const paths = mountAll(app, security)
    const bases: string[] = []
    for (const protocol of security.config.managementApi.protocols) {
      const server = security.createServer(app, { protocol })
      servers.push(server)
      bases.push(`${protocol}://127.0.0.1:${await listen(server, ports[protocol])}`)
    }
    return { security, servers, text: describe(file, security, bases, paths) }
  } catch (error) {
    for (const server of servers) server.close()
    await security.close()
    throw error
  }
}

function readPort(name: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw new CommandError(`--${name} must be the number of a port.`, exitCodes.usage)
}

/** The port that it listens on. */
async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new CommandError(`Cannot listen: ${(error as Error).message}. Name other ports: --port, --https-port.`)
  }
  return (server.address() as AddressInfo).port
}

/** Where the operators' page is. */
const operatorsPage = '/ops'

/** Mounts all that the file has, each with one route that says who calls. Returns the paths of the portals that it configures. */
function mountAll(app: Express, security: Security): readonly string[] {
  const { config } = security
  const whoami = (request: Parameters<typeof getAuth>[0], response: { json(body: object): unknown }): void => {
    const { subject, roles, isAdmin } = getAuth(request)
    response.json({ subject, roles, isAdmin })
  }
  app.use('/management', security.managementApi())
  app.get('/management/whoami', whoami)
  if (config.oauth !== undefined) app.use(new URL(config.oauth.issuer).pathname, security.oauth())
  if (config.isOperatorConsoleEnabled) app.use(operatorsPage, security.console())
  for (const { name } of config.portals) {
    app.use(`/${name}`, security.portal(name))
    app.get([`/${name}`, `/${name}/whoami`], whoami)
  }
  app.use(security.webApps())
  // Every file has the others.
  const own = config.portals.filter(({ name }) => !builtInPortals.includes(name))
  return own.map(({ name }) => `/${name}`)
}

function describe(file: string, { config }: Security, bases: readonly string[], portals: readonly string[]): string {
  const [first = ''] = bases
  const url = `${first}/management`
  const page = config.isOperatorConsoleEnabled ? `The operators' page is at ${first}${operatorsPage}\n` : ''
  // Made at the first start of a file that names no key store.
  const certificate = join(dirname(file), 'sallyport-tryout.pem')
  const isTryOut = first.startsWith('https:') && existsSync(certificate)
  const trust = isTryOut ? ` --ca-file ${relative('.', certificate)}` : ''
  const curl = isTryOut ? `curl -i --cacert ${relative('.', certificate)}` : 'curl -i'
  const admin = config.fileUsers.isEnabled ? config.fileUsers.users.find(({ isAdmin }) => isAdmin)?.name : undefined
  return printableLines(`
The management API listens on ${bases.map((base) => `${base}/management`).join(' and ')}, guarded by ${file}.
${portals.map((path) => `A portal is at ${first}${path}\n`).join('')}${page}
  ${curl} ${url}/whoami                # 401
  npx sallyport login --server ${url} --user ${admin ?? 'NAME'}${trust}
  npx sallyport sessions list
  npx sallyport logout

A changed file: npx sallyport reload, or SIGHUP. Ctrl-C ends it.
`)
}

/** How long requests that are under way may take at the end, in milliseconds. */
const graceMs = 1000

function followSignals({ security, servers }: Running, file: string, { stderr }: CommandProcess): void {
  const say = (error: unknown): void => {
    const message = error instanceof ConfigError ? error.message : String(error)
    stderr.write(`Not reloaded. ${printableLines(message)}\n`)
  }
  const reload = (): void => {
    security.reload(file, { by: 'SIGHUP' }).catch(say)
  }
  async function end(): Promise<void> {
    process.off('SIGHUP', reload)
    await security.shutdown(servers, { timeout: graceMs })
  }
  process.on('SIGHUP', reload)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
}
