/**
 * A request whose connection stays open, as that of a WebSocket or of an event stream: put through the app up to the mount that guards
 * its path, and again through that mount for as long as the connection is open.
 *
 * @module
 */

import { IncomingMessage, ServerResponse } from 'node:http'
import type { Express, NextFunction, Request, RequestHandler, Response } from 'express'
import { within } from '../async/deadline.js'
import { type Auth, findAuth } from '../core/auth.js'
import { ForbiddenError, HttpError, StoreError } from '../core/errors.js'
import { isCrossSite } from './cross-site.js'
import { refusalFrom } from './gate.js'
import { isBelow } from './mounted-at.js'

/** What a mount saw of a request that it let through. */
interface Pass {
  readonly handler: RequestHandler
  readonly seen: Pick<Request, 'url' | 'baseUrl' | 'params'>
}

/** `undefined`: it may go on. */
export type Outcome = HttpError | undefined

const key = Symbol('long-lived request')

const metMounts = Symbol('mounts')

type LongLived = IncomingMessage & { [key]?: LongLivedRequest; [metMounts]?: RequestHandler[] }

/** Longer than any check takes. */
const timeoutMs = 30_000

/** What a mount is asked about, where it is no request of a client. */
export function findLongLivedRequest(request: IncomingMessage): LongLivedRequest | undefined {
  return (request as LongLived)[key]
}

/** Notes that a request of a client meets a mount. */
export function noteMount(request: IncomingMessage, handler: RequestHandler): void {
  const noting: LongLived = request
  if (noting[key] !== undefined) return
  if (noting[metMounts] === undefined) noting[metMounts] = [handler]
  else noting[metMounts].push(handler)
}

export class LongLivedRequest {
  /** Whether it is an upgrade: then a page of another site could read what it gets, whatever CORS says. */
  readonly isUpgrade: boolean
  readonly #app: Express
  /** Has the headers of the request and no body. What middlewares do to it does not show on the request. */
  readonly #request: Request
  readonly #response: Response
  readonly #passes: Pass[] = []
  readonly #met: readonly RequestHandler[]
  #isFirst = true
  #settle: (outcome: Outcome) => void = () => undefined

  constructor(app: Express, request: IncomingMessage) {
    this.isUpgrade = request.headers.upgrade !== undefined
    this.#app = app
    this.#met = (request as LongLived)[metMounts] ?? []
    this.#request = copyOf(request) as Request
    ;(this.#request as LongLived)[key] = this
    this.#response = new ServerResponse(this.#request) as Response
    // Whoever answers was not asked for a connection: a login page, or a middleware of the app.
    this.#response.end = () => {
      this.#settle(refusalWith(this.#response.statusCode))
      return this.#response
    }
  }

  /** The caller whom the last mount has found; `undefined` on a public path, and where only addresses are checked. */
  get auth(): Auth | undefined {
    return findAuth(this.#request)
  }

  /** Asks the app. 404 where no mount is on the way; 400 for a path that a URL parser would change: it may lead past the mount. */
  async check(): Promise<Outcome> {
    if (!isPlainTarget(this.#request.url)) {
      return new HttpError(400, 'ERR_PATH_AMBIGUOUS', 'The path can be understood in more than one way.')
    }
    const outcome = await this.#run((response, next) => this.#app(this.#request, response, next))
    this.#isFirst = false
    return outcome
  }

  /** Whether {@link check} has asked all mounts that the request had met: another app would not ask those in front of it. */
  get hasMetAll(): boolean {
    return this.#met.every((handler) => this.#passes.some((pass) => pass.handler === handler))
  }

  /** Asks the mounts again, one call after the other. `isUse`: whether that is a use of the session. */
  checkAgain(isUse: boolean): Outcome | Promise<Outcome> {
    const { headers } = this.#request
    if (isUse) delete headers['sallyport-background']
    else headers['sallyport-background'] = '?1'
    return this.#askFrom(0)
  }

  /** Tells whoever has to do with the answer that there is none. */
  end(): void {
    this.#response.destroy()
  }

  /** Notes that a mount lets it through. Whether the app is to see it, because one of `others` may be on the way. */
  pass(handler: RequestHandler, others: ReadonlySet<RequestHandler>): boolean {
    const { url, baseUrl, params, originalUrl } = this.#request
    if (this.#isFirst) this.#passes.push({ handler, seen: { url, baseUrl, params } })
    const mayFollow = this.#isFirst && others.size > 0 && isBelow(this.#app, others, pathOf(originalUrl))
    if (!mayFollow) this.#settle(this.#crossSiteRefusal())
    return mayFollow
  }

  refuse(error: HttpError): void {
    this.#settle(error)
  }

  /** A portal looks at `Origin` by itself. */
  #crossSiteRefusal(): Outcome {
    const { origin } = this.#request.headers
    const isListed = origin !== undefined && this.#response.getHeader('Access-Control-Allow-Origin') === origin
    if (!this.isUpgrade || this.auth?.kind === 'portal' || isListed || !isCrossSite(this.#request)) return undefined
    return new ForbiddenError(
      'ERR_CROSS_SITE',
      'Only a page of this site may connect, or of an origin that CORS lists.',
    )
  }

  #askFrom(index: number): Outcome | Promise<Outcome> {
    const pass = this.#passes[index]
    if (pass === undefined) return undefined
    const { handler, seen } = pass
    Object.assign(this.#request, seen)
    const outcome = this.#run((response, next) => handler(this.#request, response, next))
    if (outcome instanceof Promise) return outcome.then((settled) => settled ?? this.#askFrom(index + 1))
    return outcome ?? this.#askFrom(index + 1)
  }

  #run(start: (response: Response, next: NextFunction) => void): Outcome | Promise<Outcome> {
    let hasSettled = false
    let outcome: Outcome
    let notify = (): void => undefined
    this.#settle = (settled) => {
      if (hasSettled) return
      hasSettled = true
      outcome = settled
      notify()
    }
    const settle = this.#settle
    start(this.#response, (error?: unknown) => settle(error === undefined ? notFound() : refusalFrom(error)))
    if (hasSettled) return outcome
    const settling = new Promise<void>((resolve) => {
      notify = resolve
    })
    return within(settling, timeoutMs, () => new StoreError('no answer within 30 seconds')).then(
      () => outcome,
      refusalFrom,
    )
  }
}

/** Whether every reader of a request target sees the same path in it. */
export function isPlainTarget(target = '/'): boolean {
  if (!URL.canParse(target, 'http://this.invalid')) return false
  const { pathname, search } = new URL(target, 'http://this.invalid')
  return pathname === pathOf(target) && target.length === pathname.length + search.length
}

function pathOf(target: string): string {
  return target.split('?', 1)[0]!
}

function refusalWith(status: number): HttpError {
  return status < 400 ? notFound() : new HttpError(status, 'ERR_PATH_DENIED', 'Access to this path is denied.')
}

function notFound(): HttpError {
  return new HttpError(404, 'ERR_NOT_FOUND', 'Not found.')
}

function copyOf(request: IncomingMessage): IncomingMessage {
  const copy = new IncomingMessage(request.socket)
  const { method, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } = request
  const { originalUrl = request.url } = request as Partial<Request>
  // There is no body to be read.
  const { 'content-length': _length, 'content-type': _type, 'transfer-encoding': _coding, ...headers } = request.headers
  copy.push(null)
  return Object.assign(copy, {
    method,
    url: originalUrl,
    headers,
    rawHeaders,
    httpVersion,
    httpVersionMajor,
    httpVersionMinor,
  })
}
