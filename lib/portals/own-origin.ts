/**
 * Whether a request comes from a page of the portal's own origin: the defence against forged requests, login included.
 *
 * @module
 */

import type { Request } from 'express'
import { ForbiddenError } from '../core/errors.js'
import type { Gate } from '../internal/gate.js'
import { isSecure } from '../internal/plain-http.js'

/** RFC 9110 section 9.2.1. TRACE is refused elsewhere. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses (403, `ERR_CROSS_SITE`) a request with an unsafe method unless a page of this origin sends it: `Sec-Fetch-Site` is
 * `same-origin`, or it is `none` or absent and `Origin` names this origin. An `Origin` that does not is refused in any case,
 * and so is a request without both headers. `origins` are further names of this origin, as browsers send them.
 */
export function ownOriginGate(origins: readonly string[]): Gate {
  const listed = new Set(origins)

  return function ownOriginGate(request) {
    if (safeMethods.has(request.method)) return undefined
    const { origin, 'sec-fetch-site': site } = request.headers
    const isOwn = origin === undefined ? undefined : origin === originOf(request) || listed.has(origin)
    if (isOwn !== false && (site === 'same-origin' || (isOwn && (site === 'none' || site === undefined))))
      return undefined
    return new ForbiddenError('ERR_CROSS_SITE', 'Only pages of this site may do this.', { bare: 'never' })
  }
}

/** The origin that the request was sent to, in the spelling of browsers; `undefined` without a `Host` that names one. */
function originOf(request: Request): string | undefined {
  const { host } = request.headers
  if (host === undefined) return undefined
  const url = `${isSecure(request) ? 'https' : 'http'}://${host}`
  return URL.canParse(url) ? new URL(url).origin : undefined
}
