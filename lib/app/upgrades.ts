/**
 * Upgrades, as those of WebSocket, go past Express and past every mount. What a mount guards is not to be had that way.
 *
 * @module
 */

import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Express } from 'express'
import type { Logger } from '../core/logger.js'
import { isPlainTarget } from '../http/long-lived-request.js'
import { isBelow } from '../http/mounted-at.js'
import type { Connections } from './connections.js'
import type { Mounts } from './mounts.js'

/** What {@link guardUpgrades} works with. */
export interface UpgradeParts {
  readonly app: Express
  readonly mounts: Mounts
  readonly connections: Connections
  readonly logger: Logger
}

/**
 * Refuses an upgrade that a listener accepts below a mount without having asked `authenticateUpgrade`. Elsewhere it is logged, once. It
 * finds what was forgotten: the code of the app can get around it.
 */
export function guardUpgrades(server: Server, parts: UpgradeParts): void {
  const { app, mounts, connections, logger } = parts
  let isTold = false

  /** Whether anything but a refusal may be sent. */
  function mayAccept(request: IncomingMessage): boolean {
    if (connections.hasAdmitted(request)) return true
    const { url = '/' } = request
    const [path = '/'] = url.split('?', 1)
    if (!isPlainTarget(url) || isBelow(app, mounts.listHandlers(), path)) {
      logger.error({ path }, `an upgrade below a mount was refused, ${remedy}`)
      return false
    }
    if (!isTold) logger.warn({ path }, `an upgrade was accepted, and nobody has checked who calls, ${remedy}`)
    isTold = true
    return true
  }

  function watch(request: IncomingMessage, socket: Duplex): void {
    const { write, end } = socket

    /** The first thing that is written is the answer. */
    const before = (send: typeof write | typeof end) =>
      function answerFirst(...values: unknown[]): unknown {
        Object.assign(socket, { write, end })
        if (isRefusal(values[0]) || mayAccept(request)) return Reflect.apply(send, socket, values)
        socket.on('error', () => undefined)
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy())
        // The listener goes on as if it had been accepted.
        Object.assign(socket, { write: () => false, end: () => socket })
        return send === write ? false : socket
      }
    Object.assign(socket, { write: before(write), end: before(end) })
  }

  // Node takes upgrades for requests as long as nobody listens.
  server.on('newListener', (event, listener) => {
    if (event !== 'upgrade' || listener === watch || server.listeners('upgrade').includes(watch)) return
    server.prependListener('upgrade', watch)
  })
}

const remedy = "because the listener of 'upgrade' did not wait for security.authenticateUpgrade(request, socket)"

/** Whether the first thing that is written refuses: an error, or nothing at all. */
function isRefusal(chunk: unknown): boolean {
  if (typeof chunk === 'string') return /^HTTP\/1\.[01] [45]\d\d/.test(chunk)
  if (chunk instanceof Uint8Array) return isRefusal(Buffer.from(chunk).toString('latin1', 0, 16))
  return chunk === undefined || typeof chunk === 'function'
}
