import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import type { Express, NextFunction, Request, Response } from 'express'
import { expect, onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import type { ManagementApiOptions } from '../../lib/app/management-api.js'
import type { SecurityOptions } from '../../lib/app/security-options.js'
import type { ConfigSource } from '../../lib/config/load.js'
import type { SecurityEventMap } from '../../lib/core/events.js'
import { type RawAnswer, requestBytes, sendRaw } from './raw-http.js'
import { type RecordedLog, recordedLog, secret, secretsIn } from './recorded-log.js'
import { oneSetUp, type SetUp } from './set-ups.js'

/** Names and passwords of the users that {@link document} has. */
export const users = {
  admin: { name: 'admin', password: secret('Correct-horse-1') },
  reader: { name: 'reader', password: secret('Battery-staple-2') },
} as const

/** What a test wants to be different from a small `deployment.toml` with two users. */
export interface DocumentChanges {
  readonly managementApi?: Record<string, unknown>
  /** `[management_api.jwt_token_security_handler]` besides a signing algorithm whose keys are made quickly. */
  readonly jwt?: Record<string, unknown>
  readonly internalApis?: Record<string, unknown>
  readonly root?: Record<string, unknown>
}

/** One `[[internal_apis.users]]`. */
export function fileUser(name: string, password: string, more: Record<string, unknown> = {}): object {
  return { user: { name, password: secret(password), ...more } }
}

/** The users of {@link document}: an administrator and one who is none. */
export const fileUsers: readonly object[] = [
  fileUser(users.admin.name, users.admin.password, { is_admin: true }),
  fileUser(users.reader.name, users.reader.password, { roles: ['viewer'] }),
]

/** A parsed `deployment.toml`. */
export function document({ managementApi = {}, jwt = {}, internalApis = {}, root = {} }: DocumentChanges = {}): object {
  return {
    management_api: {
      jwt_token_security_handler: { token_config: { algorithm: 'ES256' }, ...jwt },
      ...managementApi,
    },
    internal_apis: { users: fileUsers, ...internalApis },
    ...root,
  }
}

/** What {@link startFront} can be told. */
export interface FrontOptions {
  readonly source?: ConfigSource
  readonly options?: Omit<SecurityOptions, 'logger'>
  readonly mount?: ManagementApiOptions
  /** Changes the app before anything is mounted. */
  readonly prepare?: (app: Express) => void
  /** Address to listen on. */
  readonly host?: string
}

/** An event as it was emitted. */
export type RecordedEvent = {
  [Name in keyof SecurityEventMap]: { readonly name: Name } & SecurityEventMap[Name]
}[keyof SecurityEventMap]

/** A running app with the front before `/management`. */
export interface Front extends RecordedLog {
  readonly security: Security
  readonly app: Express
  readonly port: number
  readonly events: readonly RecordedEvent[]
  /** `METHOD /path` of every request that reached the routes of the app. */
  readonly handled: readonly string[]
  /** Every error that reached the error handler of the app. */
  readonly appErrors: readonly unknown[]
  /** Sends a request below `/management`; `headers` are lines. */
  call(method: string, path: string, headers?: readonly string[], body?: string): Promise<RawAnswer>
  /** Sends bytes as they are. */
  send(bytes: string | Uint8Array): Promise<RawAnswer>
  /** Logs in and returns the token. */
  login(user?: { readonly name: string; readonly password: string }): Promise<string>
  close(): Promise<void>
}

const eventNames = ['login', 'loginRefused', 'logout', 'refusal', 'eviction', 'revocation'] as const

/** `Authorization` line with a name and a password. */
export function basic(name: string, password: string): string {
  const encoded = Buffer.from(`${name}:${secret(password)}`).toString('base64')
  return `Authorization: Basic ${secret(encoded)}`
}

/** `Authorization` line with a token. */
export function bearer(token: string): string {
  return `Authorization: Bearer ${secret(token)}`
}

/**
 * Starts an app, and ends it with the test. No log line and no event may hold a secret, whatever the test was about.
 */
export async function startFront(setUp: SetUp = oneSetUp, frontOptions: FrontOptions = {}): Promise<Front> {
  const { source = document(), options = {}, mount, prepare, host = '127.0.0.1' } = frontOptions
  const log = recordedLog()
  const security = await createSecurity(source, { ...options, logger: log.logger })
  const events: RecordedEvent[] = []
  const note = <Name extends keyof SecurityEventMap>(name: Name): void => {
    const listener = (event: SecurityEventMap[Name]): void => void events.push({ name, ...event } as RecordedEvent)
    security.events.on(name, listener as never)
  }
  eventNames.forEach(note)

  const handled: string[] = []
  const appErrors: unknown[] = []
  const app = setUp.express()
  prepare?.(app)
  app.use('/management', security.managementApi(mount), routesOf(setUp, handled))
  if (setUp.hasErrorHandler) {
    app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
      appErrors.push(error)
      response.status(500).json({ answeredBy: 'the app' })
    })
  }
  const server: Server = setUp.usesCreateServer ? security.createServer(app).listen(0, host) : app.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const front: Front = {
    ...log,
    security,
    app,
    port,
    events,
    handled,
    appErrors,
    call: (method, path, headers, body) => sendRaw(port, requestBytes(method, `/management${path}`, headers, body)),
    send: (bytes) => sendRaw(port, bytes),

    async login({ name, password } = users.admin) {
      const answer = await front.call('GET', '/login', [basic(name, password)])
      expect(answer.status, answer.body).toBe(200)
      return secret(answer.json<{ AccessToken: string }>().AccessToken)
    },

    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await security.close()
    },
  }
  onTestFinished(async () => {
    await front.close()
    expect(secretsIn(log.lines.join(''))).toEqual([])
    expect(secretsIn(inspect(log.entries, { depth: 10 }))).toEqual([])
    expect(secretsIn(inspect(events, { depth: 10 }))).toEqual([])
  })
  return front
}

/** Routes that note each request they get. `/fail` gives an error of the app's own. */
function routesOf({ express }: SetUp, handled: string[]): ReturnType<typeof express.Router> {
  const routes = express.Router()
  routes.use((request, response, next) => {
    handled.push(`${request.method} ${request.path}`)
    if (request.path === '/fail') return next(Object.assign(new Error('an error of the app'), { status: 418 }))
    response.json({ auth: (request as { auth?: unknown }).auth ?? null })
  })
  return routes
}
