/**
 * What kind of request it is: somebody who opens a page, or a program of a page.
 *
 * @module
 */

import type { Request } from 'express'
import { ForbiddenError } from '../core/errors.js'
import { hasControlCharacter } from '../core/names.js'
import type { Gate } from '../http/gate.js'
import { findLongLivedRequest } from '../http/long-lived-request.js'
import { isSecure, readHost } from '../http/plain-http.js'

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

/** In characters. */
const maxLength = 2048

/** Stands for the origin of the request, which the answer does not name. */
const thisOrigin = 'http://this.invalid'

/** The path that a portal is mounted at, without a slash at its end, as it may stand in a `Location`. */
export function readMount({ baseUrl }: Request): string {
  // A router takes any spelling of its path; two slashes, or a backslash, would name another host.
  const path = baseUrl.replace(/[^\x21-\x5b\x5d-\x7e]/g, encodeURIComponent)
  return path.replace(/^\/{2,}/, '/').replace(/\/$/, '')
}

/** The first page of a portal. */
export function readRoot(request: Request): string {
  return `${readMount(request)}/`
}

/**
 * The page that a text names, as path, query and fragment; `undefined` unless it is a path below the portal's mount that no
 * browser could take for another place, and not one of the portal's own end points.
 */
export function safeReturnTo(text: unknown, request: Request): string | undefined {
  if (typeof text !== 'string' || text.length > maxLength || !/^\/(?!\/)/.test(text)) return undefined
  const [textPath = ''] = text.split(/[?#]/, 1)
  if (hasControlCharacter(text) || /\\|%5c/i.test(textPath) || !URL.canParse(text, thisOrigin)) return undefined
  const { origin, pathname, search, hash } = new URL(text, thisOrigin)
  const mount = readMount(request).toLowerCase()
  const path = pathname.toLowerCase()
  const isBelow = path === mount || path.startsWith(`${mount}/`)
  if (origin !== thisOrigin || pathname.startsWith('//') || !isBelow) return undefined
  return /^\/(?:login(?:\/.*)?|logout|session|backchannel-logout)\/?$/.test(path.slice(mount.length))
    ? undefined
    : pathname + (search + hash).replaceAll('\\', '%5C')
}

/** Read from the URL itself: an app may have switched the query parser off, or another one on. */
export function queryParameter({ url }: Request, name: string): string | null {
  const start = url.indexOf('?')
  return start < 0 ? null : new URLSearchParams(url.slice(start)).get(name)
}

/** Has the login page say that the browser has kept no cookie. */
export const cookieQuery = 'cookie'

/** The login page, which leads back to the page that was asked for. */
export function loginPath(request: Request): string {
  const asked = isRead(request) ? safeReturnTo(request.originalUrl, request) : undefined
  const path = `${readMount(request)}/login`
  const query = []
  if (asked !== undefined && asked !== readRoot(request)) query.push(`return_to=${encodeURIComponent(asked)}`)
  if (isFromLogin(request)) query.push(`${cookieQuery}=missing`)
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}

/** Whether the login page led here: then the form was sent, and a request without the cookie shows that none was kept. */
function isFromLogin(request: Request): boolean {
  const { referer = '' } = request.headers
  if (!URL.canParse(referer)) return false
  const { host, pathname } = new URL(referer)
  return host === readHost(request) && pathname === `${readMount(request)}/login`
}

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
    const isUpgrade = findLongLivedRequest(request)?.isUpgrade === true
    if (safeMethods.has(request.method) && !isUpgrade) return undefined
    const { origin = 'null', 'sec-fetch-site': site } = request.headers
    const isOwn = origin === readOrigin(request) || listed.has(origin)
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
export function readOrigin(request: Request): string | undefined {
  const host = readHost(request)
  if (host === undefined) return undefined
  const url = `${isSecure(request) ? 'https' : 'http'}://${host}`
  return URL.canParse(url) ? new URL(url).origin : undefined
}
