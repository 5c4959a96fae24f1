/**
 * What is done with a refusal. A facet answers it itself, so that the app's own error handlers never see it; a stand-alone
 * middleware passes it on. Both report it in the same way.
 *
 * @module
 */

import type { Request, RequestHandler, Response } from 'express'
import { findAuth } from '../core/auth.js'
import { systemClock } from '../core/clock.js'
import type { HttpError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { jsonLogger, type Logger } from '../core/logger.js'
import { answerRefusal } from './answer.js'
import { type GateRow, handlerOf, passToNext, type Refuse } from './gate.js'
import { isReported } from './reported-refusals.js'
import { clientAddress } from './trust-proxy.js'

/** The form that a mount gives to its refusals. */
export interface RefusalAnswer {
  /** Makes what an answer and its event are found together by; `undefined` for an answer that will not show it. */
  createReference(request: Request): string | undefined
  answer(error: HttpError, request: Request, response: Response, reference: string | undefined): void
}

const plainAnswer: RefusalAnswer = { createReference: () => undefined, answer: answerRefusal }

/** Who is told of refusals. */
export interface RefusalReport {
  readonly events: SecurityEvents
  readonly clock: () => number
}

/** The refusal of each request that was reported last: an app may keep one error for all its requests. */
const lastReported = new WeakMap<Request, HttpError>()

/**
 * Reports a refusal, unless it was reported before. The query, which may hold secrets, is left out.
 *
 * @returns The reference that it was reported with.
 */
export function reportRefusal(
  error: HttpError,
  request: Request,
  { events, clock }: RefusalReport,
  createReference: RefusalAnswer['createReference'] = plainAnswer.createReference,
): string | undefined {
  if (isReported(error) || lastReported.get(request) === error) return undefined
  lastReported.set(request, error)
  const reference = createReference(request)
  const { status, code, cause } = error
  events.report('refusal', {
    at: clock(),
    address: clientAddress(request),
    method: request.method,
    path: request.baseUrl + request.path,
    status,
    code,
    reference,
    subject: findAuth(request)?.subject,
    cause: status >= 500 ? cause : undefined,
  })
  return reference
}

/** Makes the answerer of a facet. */
export function facetRefusal(
  events: SecurityEvents,
  clock: () => number,
  { createReference, answer }: RefusalAnswer = plainAnswer,
): Refuse {
  const report = { events, clock }
  return (error, request, response) =>
    answer(error, request, response, reportRefusal(error, request, report, createReference))
}

/** What a stand-alone middleware is told about the reporting of its refusals. */
export interface StandAloneOptions {
  readonly events?: SecurityEvents | undefined
  readonly logger?: Logger | undefined
  readonly clock?: (() => number) | undefined
}

/** Makes the handler of a stand-alone middleware. Without `events`, `errorResponses` reports what it passes to `next`. */
export function standAlone(row: GateRow, options: StandAloneOptions): RequestHandler {
  const { events, logger = jsonLogger(), clock = systemClock } = options
  if (events === undefined) return handlerOf({ ...row, logger })
  const report = { events, clock }
  return handlerOf(row, (error, request, response, next) => {
    reportRefusal(error, request, report)
    passToNext(error, request, response, next)
  })
}
