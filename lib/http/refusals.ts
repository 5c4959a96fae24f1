/**
 * What is done with a refusal. A mount answers it itself, so that the app's own error handlers never see it; a stand-alone
 * middleware passes it on. Both report it in the same way.
 *
 * @module
 */

import type { Request, RequestHandler, Response } from 'express'
import { type AuthKind, findAuth } from '../core/auth.js'
import { systemClock } from '../core/clock.js'
import { BadRequestError, type HttpError, type HttpErrorCode, type Origin } from '../core/errors.js'
import type { Client, LoginRefusal, SecurityEvents } from '../core/events.js'
import { defaultLogger, type Logger } from '../core/logger.js'
import { isReported, markReported } from '../core/reported.js'
import { answerRefusal } from './answer.js'
import { readClient } from './client.js'
import { type GateRow, passToNext, type Refuse, refusalFrom, toHandler } from './gate.js'

export interface RefusalAnswer {
  /** Makes what an answer and its event are found together by; `undefined` for an answer that will not show it. */
  createReference(request: Request): string | undefined
  answer(error: HttpError, request: Request, response: Response, reference: string | undefined): void
}

const plainAnswer: RefusalAnswer = { createReference: () => undefined, answer: answerRefusal }

export interface RefusalReport {
  readonly events: SecurityEvents
  readonly clock: () => number
  /** The rule behind a code, where the gate that refuses does not know the configuration. */
  readonly ruleFor?: RuleFor | undefined
}

export type RuleFor = (code: HttpErrorCode) => Origin | undefined

/** The refusal of each request that was reported last: an app may keep one error for all its requests. */
const lastReported = new WeakMap<Request, HttpError>()

/** Reports a refusal once, without the query, which may hold secrets. @returns The reference that it was reported with. */
export function reportRefusal(
  error: HttpError,
  request: Request,
  { events, clock, ruleFor }: RefusalReport,
  createReference: RefusalAnswer['createReference'] = plainAnswer.createReference,
): string | undefined {
  if (isReported(error) || lastReported.get(request) === error) return undefined
  lastReported.set(request, error)
  const reference = createReference(request)
  const { status, code, cause, origin = ruleFor?.(code) } = error
  events.report('refusal', {
    at: clock(),
    ...readClient(request),
    method: request.method,
    path: request.baseUrl + request.path,
    status,
    code,
    reference,
    subject: findAuth(request)?.subject,
    impersonator: findAuth(request)?.impersonator,
    cause: status >= 500 ? cause : undefined,
    rule: origin?.key,
    position: origin?.position,
  })
  return reference
}

export function refuseAtMount(
  events: SecurityEvents,
  clock: () => number,
  { createReference, answer }: RefusalAnswer = plainAnswer,
  ruleFor?: RuleFor,
): Refuse {
  const report = { events, clock, ruleFor }
  return (error, request, response) =>
    answer(error, request, response, reportRefusal(error, request, report, createReference))
}

export interface StandAloneOptions {
  readonly events?: SecurityEvents | undefined
  readonly logger?: Logger | undefined
  readonly clock?: (() => number) | undefined
}

/** Makes the handler of a stand-alone middleware. Without `events`, `errorResponses` reports what it passes to `next`. */
export function standAlone(row: GateRow, options: StandAloneOptions): RequestHandler {
  const { events, logger = defaultLogger(), clock = systemClock } = options
  if (events === undefined) return toHandler({ ...row, logger })
  const report = { events, clock }
  return toHandler(row, (error, request, response, next) => {
    reportRefusal(error, request, report)
    passToNext(error, request, response, next)
  })
}

/** Refusals that are refused logins; any other is a fault, which is reported with its cause as a refused request. */
const reasons: Partial<Record<HttpErrorCode, LoginRefusal>> = {
  ERR_TOKEN_STORE_FULL: 'token-store-full',
  ERR_STORE_UNAVAILABLE: 'store-unavailable',
  ERR_AUTH_INVALID_CREDENTIALS: 'wrong-password',
}

/**
 * Turns what a login ended with into a refusal. What the authenticator refuses it has reported; a token or a session that
 * cannot be started is reported here as a refused login.
 */
export function refusedLoginReporter(
  events: SecurityEvents | undefined,
  clock: () => number,
  kind: AuthKind,
): (error: unknown, userName: string, client: Client) => HttpError {
  return function refusedLogin(error, userName, client) {
    const refusal = refusalFrom(error)
    const reason = reasons[refusal.code]
    if (isReported(refusal) || reason === undefined || events === undefined) return refusal
    events.report('loginRefused', { at: clock(), ...client, userName, reason, kind, cause: refusal.cause })
    return markReported(refusal)
  }
}

/** A 400 with the challenge of the scheme that was expected. */
export function severalCredentials(challenge: string): BadRequestError {
  return new BadRequestError(
    'ERR_AUTH_SEVERAL_CREDENTIALS',
    'Send exactly one credential, in one Authorization header.',
    {
      headers: { 'WWW-Authenticate': challenge },
    },
  )
}
