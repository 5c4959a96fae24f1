/**
 * Connections that stay open: each is let in by the mounts that guard its path, and ended when they would no longer let it in.
 *
 * @module
 */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { Request } from 'express'
import { inBackground } from '../async/background.js'
import type { Auth } from '../core/auth.js'
import { BadRequestError, type HttpError, UnavailableError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { isThenable } from '../core/thenable.js'
import { refusalFrom } from '../http/gate.js'
import { findLongLivedRequest, LongLivedRequest } from '../http/long-lived-request.js'
import type { RecordVerifier } from '../tokens/verification.js'
import type { Mounts } from './mounts.js'
import { appOf, findAppOf, outermostApp, unknownApp } from './server-apps.js'

/** What is used of a WebSocket of `ws`, or of anything with the same methods. */
export interface ClosableSocket {
  /** Begins the closing handshake. */
  close(code?: number, reason?: string): void
  /** Ends the connection at once. */
  terminate?(): void
}

/** A connection that was let in. */
export interface GuardedConnection {
  /** The caller at the handshake; `undefined` on a public path, and where only addresses are checked. */
  readonly auth: Auth | undefined
  /** Aborted within a second after a new request of the caller would be refused, with that refusal as its reason. */
  readonly signal: AbortSignal
  /**
   * Closes a WebSocket then: with code 4401, 1013 where a store cannot be asked, or 1001 where the server shuts down; half a second
   * later the connection ends, whatever the client does.
   */
  end(socket: ClosableSocket): void
  /** Notes that the user is there. What the connection carries is no use of the session: its idle time-out goes on. */
  touch(): Promise<void>
}

/** Between two checks of all connections. */
const intervalMs = 500

/** Connections that are checked in one turn of the event loop. */
const sliceSize = 200

/** How long a client has for its part of the closing. */
const closeMs = 500

/** What {@link Connections} works with. */
export interface ConnectionsParts {
  readonly mounts: Pick<Mounts, 'generation'>
  readonly verify: RecordVerifier
  readonly logger: Logger
}

const shuttingDown = new UnavailableError('ERR_STORE_UNAVAILABLE', 'The server is shutting down. Try again later.')

export class Connections {
  readonly #parts: ConnectionsParts
  readonly #open = new Set<Connection>()
  readonly #admitted = new WeakSet<IncomingMessage>()
  #timer: NodeJS.Timeout | undefined
  #isChecking = false
  #isClosed = false

  constructor(parts: ConnectionsParts) {
    this.#parts = parts
  }

  /** Connections that are open now. */
  get size(): number {
    return this.#open.size
  }

  /** Whether {@link admit} has let a request in. */
  hasAdmitted(request: IncomingMessage): boolean {
    return this.#admitted.has(request)
  }

  /** Rejects with the refusal. @throws TypeError for a request of a server without an Express app. */
  async admit(request: IncomingMessage, app = appOf(request)): Promise<GuardedConnection> {
    request.socket.on('error', () => undefined)
    // What is polled for has no connection that could be ended.
    if (request.headers.upgrade === undefined)
      throw new BadRequestError('ERR_REQUEST_INVALID', 'Only a WebSocket may connect.')
    const longLived = new LongLivedRequest(app, request)
    const refusal = await longLived.check()
    if (refusal !== undefined) throw refusal
    this.#admitted.add(request)
    return this.#add(new Connection(longLived, this.#parts), request.socket)
  }

  /** As {@link admit}, with the refusal as the answer: then it resolves with `undefined`. */
  async admitOrAnswer(request: IncomingMessage, socket: Duplex): Promise<GuardedConnection | undefined> {
    const app = appOf(request)
    try {
      return await this.admit(request, app)
    } catch (error) {
      // The other half would stay open for ever.
      const destroy = (): Duplex => socket.destroy()
      socket.end(answerFrom(refusalFrom(error)), destroy)
      setTimeout(destroy, closeMs).unref()
      return undefined
    }
  }

  /** Ends a response that stays open. */
  endWhenRefused(response: ServerResponse): void {
    const { req: request } = response
    // The route is being asked about itself.
    if (findLongLivedRequest(request) !== undefined) return
    const known = findAppOf(request)
    const longLived = new LongLivedRequest(known ?? appOf(request, outermostApp(request as Partial<Request>)), request)
    const end = (): void => {
      response.end()
      setTimeout(() => response.destroy(), closeMs).unref()
    }
    inBackground(async () => {
      const refusal = await longLived.check()
      const isOfOtherApp = known === undefined && refusal === undefined && !longLived.hasMetAll
      if (isOfOtherApp) this.#parts.logger.error({}, `a stream was ended: ${unknownApp}`)
      if (refusal !== undefined || isOfOtherApp) return end()
      const { signal } = this.#add(new Connection(longLived, this.#parts), response)
      if (signal.aborted) end()
      else signal.addEventListener('abort', end)
    }, end)
  }

  /** Ends all connections, and those that are let in from now on. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const connection of [...this.#open]) connection.abort(shuttingDown)
  }

  #add(connection: Connection, socket: Duplex | ServerResponse): GuardedConnection {
    const forget = (): void => {
      this.#open.delete(connection)
      connection.forget()
    }
    this.#open.add(connection)
    socket.once('close', forget)
    connection.signal.addEventListener('abort', forget)
    if (socket.destroyed) forget()
    if (this.#isClosed) connection.abort(shuttingDown)
    this.#schedule()
    return connection
  }

  #schedule(): void {
    if (this.#isClosed || this.#isChecking || this.#open.size === 0) return
    this.#isChecking = true
    this.#timer = setTimeout(() => inBackground(() => this.#checkAll()), intervalMs)
    this.#timer.unref()
  }

  async #checkAll(): Promise<void> {
    const connections = [...this.#open]
    try {
      for (let start = 0; start < connections.length; start += sliceSize) {
        const checks = connections.slice(start, start + sliceSize).map((connection) => connection.check(false))
        await Promise.all(checks)
        await turn()
      }
    } finally {
      this.#isChecking = false
      this.#schedule()
    }
  }
}

class Connection implements GuardedConnection {
  readonly auth: Auth | undefined
  readonly #request: LongLivedRequest
  readonly #parts: ConnectionsParts
  readonly #controller = new AbortController()
  /** Checks that were asked for and have not ended. */
  #checking: Promise<void> | undefined
  /** Of the gates that were asked last. */
  #generation: number

  constructor(request: LongLivedRequest, parts: ConnectionsParts) {
    this.#request = request
    this.#parts = parts
    this.#generation = parts.mounts.generation
    this.auth = request.auth
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  end(socket: ClosableSocket): void {
    const close = (): void => {
      const { status, message } = this.signal.reason as HttpError
      const isAway = this.signal.reason === shuttingDown
      setTimeout(() => socket.terminate?.(), closeMs).unref()
      // What it throws is dropped: it ends all the same.
      inBackground(() => socket.close(isAway ? 1001 : status === 503 ? 1013 : 4401, reasonFrom(message)))
    }
    if (this.signal.aborted) close()
    else this.signal.addEventListener('abort', close)
  }

  async touch(): Promise<void> {
    await this.check(true)
  }

  /** One after the other. */
  check(isUse: boolean): undefined | Promise<void> {
    if (this.#checking === undefined) return this.#check(isUse)
    return this.#checking.then(() => this.check(isUse))
  }

  forget(): void {
    this.#request.end()
  }

  abort(reason: HttpError | undefined): void {
    if (reason !== undefined) this.#controller.abort(reason)
  }

  #check(isUse: boolean): undefined | Promise<void> {
    if (!isUse && this.#isUnchanged()) return undefined
    this.#generation = this.#parts.mounts.generation
    const outcome = this.#request.checkAgain(isUse)
    if (!(outcome instanceof Promise)) {
      this.abort(outcome)
      return undefined
    }
    this.#checking = outcome.then((refusal) => {
      this.#checking = undefined
      this.abort(refusal)
    })
    return this.#checking
  }

  /** Whether the same gates would decide on the same facts: then they need not be asked. `false` where that takes time. */
  #isUnchanged(): boolean {
    const { mounts, verify } = this.#parts
    const { auth = this.auth } = this.#request
    if (auth === undefined) return this.#generation === mounts.generation
    if (auth.tokenId === undefined || this.#generation !== mounts.generation) return false
    try {
      const record = verify({ id: auth.tokenId, kind: auth.kind, isActivity: false })
      if (!isThenable(record)) return record.account.roles === auth.roles && record.account.isAdmin === auth.isAdmin
      inBackground(() => record)
      return false
    } catch {
      return false
    }
  }
}

/** At most 123 bytes (RFC 6455 section 5.5). */
function reasonFrom(message: string): string {
  return Buffer.from(message).subarray(0, 100).toString()
}

/** A refusal as the answer to an upgrade. */
function answerFrom({ status, code, message, headers }: HttpError): string {
  const body = JSON.stringify({ Error: message, code })
  const lines = {
    ...headers,
    Connection: 'close',
    'Cache-Control': 'no-store',
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  }
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`
}
