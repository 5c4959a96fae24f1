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

/** Whether nothing can be answered any more: the client has gone, or the request took so long that it was refused. */
export function isOver(response: Response): boolean {
  return response.destroyed || response.headersSent
}
