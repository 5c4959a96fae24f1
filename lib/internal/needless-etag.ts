/**
 * Spares Express the ETag of an answer that no cache may keep.
 *
 * Express makes one for each answer of `send` and `json`: it copies the body, hashes it and adds a header. Without it a request
 * takes 1.2 to 1.5 us less, of some 20. A weak ETag is good for revalidating a stored answer (RFC 9110 section 8.8.1), and `no-store`
 * forbids caches to store it.
 *
 * @module
 */

import type { Express, Response } from 'express'
import { isMadeByExpress } from './express-etag.js'

/**
 * Has `send`, and with it `json`, `jsonp` and `render`, make no ETag for this answer if it says exactly `no-store` by then.
 * An app whose setting `etag` is no longer Express' own `'weak'` gets its ETags, and files keep theirs.
 */
export function leaveOutNeedlessEtag(response: Response): void {
  // Somebody who stands in the way of `send` stays there, and a response of something else than Express stays as it is.
  if (Object.hasOwn(response, 'send') || response.app === undefined) return
  try {
    response.send = sendUntagged
  } catch {
    // The app does not let anybody replace it.
  }
}

type Send = Response['send']

// One function for all: with one of its own, each response would be of another hidden class, which costs more than this saves.
function sendUntagged(this: Response, ...values: Parameters<Send>): Response {
  // Not what the response inherits: it may be inherited from, by objects that lead back to here.
  const { settings, response } = this.app as Express
  const makeEtag: unknown = settings['etag fn']
  const isNeedless =
    this.getHeader('Cache-Control') === 'no-store' && settings['etag'] === 'weak' && isMadeByExpress(makeEtag)
  if (!isNeedless || !Reflect.set(settings, 'etag fn', undefined)) return response.send.apply(this, values)

  // Express asks for the function at the beginning of `send`, which answers at once.
  try {
    return response.send.apply(this, values)
  } finally {
    // Else a listener has chosen another kind in the meantime.
    if (settings['etag'] === 'weak' && settings['etag fn'] === undefined) settings['etag fn'] = makeEtag
  }
}
