/**
 * Node servers that make Express fast: their requests and responses are born with the app's prototypes.
 *
 * @module
 */

import http from 'node:http'
import https from 'node:https'
import type { Express } from 'express'
import { headersRefusal } from './http/header-count.js'
import { answerJson } from './internal/answer.js'
import { useQuickEtags } from './internal/express-etag.js'
import { type ExpressMessages, expressMessages, rememberMessages } from './internal/express-messages.js'

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

/** A client that has not sent all headers of a request after this time gets 408. Node's own default is 60 seconds. */
const headersTimeoutMs = 15_000

/** How often Node looks for such clients; at its own 30 seconds a limit of 15 could take 45 to be felt. */
const connectionsCheckingIntervalMs = 5_000

/** Headers of a request. Apache, Tomcat, Envoy and Kestrel take 100, to which a proxy adds some; browsers send about 20. */
const maxHeadersCount = 200

/**
 * Makes a Node server for an Express app (4.21 or 5), not yet listening, that answers as `app.listen` does, byte for
 * byte, at a fraction of the processor time: three to four times the requests per second on Node 20 and 22, some ten per
 * cent more on Node 24, whose V8 has made Express' habit cheap.
 *
 * Express changes the prototype of every request and response, which V8 punishes from then on. Here they are born with
 * the prototypes that Express is going to set. `app.request` and `app.response` may be extended at any time. ETags are
 * those of Express, made in one call where it takes three, unless the app has a function of its own for them.
 *
 * Where this could be noticed, the server behaves like a plain one, which costs speed and nothing else:
 * - for all requests, while `app.request` or `app.response` redefine a name that Node's own classes use (`url`, `end`,
 *   `setHeader`), and while the server has a `'request'` listener besides the app, as socket.io adds one;
 * - for the one request that is given to a listener of `'upgrade'`, `'connect'`, `'checkContinue'`,
 *   `'checkExpectation'` or `'dropRequest'`.
 *
 * Names of Node's that are redefined while the server is already listening are not looked at. Subscribers of the
 * `http.server.*` diagnostics channels see the app's prototypes. A mounted sub-app still changes prototypes when a
 * request enters and leaves it: mount a `Router` where speed counts.
 *
 * Time-outs: a client has 15 seconds for its headers (`headersTimeout`; Node's default of 60 lets slow clients hold
 * connections cheaply), looked at every 5 seconds. The rest is Node's: 5 minutes for a whole request (`requestTimeout`),
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
  useQuickEtags(app)
  const messages = expressMessages(app)
  const timeouts = {
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: connectionsCheckingIntervalMs,
  }
  const listener = listenerOf(app)
  const server =
    protocol === 'https'
      ? https.createServer({ ...timeouts, ...tls, ...messages.classes }, listener)
      : http.createServer({ ...timeouts, ...messages.classes }, listener)
  server.maxHeadersCount = maxHeadersCount

  rememberMessages(server, messages)
  hideFromOtherListeners(server, listener, messages)
  return server
}

/** Hands requests to the app, but for those with too many headers, which no gate may guard. */
function listenerOf(app: Express): http.RequestListener {
  return function appListener(request, response) {
    const refusal = headersRefusal(request)
    if (refusal === undefined) app(request, response)
    else answerJson(response, refusal.status, { Error: refusal.message, code: refusal.code })
  }
}

function isExpressApp(app: unknown): boolean {
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

/** Lets only the app see its prototypes: any other listener might write to a request what Express later reads. */
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
    // Not before it is needed: it costs each request something.
    if (!restores && otherEventsWithRequests.has(event)) {
      restores = true
      restoreBeforeOtherEvents(server, messages)
    }
  })
}

function restoreBeforeOtherEvents(server: http.Server, messages: ExpressMessages): void {
  const { emit } = server
  server.emit = function emitRestored(this: http.Server, event: string, ...values: unknown[]): boolean {
    if (otherEventsWithRequests.has(event)) values.forEach(messages.restore)
    return Reflect.apply(emit, this, [event, ...values])
  }
}
