/**
 * For `node --import`: every server that a program makes for an Express app comes from `createExpressServer`.
 *
 * That covers `app.listen()` and supertest's `request(app)`, which call `http.createServer(app)` of the same module
 * object. A server that is made with options stays as it is: they would be lost. With `EXPRESS_SUITE_HANDLERS`, a plain
 * handler is served as though it were an app as well, as a middleware is tested without Express.
 *
 * At the end of the process, its counts are appended to the file that `EXPRESS_SUITE_COUNTS` names, as one line of JSON.
 *
 * @module
 */

import { subscribe } from 'node:diagnostics_channel'
import { appendFileSync } from 'node:fs'
import http from 'node:http'

const built = new URL('../dist/http/express/create-server.js', import.meta.url)
const { createExpressServer } = await import(built.href)

const handlersToo = process.env.EXPRESS_SUITE_HANDLERS !== undefined
const { default: express } = handlersToo ? await import('express') : {}

const counts = { servers: 0, otherServers: 0, requests: 0, bornAsExpress: 0 }
const createNodeServer = http.createServer

http.createServer = function createServer(...parameters) {
  const [first] = parameters
  const app = parameters.length === 1 ? appOf(first) : undefined
  if (app !== undefined) {
    counts.servers += 1
    return createExpressServer(app)
  }
  // createExpressServer itself comes by here, with its own classes.
  if (first?.IncomingMessage === undefined) counts.otherServers += 1
  return Reflect.apply(createNodeServer, this, parameters)
}

subscribe('http.server.request.start', ({ request }) => {
  counts.requests += 1
  if (Object.getPrototypeOf(request) !== http.IncomingMessage.prototype) counts.bornAsExpress += 1
})

process.on('exit', () => {
  const file = process.env.EXPRESS_SUITE_COUNTS
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(counts)}\n`)
})

function appOf(handler) {
  if (typeof handler !== 'function') return undefined
  if (typeof handler.request === 'object' && typeof handler.response === 'object') return handler
  if (!handlersToo) return undefined
  const { request, response } = express()
  return Object.assign(handler, { request, response })
}
