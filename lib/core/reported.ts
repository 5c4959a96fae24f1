/**
 * Which refusals were reported already: an event of their own says more than that of a refusal.
 *
 * @module
 */

import type { HttpError } from './errors.js'

const reported = new WeakSet<HttpError>()

/** Notes that a refusal was reported, and returns it. `isTold`: whether there was anybody to report it to. */
export function markReported<Refusal extends HttpError>(refusal: Refusal, isTold: boolean = true): Refusal {
  if (isTold) reported.add(refusal)
  return refusal
}

/** Whether {@link markReported} was called for a refusal. */
export function isReported(refusal: HttpError): boolean {
  return reported.has(refusal)
}
