/**
 * Who sent a request, as far as its event says: the address, and what finds the request in other logs.
 *
 * @module
 */

import type { Request } from 'express'
import { clientAddress } from '../addresses/trust-proxy.js'
import type { Client } from '../core/events.js'

/** What other logs take without quotes. */
const idPattern = /^[\w.:/+=@-]{1,128}$/

/** W3C Trace Context section 3.2: neither id is all zeros, and no version is `ff`. */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** For events: a request that passes is not asked. What is malformed is left out. */
export function readClient(request: Request): Client {
  const { id } = request as { readonly id?: unknown }
  const { 'x-request-id': header, traceparent } = request.headers
  const requestId = readId(id) ?? readId(header)
  return {
    address: clientAddress(request),
    ...(requestId !== undefined && { requestId }),
    ...(typeof traceparent === 'string' && traceparentPattern.test(traceparent) && { traceparent }),
  }
}

/** pino-http counts requests where the app gives them no id. */
function readId(id: unknown): string | undefined {
  const text = typeof id === 'number' ? String(id) : id
  return typeof text === 'string' && idPattern.test(text) ? text : undefined
}
