/**
 * A clean end: new requests go elsewhere, those under way are answered, and nothing hangs.
 *
 * @module
 */

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Server as NetServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { maxTimerMs } from '../async/deadline.js'
import type { Logger } from '../core/logger.js'
import { assertNumbers } from '../core/option-numbers.js'
import type { Health } from '../health/health.js'
import { announceEnd, trackSockets } from '../http/express/server-sockets.js'
import type { Connections } from './connections.js'
import type { Security } from './security.js'

/** Options of `Security.shutdown`. */
export interface ShutdownOptions {
  /**
   * Milliseconds that requests under way have to end; then their connections are closed. Shorter than what waits for the process:
   * `docker stop` waits 10 seconds, Kubernetes 30.
   *
   * @defaultValue 8000
   */
  readonly timeout?: number | undefined
  /**
   * Milliseconds for which new connections are still taken, while `/health/ready` says 503: as long as a load balancer needs to notice.
   *
   * @defaultValue 0
   */
  readonly delay?: number | undefined
}

/** What a shutdown works with. */
export interface ShutdownParts {
  readonly watching: { readonly health: Pick<Health, 'shutDown'> }
  /** WebSockets and event streams. */
  readonly connections: Pick<Connections, 'close'>
  readonly close: () => Promise<void>
  readonly logger: Logger
}

/** How long a server may take whose connections were all closed. */
const closeMs = 1000

/** Between two looks at what has become idle. */
const idleCheckMs = 100

/** Makes `security.shutdown`. It rejects with a TypeError for an option out of range, and as `close` does. */
export function createShutdown(parts: ShutdownParts): Security['shutdown'] {
  let ending: Promise<void> | undefined
  return (servers, options = {}) => {
    if (ending !== undefined) return ending
    const { timeout = 8000, delay = 0 } = options
    try {
      assertNumbers({ timeout, delay }, 0, maxTimerMs)
    } catch (mistake) {
      // The next call must still end everything.
      return Promise.reject(mistake)
    }
    ending = shutDown([servers].flat(), { timeout, delay }, parts)
    return ending
  }
}

async function shutDown(
  servers: readonly NetServer[],
  { timeout, delay }: { readonly timeout: number; readonly delay: number },
  { watching, connections, close, logger }: ShutdownParts,
): Promise<void> {
  watching.health.shutDown()
  for (const server of servers) announceEnd(server)
  if (delay > 0) await sleep(delay)
  connections.close()
  await Promise.all(servers.map((server) => closeServer(server, timeout, logger)))
  await close()
}

async function closeServer(server: NetServer, timeoutMs: number, logger: Logger): Promise<void> {
  // One that is about to listen does so after all.
  server.once('listening', () => server.close())
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  const http = server as Partial<Pick<Server, 'closeIdleConnections' | 'closeAllConnections'>>
  http.closeIdleConnections?.()
  const idleTimer = setInterval(() => http.closeIdleConnections?.(), idleCheckMs)
  try {
    if (await isInTime(closed, timeoutMs)) return
    const sockets = trackSockets(server)
    logger.warn({ connections: sockets.size }, `connections were still open after ${timeoutMs} ms, and are closed`)
    http.closeAllConnections?.()
    for (const socket of sockets) socket.destroy()
    if (!(await isInTime(closed, closeMs)))
      logger.error({}, 'a server could not be closed: it has connections that Node does not tell of')
  } finally {
    clearInterval(idleTimer)
  }
}

async function isInTime(event: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController()
  const late = sleep(timeoutMs, false, { signal: timer.signal }).catch(() => false)
  const isDone = await Promise.race([event.then(() => true), late])
  timer.abort()
  return isDone
}
