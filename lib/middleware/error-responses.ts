/**
 * Answers the refusals that stand-alone middlewares pass to `next`. A mount answers its own and needs none of this.
 *
 * @module
 */

import type { ErrorRequestHandler } from 'express'
import { systemClock } from '../core/clock.js'
import { HttpError, StoreError } from '../core/errors.js'
import { SecurityEvents } from '../core/events.js'
import { refusalFrom } from '../http/gate.js'
import { refuseAtMount } from '../http/refusals.js'

/** Options of {@link errorResponses}. */
export interface ErrorResponsesOptions {
  /** Told of the refusals that it answers. @defaultValue one line to stderr for each */
  readonly events?: SecurityEvents | undefined
  /** Milliseconds since the epoch, for the events. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
}

/**
 * Makes the error handler that stands after the routes. It reports each refusal that no gate has reported; errors that are
 * not this package's go on to the app's own handler, untouched.
 */
export function errorResponses(options: ErrorResponsesOptions = {}): ErrorRequestHandler {
  const { events = new SecurityEvents(), clock = systemClock } = options
  const answer = refuseAtMount(events, clock)

  return function errorResponsesHandler(error, request, response, next) {
    if (error instanceof HttpError || error instanceof StoreError) answer(refusalFrom(error), request, response, next)
    else next(error)
  }
}
