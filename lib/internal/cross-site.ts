/**
 * Whether the page of another site made a request.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import { hostOf } from './plain-http.js'

/** By Fetch Metadata where the browser sends it, else by comparing `Origin` with `Host`. Programs send neither. */
export function isCrossSite(request: IncomingMessage): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  return origin !== undefined && !isSameHost(origin, hostOf(request))
}

/**
 * Whether a browser sends the request for another site without asking the CORS policy first: an image, a form, a link. Such a
 * request carries the Basic credentials that the browser remembers, and its maker cannot read the answer.
 */
export function isBlindCrossSite(request: IncomingMessage): boolean {
  return isCrossSite(request) && request.headers['sec-fetch-mode'] !== 'cors' && request.headers.origin === undefined
}

/** Compared as URLs: case and the default port make no difference. */
function isSameHost(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, host: originHost } = new URL(origin)
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === originHost
}
