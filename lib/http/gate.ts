/**
 * The one contract of the request path: a gate lets a request through, answers it, or returns a refusal.
 *
 * @module
 */

import type { IncomingMessage, Server } from 'node:http'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { within } from '../async/deadline.js'
import type { Auth } from '../core/auth.js'
import { HttpError, type Origin, StoreError, UnavailableError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { isThenable } from '../core/thenable.js'
import { addPathHandler, mountRefusal } from './mounted-at.js'

/** `undefined`: the request may go on. `'answered'`: the gate has answered it. An `HttpError`: it is refused. */
export type Verdict = undefined | 'answered' | HttpError

/** What a rule looks at: the address of the client, or the rights of the caller. */
export type RuleStage = 'address' | 'authorization'

/** Gets the rules that a gate went by, when somebody asks why a request passes or is refused. */
export interface Trace {
  rule(origin: Origin, effect: 'passed' | 'refused', stage: RuleStage): void
}

/** Returns a refusal and never throws one; what it throws all the same refuses the request. */
export type Gate = (request: Request, response: Response, trace?: Trace) => Verdict | Promise<Verdict>

/** What is done with a refusal: a mount answers it, a stand-alone middleware passes it to `next`. */
export type Refuse = (error: HttpError, request: Request, response: Response, next: NextFunction) => void

/** `reload` replaces `gates` as a whole; a request that is under way keeps the row that it started with. */
export interface GateRow {
  gates: readonly Gate[]
  /** Whether any of the gates reads the path below the mount. Then the handler refuses all requests of a mount that hides it. */
  readonly readsPath?: boolean
  /** Whether a request gets past it only when the caller is known, or where the app has said that everybody may call. */
  authenticates?: boolean
  /** Where it finds the caller: what it says of one whom it has found. */
  readonly admits?: ((auth: Auth) => HttpError | undefined) | undefined
  /** Where it asks for the rights of a caller whom another one has found: the roles that it names. */
  readonly askedRoles?: readonly string[] | undefined
  /** Gets the reason, once, where `refuse` keeps it from the log. */
  readonly logger?: Logger | undefined
}

const rows = new WeakMap<object, GateRow>()

/** The row that {@link toHandler} has made a handler of; `undefined` for a handler of anybody else. */
export function findGateRow(handler: unknown): GateRow | undefined {
  return rows.get(handler as object)
}

/** Longer than any check takes. Stores have shorter time-outs of their own; this is for one that has none. */
const verdictTimeoutMs = 30_000

/** The headers are set here, because other error handlers than Express' own do not read them from the error. */
export const passToNext: Refuse = (error, _request, response, next) => {
  if (!response.headersSent) response.set(error.headers)
  next(error)
}

/**
 * Makes one Express handler of one gate, or of a row of gates.
 *
 * A request with more headers than Node keeps is refused before any gate: 431.
 *
 * The row runs without a promise for as long as its gates answer at once. A gate that throws or rejects refuses the
 * request: 503 for a `StoreError`, 500 for anything else. One that gives no verdict for 30 seconds: 503.
 */
export function toHandler(gate: Gate | GateRow, refuse: Refuse = passToNext): RequestHandler {
  const row: GateRow = typeof gate === 'function' ? { gates: [gate] } : gate
  let hasLogged = false

  function gateHandler(request: Request, response: Response, next: NextFunction): void {
    const verdict = headersRefusal(request) ?? hiddenPath(request, next) ?? askGates(row.gates, request, response)
    if (isThenable(verdict)) verdict.then((settled) => settle(settled, request, response, next)).catch(next)
    else settle(verdict, request, response, next)
  }

  function settle(verdict: Verdict, request: Request, response: Response, next: NextFunction): void {
    if (verdict === undefined) next()
    else if (verdict !== 'answered') refuse(verdict, request, response, next)
  }

  function hiddenPath(request: Request, next: NextFunction): HttpError | undefined {
    const refusal = row.readsPath ? mountRefusal(request, next, gateHandler) : undefined
    if (refusal !== undefined && !hasLogged) {
      hasLogged = true
      row.logger?.error({ code: refusal.code }, (refusal.cause as Error).message)
    }
    return refusal
  }

  rows.set(gateHandler, row)
  if (row.readsPath) addPathHandler(gateHandler)
  return gateHandler
}

/**
 * Asks gates one after the other, until one answers or refuses; `undefined`: all let the request through. What it returns for a gate that
 * throws, rejects or gives no verdict in time is a refusal: it neither throws nor rejects.
 */
export function askGates(
  gates: readonly Gate[],
  request: Request,
  response: Response,
  trace?: Trace,
  start = 0,
): Verdict | Promise<Verdict> {
  for (let index = start; index < gates.length; index++) {
    let verdict: Verdict | Promise<Verdict>
    try {
      verdict = gates[index]!(request, response, trace)
    } catch (error) {
      return refusalFrom(error)
    }
    if (verdict === undefined) continue
    if (!isThenable(verdict)) return checked(verdict)
    return inTime(Promise.resolve(verdict)).then((settled) =>
      settled === undefined ? askGates(gates, request, response, trace, index + 1) : checked(settled),
    )
  }
  return undefined
}

/** Of a gate that is not typed, anything may come. */
function checked(verdict: NonNullable<Verdict>): Verdict {
  return verdict === 'answered' ? verdict : refusalFrom(verdict)
}

/** A late verdict is dropped: it neither lets the request through nor answers it a second time. */
function inTime(verdict: Promise<Verdict>): Promise<Verdict> {
  return within(
    verdict,
    verdictTimeoutMs,
    () => new StoreError(`no answer within ${verdictTimeoutMs / 1000} seconds`),
  ).catch(refusalFrom)
}

/** Turns what a gate threw, or answered in place of a verdict, into a refusal that tells the client nothing about it. */
export function refusalFrom(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  if (error instanceof StoreError) {
    return new UnavailableError('ERR_STORE_UNAVAILABLE', 'A store cannot be reached. Try again later.', {
      cause: error,
    })
  }
  return new HttpError(500, 'ERR_INTERNAL', 'The request could not be checked.', { cause: error })
}

/** What Node keeps of a request where the server says nothing else: names and values. */
const keptByDefault = 2000

/** Refuses (431, `ERR_HEADERS_TOO_MANY`) a request with as many headers as Node keeps: there may have been more. */
export function headersRefusal({ rawHeaders, socket }: IncomingMessage): HttpError | undefined {
  if (rawHeaders.length < keptBy((socket as { readonly server?: Server } | undefined)?.server)) return undefined
  return new HttpError(431, 'ERR_HEADERS_TOO_MANY', 'The request has too many headers.')
}

/** As Node reads `maxHeadersCount`: what is no number is the default, and zero is no limit. */
function keptBy(server: Server | undefined): number {
  const count: unknown = server?.maxHeadersCount
  if (typeof count !== 'number') return keptByDefault
  const kept = count << 1
  return kept > 0 ? kept : Number.POSITIVE_INFINITY
}
