/**
 * The one contract of the request path: a gate lets a request through, answers it, or returns a refusal.
 *
 * @module
 */

import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { HttpError, StoreError, UnavailableError } from '../core/errors.js'
import { isThenable } from '../core/thenable.js'
import { useLookupTables } from './lookup-tables.js'

/** `undefined`: the request may go on. `'answered'`: the gate has answered it. An {@link HttpError}: it is refused. */
export type Verdict = undefined | 'answered' | HttpError

/** Judges a request. It returns a refusal and never throws one; what it throws all the same refuses the request. */
export type Gate = (request: Request, response: Response) => Verdict | Promise<Verdict>

/** What is done with a refusal: a facet answers it, a stand-alone middleware passes it to `next`. */
export type Refuse = (error: HttpError, request: Request, response: Response, next: NextFunction) => void

/** A row of gates. `reload` replaces `gates` as a whole; a request that is under way keeps the row it began with. */
export interface GateRow {
  gates: readonly Gate[]
}

/** Longer than any check takes. Stores have shorter time-outs of their own; this is for one that has none. */
const verdictTimeoutMs = 30_000

const noVerdict = `no answer within ${verdictTimeoutMs / 1000} seconds`

const passToNext: Refuse = (error, _request, _response, next) => next(error)

/**
 * Makes one Express handler of one gate, or of a row of gates.
 *
 * The row runs without a promise for as long as its gates answer at once. A gate that throws or rejects refuses the
 * request: 503 for a {@link StoreError}, 500 for anything else. One that gives no verdict for 30 seconds: 503.
 */
export function handlerOf(gate: Gate | GateRow, refuse: Refuse = passToNext): RequestHandler {
  const row: GateRow = typeof gate === 'function' ? { gates: [gate] } : gate

  return function gateHandler(request, response, next) {
    useLookupTables(request, response)
    runFrom(0, row.gates, request, response, next, refuse)
  }
}

function runFrom(
  start: number,
  gates: readonly Gate[],
  request: Request,
  response: Response,
  next: NextFunction,
  refuse: Refuse,
): void {
  for (let index = start; index < gates.length; index++) {
    let verdict: Verdict | Promise<Verdict>
    try {
      verdict = gates[index]!(request, response)
    } catch (error) {
      verdict = refusalOf(error)
    }
    if (verdict === undefined) continue
    if (verdict === 'answered') return
    if (isThenable(verdict)) {
      inTime(Promise.resolve(verdict))
        .then((settled) => {
          if (settled === 'answered') return
          if (settled === undefined) runFrom(index + 1, gates, request, response, next, refuse)
          else refuse(refusalOf(settled), request, response, next)
        })
        .catch(next)
      return
    }
    refuse(refusalOf(verdict), request, response, next)
    return
  }
  next()
}

/** A late verdict is dropped: it neither lets the request through nor answers it a second time. */
function inTime(verdict: Promise<Verdict>): Promise<Verdict> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(refusalOf(new StoreError(noVerdict))), verdictTimeoutMs)
    timer.unref()
    void verdict.catch(refusalOf).then((settled) => {
      clearTimeout(timer)
      resolve(settled)
    })
  })
}

/** Turns what a gate threw, or answered in place of a verdict, into a refusal that tells the client nothing about it. */
export function refusalOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  if (error instanceof StoreError) {
    return new UnavailableError('ERR_STORE_UNAVAILABLE', 'A store cannot be reached. Try again later.', {
      cause: error,
    })
  }
  return new HttpError(500, 'ERR_INTERNAL', 'The request could not be checked.', { cause: error })
}
