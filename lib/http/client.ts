/**
 * Who sent a request, as far as its event says: the address, and what finds the request in other logs.
 *
 * @module
 */

import type { Request } from 'express'
import { clientAddress } from '../addresses/trust-proxy.js'
import { readRequestId, readTraceparent } from '../core/event-members.js'
import type { Client } from '../core/events.js'

/** For events: a request that passes is not asked. What is malformed is left out. */
export function readClient(request: Request): Client {
  const { id } = request as { readonly id?: unknown }
  const { 'x-request-id': header, traceparent: sent } = request.headers
  const requestId = readRequestId(id) ?? readRequestId(header)
  const traceparent = readTraceparent(sent)
  return {
    address: clientAddress(request),
    ...(requestId !== undefined && { requestId }),
    ...(traceparent !== undefined && { traceparent }),
  }
}
