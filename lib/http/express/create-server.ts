/**
 * Node servers for Express apps, whose requests and responses have the app's prototypes from the start.
 *
 * @module
 */

import http from 'node:http'
import https from 'node:https'
import type { Express } from 'express'
import { answerJson } from '../answer.js'
import { headersRefusal } from '../gate.js'
import { createMessages, type ExpressMessages, restorePrototype } from './express-messages.js'
import { trackResponse } from './server-sockets.js'

/** Options of {@link createExpressServer}. */
export interface ExpressServerOptions {
  /** @defaultValue `'https'` where `tls` is given, else `'http'` */
  readonly protocol?: 'http' | 'https' | undefined
  /**
   * Key material and whatever else `https.createServer` takes; not used with `protocol: 'http'`. Its time-outs replace those
   * of `createExpressServer`, its `IncomingMessage` and `ServerResponse` are not used.
   */
  readonly tls?: https.ServerOptions | undefined
}

/** A client that has not sent all headers of a request after this time gets 408. Node's default is 60 seconds. */
const headersTimeoutMs = 15_000

/** How often Node looks for such clients. With its default of 30 seconds, a limit of 15 could take 45. */
const connectionsCheckingIntervalMs = 5_000

/** Apache, Tomcat, Envoy and Kestrel take 100 headers, to which a proxy adds some; browsers send about 20. */
const maxHeadersCount = 200

/**
 * Makes a Node server for an Express app (4.21 or 5), not yet listening, that answers as `app.listen` does, byte for
 * byte, in less processor time: a few per cent less on Node 24 and 26, less than half of it on Node 20.
 *
 * Express changes the prototype of every request and response, after which V8 handles them more slowly. Here they have the
 * prototypes that Express is going to set from the start. `app.request` and `app.response` may be extended at any time.
 *
 * Where this could be noticed, the server behaves like a plain one, only slower:
 * - for all requests, while `app.request` or `app.response` redefine a name that Node's own classes use (`url`, `end`,
 *   `setHeader`), and while the server has a `'request'` listener besides the app, as socket.io adds one;
 * - for the one request that is given to a listener of `'upgrade'`, `'connect'`, `'checkContinue'`,
 *   `'checkExpectation'` or `'dropRequest'`.
 *
 * Names of Node's that are redefined while the server is already listening are not noticed. Subscribers of the
 * `http.server.*` diagnostics channels see the app's prototypes. A mounted sub-app still changes prototypes when a
 * request enters and leaves it: mount a `Router` where speed counts.
 *
 * Time-outs: a client has 15 seconds for its headers (`headersTimeout`; Node's default of 60 lets slow clients hold
 * connections cheaply), checked every 5 seconds. The rest is Node's: 5 minutes for a whole request (`requestTimeout`),
 * 5 seconds for an idle connection (`keepAliveTimeout`; set it above that of a load balancer in front), 16 KiB of headers
 * (`maxHeaderSize`), 400, 408 or 431 for a request that cannot be read (`'clientError'`).
 *
 * A request with 200 headers or more is answered with 431 (`maxHeadersCount`; Node's default is 1000, and Node 20 drops those
 * beyond it without a word).
 *
 * @example
 * ```ts
 * createExpressServer(app).listen(9164)
 * createExpressServer(app, { tls: { key, cert } }).listen(9164)
 * ```
 *
 * @throws TypeError for something that is not an Express app.
 */
export function createExpressServer(app: Express, options: ExpressServerOptions = {}): http.Server | https.Server {
  if (!isExpressApp(app)) throw new TypeError('app must be an Express application')
  const { tls, protocol = tls === undefined ? 'http' : 'https' } = options
  const messages = createMessages(app)
  const timeouts = {
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: connectionsCheckingIntervalMs,
  }
  const listener = createListener(app)
  const server =
    protocol === 'https'
      ? https.createServer({ ...timeouts, ...tls, ...messages.classes }, listener)
      : http.createServer({ ...timeouts, ...messages.classes }, listener)
  server.maxHeadersCount = maxHeadersCount
  hideFromOtherListeners(server, listener, messages)
  return server
}

/** Passes requests to the app, except those with too many headers, whose path no gate may guard. */
function createListener(app: Express): http.RequestListener {
  return function appListener(request, response) {
    trackResponse(response)
    const refusal = headersRefusal(request)
    if (refusal === undefined) app(request, response)
    else answerJson(response, refusal.status, { Error: refusal.message, code: refusal.code })
  }
}

/** Whether a value is what `express()` makes. */
export function isExpressApp(app: unknown): boolean {
  if (typeof app !== 'function') return false
  const { request, response } = app as Partial<Express>
  return typeof request === 'object' && request !== null && typeof response === 'object' && response !== null
}

/** Events whose requests do not go through Express, or not before a listener has seen them. */
const otherEventsWithRequests: ReadonlySet<string | symbol> = new Set([
  'upgrade',
  'connect',
  'checkContinue',
  'checkExpectation',
  'dropRequest',
])

/** Only the app gets messages with its prototypes: another listener might set on a request what Express only reads. */
function hideFromOtherListeners(server: http.Server, listener: http.RequestListener, messages: ExpressMessages): void {
  const update = (): void => {
    const listeners = server.listeners('request')
    if (listeners.length === 1 && listeners[0] === listener) messages.useApp()
    else messages.useNode()
  }
  update()
  // The app may have been extended in the meantime.
  server.on('listening', update)
  server.on('removeListener', (event) => {
    if (event === 'request') update()
  })
  let restores = false
  server.on('newListener', (event) => {
    if (event === 'request') messages.useNode()
    // Only where it is needed, because each request then takes longer.
    if (!restores && otherEventsWithRequests.has(event)) {
      restores = true
      restoreBeforeOtherEvents(server)
    }
  })
}

function restoreBeforeOtherEvents(server: http.Server): void {
  const { emit } = server
  server.emit = function emitRestored(this: http.Server, event: string, ...values: unknown[]): boolean {
    if (otherEventsWithRequests.has(event)) values.forEach(restorePrototype)
    return Reflect.apply(emit, this, [event, ...values])
  }
}
