/**
 * Answers the refusals that stand-alone middlewares pass to `next`. A facet answers its own and needs none of this.
 *
 * @module
 */

import type { ErrorRequestHandler } from 'express'
import { systemClock } from '../core/clock.js'
import { HttpError, StoreError } from '../core/errors.js'
import { SecurityEvents } from '../core/events.js'
import { facetRefusal } from '../internal/facet-refusal.js'
import { refusalOf } from '../internal/gate.js'

/** Options of {@link errorResponses}. */
export interface ErrorResponsesOptions {
  /**
   * Told of the refusals that it answers.
   *
   * @defaultValue one JSON line to stderr for each of them
   */
  readonly events?: SecurityEvents | undefined
  /**
   * Milliseconds since the epoch, for the events.
   *
   * @defaultValue `Date.now`
   */
  readonly clock?: (() => number) | undefined
}

/**
 * Makes the error handler that stands after the routes. It reports each refusal that no gate has reported. Errors that are
 * not this package's go on to the app's own handler, untouched.
 *
 * @example
 * ```ts
 * app.use(errorResponses({ events: security.events }))
 * ```
 */
export function errorResponses(options: ErrorResponsesOptions = {}): ErrorRequestHandler {
  const { events = new SecurityEvents(), clock = systemClock } = options
  const answer = facetRefusal(events, clock)

  return function errorResponsesHandler(error, request, response, next) {
    if (error instanceof HttpError || error instanceof StoreError) answer(refusalOf(error), request, response, next)
    else next(error)
  }
}
