/**
 * What kind of request it is: somebody who opens a page, or a program of a page.
 *
 * @module
 */

import type { Request } from 'express'

/**
 * Whether a page is being opened, so that a page is the answer: by Fetch Metadata where the browser sends it (only over TLS and
 * to this machine), else for a GET or HEAD that prefers HTML.
 */
export function isNavigation(request: Request): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = request.headers
  if (mode !== undefined) return mode === 'navigate' && destination === 'document'
  return isRead(request) && prefersHtml(request)
}

/** GET, or HEAD, which is answered in the same way but for the body (RFC 9110 section 9.3.2). */
export function isRead({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Whether a form is answered with a page: as a navigation, but any method will do. */
export function wantsPage(request: Request): boolean {
  return isNavigation(request) || (request.headers['sec-fetch-mode'] === undefined && prefersHtml(request))
}

/** Whether a request is one that a page makes by itself: it does not tell that somebody is there. */
export function isBackground({ headers }: Request): boolean {
  return headers['sallyport-background'] === '?1'
}

function prefersHtml(request: Request): boolean {
  return request.headers.accept !== undefined && request.accepts(['application/json', 'text/html']) === 'text/html'
}
