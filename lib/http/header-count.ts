/**
 * Requests with more headers than Node keeps. Node 20, and early releases of 22 and 24, drop those that come last without a
 * word: among them may be the `X-Forwarded-For` of a proxy that writes it behind the client's headers.
 *
 * @module
 */

import type { IncomingMessage, Server } from 'node:http'
import { HttpError } from '../core/errors.js'

/** What Node keeps of a request where the server says nothing else: names and values. */
const keptByDefault = 2000

/** Refuses (431, `ERR_HEADERS_TOO_MANY`) a request with as many headers as Node keeps: there may have been more. */
export function headersRefusal({ rawHeaders, socket }: IncomingMessage): HttpError | undefined {
  if (rawHeaders.length < keptBy((socket as { readonly server?: Server } | undefined)?.server)) return undefined
  return new HttpError(431, 'ERR_HEADERS_TOO_MANY', 'The request has too many headers.')
}

/** As Node reads `maxHeadersCount`: what is no number is the default, and zero is no limit. */
function keptBy(server: Server | undefined): number {
  const count: unknown = server?.maxHeadersCount
  if (typeof count !== 'number') return keptByDefault
  const kept = count << 1
  return kept > 0 ? kept : Number.POSITIVE_INFINITY
}
