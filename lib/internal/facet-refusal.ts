/**
 * How a facet deals with refusals: it answers them itself, so that the app's own error handlers never see them.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { findAuth } from '../core/auth.js'
import type { HttpError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { answerRefusal } from './answer.js'
import type { Refuse } from './gate.js'
import { isReported } from './reported-refusals.js'
import { clientAddress } from './trust-proxy.js'

/** The form that a mount gives to its refusals. */
export interface RefusalAnswer {
  /** Makes what an answer and its event are found together by; `undefined` for an answer that will not show it. */
  createReference(request: Request): string | undefined
  answer(error: HttpError, request: Request, response: Response, reference: string | undefined): void
}

const plainAnswer: RefusalAnswer = { createReference: () => undefined, answer: answerRefusal }

/** Makes the answerer of a facet. Each refusal is reported once; the query, which may hold secrets, is left out. */
export function facetRefusal(
  events: SecurityEvents,
  clock: () => number,
  { createReference, answer }: RefusalAnswer = plainAnswer,
): Refuse {
  return function refuse(error, request, response) {
    let reference: string | undefined
    if (!isReported(error)) {
      reference = createReference(request)
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
    }
    answer(error, request, response, reference)
  }
}
