/**
 * Whether the page of another site made a request.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { readHost } from './plain-http.js'

/** By Fetch Metadata, else by comparing `Origin` with `Host`. Programs send neither. */
export function isCrossSite(request: IncomingMessage): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  return origin !== undefined && !isSameHost(origin, readHost(request))
}

/**
 * Whether a page of another site may have sent a request with the Basic credentials that the browser remembers: by a form, a
 * link, an image, a beacon. A script that has the credentials itself asks the CORS policy, whose answer `response` has by now;
 * it asks for no others, for those that are sent with `include` it could not read the answer.
 */
export function isBlindCrossSite(request: IncomingMessage, response: ServerResponse): boolean {
  if (!isCrossSite(request)) return false
  const { origin, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination = 'empty' } = request.headers
  const allowed = response.getHeader('Access-Control-Allow-Origin')
  const isListed = origin !== undefined && allowed === origin
  // Old browsers, and all of them over plain HTTP, do not tell a script from a form: then the origin has to be named.
  if (mode === undefined) return !isListed
  const asksPolicy = mode === 'cors' && destination === 'empty'
  // Sent with remembered credentials only, https://privacycg.github.io/storage-access-headers
  const isWithRemembered = request.headers['sec-fetch-storage-access'] !== undefined
  return !asksPolicy || isWithRemembered || !(isListed || allowed === '*')
}

/** Compared as URLs: case and the default port make no difference. */
function isSameHost(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, host: originHost } = new URL(origin)
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === originHost
}
