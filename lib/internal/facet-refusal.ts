/**
 * How a facet deals with refusals: it answers them itself, so that the app's own error handlers never see them.
 *
 * @module
 */

import type { Request } from 'express'
import type { AuthenticatedRequest } from '../core/auth.js'
import type { SecurityEvents } from '../core/events.js'
import { answerRefusal } from './answer.js'
import type { Refuse } from './gate.js'
import { isReported } from './reported-refusals.js'
import { clientAddress } from './trust-proxy.js'

/**
 * Makes the answerer of a facet. Each refusal is reported once; the query, which may hold secrets, is left out. `answer` gives
 * the refusal its form.
 */
export function facetRefusal(
  events: SecurityEvents,
  clock: () => number,
  answer: typeof answerRefusal = answerRefusal,
): Refuse {
  return function refuse(error, request, response) {
    if (!isReported(error)) {
      const { status, code, cause } = error
      events.report('refusal', {
        at: clock(),
        address: clientAddress(request),
        method: request.method,
        path: request.baseUrl + request.path,
        status,
        code,
        subject: (request as Request & AuthenticatedRequest).auth?.subject,
        cause: status >= 500 ? cause : undefined,
      })
    }
    answer(error, request, response)
  }
}
