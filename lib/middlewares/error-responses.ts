/**
 * Answers the refusals that stand-alone middlewares pass to `next`. A facet answers its own and needs none of this.
 *
 * @module
 */

import type { ErrorRequestHandler } from 'express'
import { HttpError, StoreError } from '../core/errors.js'
import { answerRefusal } from '../internal/answer.js'
import { refusalOf } from '../internal/gate.js'

/**
 * Makes the error handler that stands after the routes. Errors that are not this package's go on to the app's own
 * handler, untouched.
 *
 * @example
 * ```ts
 * app.use(errorResponses())
 * ```
 */
export function errorResponses(): ErrorRequestHandler {
  return function errorResponsesHandler(error, request, response, next) {
    if (error instanceof HttpError || error instanceof StoreError) answerRefusal(refusalOf(error), request, response)
    else next(error)
  }
}
