/**
 * The path of a request from the root of the server, wherever the handler that asks is mounted.
 *
 * @module
 */

import type { Request } from 'express'

/** The scheme and host of a request line in absolute form (RFC 9112 section 3.2.2). */
const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/**
 * The path as the client sent it and, where a middleware before has rewritten the URL, the path that routers will see.
 * Neither is decoded.
 */
export function wholePaths({ originalUrl, baseUrl, path }: Request): readonly string[] {
  const sent = originalUrl.replace(origin, '').split('?', 1)[0]!
  const routed = baseUrl + path
  return sent === routed ? [sent] : [sent, routed]
}
