import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import express, { type Express } from 'express'
import { expect, onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import type { SecurityOptions } from '../../lib/app/security-options.js'
import type { ConfigSource } from '../../lib/config/load.js'
import { basic, document, users } from '../helpers/front.js'
import { type RawAnswer, requestBytes, sendRaw } from '../helpers/raw-http.js'
import { type RecordedLog, recordedLog, secret, secretsIn } from '../helpers/recorded-log.js'

/** What the front calls itself: the `Host` of every request. */
export const origin = 'http://front.test'

/** What a browser sends when somebody opens a page. */
export const navigation = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Accept: text/html,*/*;q=0.8']

/** What a browser sends with a form of the page itself. */
export const ownForm = [...navigation, 'Sec-Fetch-Site: same-origin', `Origin: ${origin}`]

/** What a script of the page sends. */
export const ownScript = ['Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: empty', 'Sec-Fetch-Site: same-origin']

/** `[operator_console]` switched on. */
export const enabled = { operator_console: { enable: true } }

export interface ConsoleFrontOptions {
  readonly source?: ConfigSource
  readonly options?: Omit<SecurityOptions, 'logger'>
  /** Changes the app before anything is mounted. */
  readonly prepare?: (app: Express) => void
  /** Makes the server. @defaultValue `security.createServer` */
  readonly createServer?: (app: Express) => Server
}

/** A running app with the page at `/ops`, the management API at `/management` and a portal for everybody at `/publisher`. */
export interface ConsoleFront extends RecordedLog {
  readonly security: Security
  readonly app: Express
  readonly server: Server
  readonly port: number
  /** Requests that reached what is mounted behind the page. */
  readonly behind: readonly string[]
  /** `headers` are lines. */
  call(method: string, path: string, headers?: readonly string[], body?: string): Promise<RawAnswer>
  /** As a script of the page calls, with a cookie. */
  ask(method: string, path: string, cookie: string, body?: object): Promise<RawAnswer>
  /** Signs in and returns the `Cookie` line of the session. */
  cookieOf(path?: string, user?: { readonly name: string; readonly password: string }): Promise<string>
  /** Logs in at the management API and returns the `Authorization` line. */
  bearerOf(user?: { readonly name: string; readonly password: string }): Promise<string>
}

/** Starts an app, and ends it with the test. No log line may hold a secret, whatever the test was about. */
export async function startConsole(front: ConsoleFrontOptions = {}): Promise<ConsoleFront> {
  const { source = document({ root: enabled }), options = {}, prepare, createServer } = front
  const log = recordedLog()
  const security = await createSecurity(source, { ...options, logger: log.logger })
  const behind: string[] = []
  const app = express()
  prepare?.(app)
  app.use('/management', security.managementApi())
  app.use('/carbon', security.portal('management_console'), (_request, response) => response.json({ at: 'carbon' }))
  app.use('/publisher', security.portal('publisher'), (_request, response) => response.json({ at: 'publisher' }))
  app.use('/ops', security.console(), (request, response) => {
    behind.push(`${request.method} ${request.originalUrl}`)
    response.json({ at: 'behind' })
  })
  const server = createServer?.(app) ?? security.createServer(app, { protocol: 'http' })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await security.close()
    expect(secretsIn(log.lines.join(''))).toEqual([])
    expect(secretsIn(inspect(log.entries, { depth: 10 }))).toEqual([])
  })

  const call: ConsoleFront['call'] = (method, path, headers, body) =>
    sendRaw(port, requestBytes(method, path, headers, body))

  return {
    ...log,
    security,
    app,
    server,
    port,
    behind,
    call,

    ask(method, path, cookie, body) {
      const ownOrigin = method === 'GET' ? [] : [`Origin: ${origin}`]
      const type = body === undefined ? [] : ['Content-Type: application/json']
      return call(method, path, [cookie, ...ownScript, ...ownOrigin, ...type], body && JSON.stringify(body))
    },

    async cookieOf(path = '/ops', { name, password } = users.admin) {
      const body = new URLSearchParams({ username: name, password }).toString()
      const type = 'Content-Type: application/x-www-form-urlencoded'
      const answer = await call('POST', `${path}/login`, [type, ...ownForm], body)
      expect(answer.status, answer.body).toBe(303)
      const pair = answer.header('set-cookie')!.split(';')[0]!
      secret(pair.split('=')[1]!)
      return `Cookie: ${pair}`
    },

    async bearerOf({ name, password } = users.admin) {
      const answer = await call('GET', '/management/login', [basic(name, password)])
      expect(answer.status, answer.body).toBe(200)
      return `Authorization: Bearer ${secret(answer.json<{ AccessToken: string }>().AccessToken)}`
    },
  }
}
