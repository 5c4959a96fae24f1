/** A server whose app notes each request as it came in, and what became of it. */

import express, { type Express, type Request, type RequestHandler } from 'express'
import { wireSecurity } from '../../lib/app/create-security.js'
import { type Explanation, explainWith } from '../../lib/explain/explain.js'
import type { ExplainRequest } from '../../lib/explain/request.js'
import { Sandbox } from '../../lib/explain/sandbox.js'
import { createTestSecurity, type TestSecurity, type TestSecurityOptions } from '../../lib/testing/test-security.js'
import { listen, sendRaw } from '../helpers/raw-socket.js'

/** A request that the app has got. */
export interface Observed {
  /** The facts of it, for an explanation. */
  readonly facts: ExplainRequest
  readonly outcome: 'passed' | 'refused' | 'answered'
  /** `undefined` where the app answers. */
  readonly status: number | undefined
  readonly code: string | undefined
}

/** An app whose mounts can be asked. */
export interface ObservedApp {
  readonly app: Express
  readonly security: TestSecurity
  /** As `security.explain`, with one sandbox for all. */
  explain(request: ExplainRequest): Promise<Explanation>
  close(): Promise<void>
}

/** What routes of the app answer. */
const appStatus = 299

/** The name of the header that stands for the peer of the connection. */
const peerHeader = 'x-peer'

const notes = new WeakMap<Express, Observed[]>()

/** Makes an app; `mount` adds to it what is to be asked. */
export async function createObservedApp(
  source: object,
  mount: (app: Express, security: TestSecurity) => void,
  options?: TestSecurityOptions,
): Promise<ObservedApp> {
  const security = await createTestSecurity(source, options)
  const app = express()
  const observed: Observed[] = []
  notes.set(app, observed)
  let code: string | undefined
  security.events.on('refusal', (refusal) => {
    code = refusal.code
  })
  security.events.on('loginRefused', () => {
    code = 'ERR_AUTH_INVALID_CREDENTIALS'
  })
  app.use(((request, response, next) => {
    code = undefined
    const facts = factsOf(request)
    const peer = request.get(peerHeader)
    if (peer !== undefined) Object.defineProperty(request.socket, 'remoteAddress', { configurable: true, value: peer })
    response.on('finish', () => {
      const { statusCode } = response
      if (statusCode === appStatus) observed.push({ facts, outcome: 'passed', status: undefined, code: undefined })
      else observed.push({ facts, outcome: code === undefined ? 'answered' : 'refused', status: statusCode, code })
    })
    next()
  }) as RequestHandler)
  mount(app, security)
  app.use(((_request, response) => void response.status(appStatus).end()) as RequestHandler)
  const sandbox = await Sandbox.open(security.config, { wire: wireSecurity })
  return {
    app,
    security,
    explain: (request) => explainWith(sandbox, () => undefined, request, app),
    async close() {
      await sandbox.close()
      await security.close()
    },
  }
}

function factsOf({ method, url, rawHeaders, socket, headers }: Request): ExplainRequest {
  const lines = Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[2 * index]!,
    rawHeaders[2 * index + 1]!,
  ])
  const kept = lines.filter(([name]) => name!.toLowerCase() !== peerHeader) as [string, string][]
  const address = (headers[peerHeader] as string | undefined) ?? socket.remoteAddress!
  return { method, path: url, headers: kept, address, isSecure: false }
}

/** One server for many apps, one at a time. */
export interface ObservedServer extends AsyncDisposable {
  /** Sends bytes to an app, and answers the requests that it has got of them. */
  send(to: ObservedApp, bytes: Uint8Array): Promise<readonly Observed[]>
}

/** Starts the server. */
export async function openObservedServer(): Promise<ObservedServer> {
  let current: Express
  const server = await listen((request, response) => current(request, response))
  return {
    async send({ app }, bytes) {
      current = app
      const observed = notes.get(app)!
      observed.length = 0
      await sendRaw(server.port, bytes)
      return [...observed]
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** The bytes of a request without a body. */
export function requestBytes(method: string, target: string, headers: readonly (readonly [string, string])[]): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const length = ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) ? 'Content-Length: 0\r\n' : ''
  return Buffer.from(
    `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${length}${lines}\r\n`,
    'latin1',
  )
}
