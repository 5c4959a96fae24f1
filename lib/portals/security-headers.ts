/**
 * Security headers of a portal's pages: helmet, with defaults that a portal in an intranet over plain HTTP survives.
 *
 * @module
 */

import type { Request, Response } from 'express'
import helmet, { contentSecurityPolicy } from 'helmet'
import { type Gate, refusalFrom, type Verdict } from '../http/gate.js'
import { isSecure } from '../http/plain-http.js'

/**
 * What the app's pages get. Scripts and styles are the app's own business: it may set a Content-Security-Policy of its own, which
 * takes the place of this one. With `no-referrer`, browsers would send its forms with a null origin.
 */
const common = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': contentSecurityPolicy.dangerouslyDisableDefaultSrc,
      'frame-ancestors': ["'self'"],
      'base-uri': ["'self'"],
      'object-src': ["'none'"],
    },
  },
  referrerPolicy: { policy: 'same-origin' },
} as const

/** Browsers complain of these headers over plain HTTP, or must not see them there (RFC 6797 section 7.2). */
const plainHelmet = helmet({
  ...common,
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
})

/** Other hosts below this one need not have TLS. A window that the app opens elsewhere, to pay or to sign in, may answer. */
const secureHelmet = helmet({
  ...common,
  strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
  crossOriginOpenerPolicy: { policy: 'same-origin-allow-popups' },
})

/** Sets the headers; the app may change each of them. */
export const securityHeadersGate: Gate = (request: Request, response: Response): Verdict => {
  let failure: unknown
  const setHeaders = isSecure(request) ? secureHelmet : plainHelmet
  setHeaders(request, response, (error?: unknown) => {
    failure = error
  })
  return failure === undefined ? undefined : refusalFrom(failure)
}
