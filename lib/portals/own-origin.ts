/**
 * Whether a request comes from a page of the portal's own origin: the defence against forged requests, login included.
 *
 * @module
 */

import type { Request } from 'express'
import { ForbiddenError } from '../core/errors.js'
import type { Gate } from '../internal/gate.js'
import { hostOf, isSecure } from '../internal/plain-http.js'

/** RFC 9110 section 9.2.1. TRACE is refused elsewhere. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses (403, `ERR_CROSS_SITE`) a request with an unsafe method unless a page of this origin sends it: `Sec-Fetch-Site` is
 * `same-origin`, or it is `none` or absent and `Origin` names this origin. `Origin: null`, which a page with the referrer policy
 * `no-referrer` sends to its own origin too, counts as absent. An `Origin` that names another origin is refused in any case, and so
 * is a request without both headers. `origins` are further names of this origin, as browsers send them.
 */
export function ownOriginGate(origins: readonly string[]): Gate {
  const listed = new Set(origins)

  return function ownOriginGate(request) {
    if (safeMethods.has(request.method)) return undefined
    const { origin = 'null', 'sec-fetch-site': site } = request.headers
    const isOwn = origin === originOf(request) || listed.has(origin)
    if (site === 'same-origin' && (isOwn || origin === 'null')) return undefined
    if (isOwn && (site === 'none' || site === undefined)) return undefined
    return crossSite(origin !== 'null' && (site === 'same-origin' || site === undefined) ? otherHost : otherPage)
  }
}

const otherPage =
  'Only a page of this site may do this. A browser shows that with Sec-Fetch-Site: same-origin or with Origin; a program has to ' +
  'send the Origin of this site.'

const otherHost =
  'Only a page of this site may do this, and Origin is not the host that the request was sent to. Behind a proxy that ' +
  'rewrites Host, write the public origin into origins of [portal].'

function crossSite(message: string): ForbiddenError {
  return new ForbiddenError('ERR_CROSS_SITE', message, { bare: 'never' })
}

/** The origin that the request was sent to, in the spelling of browsers; `undefined` without a `Host` that names one. */
function originOf(request: Request): string | undefined {
  const host = hostOf(request)
  if (host === undefined) return undefined
  const url = `${isSecure(request) ? 'https' : 'http'}://${host}`
  return URL.canParse(url) ? new URL(url).origin : undefined
}
