/**
 * Which app a server is for.
 *
 * @module
 */

import type { IncomingMessage, Server } from 'node:http'
import type { Server as NetServer } from 'node:net'
import type { Express } from 'express'
import { isExpressApp } from '../http/express/create-server.js'

const served = new WeakMap<object, Express>()

/** Notes which app a server is for. */
export function noteApp(server: Server, app: Express): void {
  served.set(server, app)
}

/** The app that a server is for. */
export function findApp(server: NetServer): Express | undefined {
  return served.get(server) ?? (server.listeners('request').find(isExpressApp) as Express | undefined)
}

export const unknownApp = 'the server of this request has no Express app: make it with security.createServer(app)'

/** The app of the server that a request came to. */
export function findAppOf(request: IncomingMessage): Express | undefined {
  const { server } = request.socket as { readonly server?: Server }
  return server && findApp(server)
}

/** @throws TypeError where there is none. */
export function appOf(request: IncomingMessage, app = findAppOf(request)): Express {
  if (app === undefined) throw new TypeError(unknownApp)
  return app
}

/**
 * What a function calls that answers for a server: each app knows the one that it is mounted in. Only a guess, as that is the last one
 * where there are several, and none where another app calls it.
 */
export function outermostApp({ app }: { readonly app?: object }): Express | undefined {
  const { parent } = (app ?? {}) as { readonly parent?: object }
  return parent === undefined ? (app as Express | undefined) : outermostApp({ app: parent })
}
