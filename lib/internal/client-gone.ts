/**
 * Tells when nobody waits for an answer any more.
 *
 * @module
 */

import type { Response } from 'express'

/** A signal that is aborted when the client closes the connection before it has its answer. */
export function clientGone(response: Response): AbortSignal {
  const controller = new AbortController()
  if (response.destroyed) controller.abort()
  response.once('close', () => {
    if (!response.writableEnded) controller.abort()
  })
  return controller.signal
}
