import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express, Request, Response } from 'express'
import { expect, onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import type { PortalOptions } from '../../lib/app/portal.js'
import type { SecurityOptions } from '../../lib/app/security-options.js'
import { getAuth } from '../../lib/core/auth.js'
import { document, type RecordedEvent, users } from '../helpers/front.js'
import { type RawAnswer, requestBytes, sendRaw } from '../helpers/raw-http.js'
import { type RecordedLog, recordedLog, secret } from '../helpers/recorded-log.js'
import { oneSetUp, type SetUp } from '../helpers/set-ups.js'

/** What the front calls itself: the `Host` of every request. */
export const origin = 'http://front.test'

/** What a browser sends when somebody opens a page. */
export const navigation = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Accept: text/html,*/*;q=0.8']

/** What a browser sends with a form of the page itself. */
export const ownForm = [...navigation, 'Sec-Fetch-Site: same-origin', `Origin: ${origin}`]

/** What {@link startPortals} can be told. */
export interface PortalFrontOptions {
  /** Tables of the file besides the users. */
  readonly root?: Record<string, unknown>
  readonly options?: Omit<SecurityOptions, 'logger'>
  /** Path by portal. */
  readonly portals?: Readonly<Record<string, string>>
  readonly portal?: PortalOptions
  /** Changes the app before anything is mounted. */
  readonly prepare?: (app: Express) => void
}

/** A running app with portals. */
export interface PortalFront extends RecordedLog {
  readonly security: Security
  readonly app: Express
  readonly port: number
  readonly events: readonly RecordedEvent[]
  /** `METHOD /path` of every request that reached the app. */
  readonly handled: readonly string[]
  /** `headers` are lines. */
  call(method: string, path: string, headers?: readonly string[], body?: string): Promise<RawAnswer>
  /** Sends the form of a login page. */
  signIn(path: string, fields?: Readonly<Record<string, string>>, headers?: readonly string[]): Promise<RawAnswer>
  /** Signs in and returns the `Cookie` line of the session. */
  cookieOf(path: string, user?: { readonly name: string; readonly password: string }): Promise<string>
}

/** Starts an app with portals, and ends it with the test. */
export async function startPortals(
  { root, options = {}, portals = { publisher: '/publisher' }, portal, prepare }: PortalFrontOptions = {},
  setUp: SetUp = oneSetUp,
): Promise<PortalFront> {
  const log = recordedLog()
  const security = await createSecurity(document(root === undefined ? {} : { root }), {
    ...options,
    logger: log.logger,
  })
  const events: RecordedEvent[] = []
  for (const name of ['login', 'loginRefused', 'logout', 'refusal', 'eviction', 'revocation'] as const) {
    security.events.on(name, ((event: object) => void events.push({ name, ...event } as RecordedEvent)) as never)
  }
  const handled: string[] = []
  const app = setUp.express()
  prepare?.(app)
  for (const [name, path] of Object.entries(portals)) {
    app.use(path, security.portal(name, portal), (request: Request, response: Response) => {
      handled.push(`${request.method} ${request.originalUrl}`)
      response.json({ ...getAuth(request), body: (request as { body?: unknown }).body })
    })
  }
  const server: Server = setUp.usesCreateServer
    ? security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1')
    : app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await security.close()
  })

  const front: PortalFront = {
    ...log,
    security,
    app,
    port,
    events,
    handled,
    call: (method, path, headers, body) => sendRaw(port, requestBytes(method, path, headers, body)),

    signIn(path, fields = {}, headers = ownForm) {
      const { name, password } = users.admin
      const body = new URLSearchParams({ username: name, password, ...fields }).toString()
      const type = 'Content-Type: application/x-www-form-urlencoded'
      return front.call('POST', `${path}/login`, [type, ...headers], body)
    },

    async cookieOf(path, { name, password } = users.admin) {
      const answer = await front.signIn(path, { username: name, password })
      expect(answer.status, answer.body).toBe(303)
      const pair = answer.header('set-cookie')!.split(';')[0]!
      secret(pair.split('=')[1]!)
      return `Cookie: ${pair}`
    },
  }
  return front
}
