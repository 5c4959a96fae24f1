/**
 * Where a user goes after signing in: a page of this portal, and never anything else.
 *
 * @module
 */

import type { Request } from 'express'
import { hasControlCharacter } from '../internal/control-character.js'
import { hostOf } from '../internal/plain-http.js'
import { isRead } from './navigation.js'

/** In characters. */
const maxLength = 2048

/** Stands for the origin of the request, which the answer does not name. */
const thisOrigin = 'http://this.invalid'

/** The path that a portal is mounted at, without a slash at its end, as it may stand in a `Location`. */
export function mountOf({ baseUrl }: Request): string {
  // A router takes any spelling of its path; two slashes, or a backslash, would name another host.
  const path = baseUrl.replace(/[^\x21-\x5b\x5d-\x7e]/g, encodeURIComponent)
  return path.replace(/^\/{2,}/, '/').replace(/\/$/, '')
}

/** The first page of a portal. */
export function rootOf(request: Request): string {
  return `${mountOf(request)}/`
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
  const mount = mountOf(request).toLowerCase()
  const path = pathname.toLowerCase()
  const isBelow = path === mount || path.startsWith(`${mount}/`)
  if (origin !== thisOrigin || pathname.startsWith('//') || !isBelow) return undefined
  return /^\/(?:login|logout|session)\/?$/.test(path.slice(mount.length))
    ? undefined
    : pathname + (search + hash).replaceAll('\\', '%5C')
}

/** Has the login page say that the browser has kept no cookie. */
export const cookieQuery = 'cookie'

/** The login page, which leads back to the page that was asked for. */
export function loginPathOf(request: Request): string {
  const asked = isRead(request) ? safeReturnTo(request.originalUrl, request) : undefined
  const path = `${mountOf(request)}/login`
  const query = []
  if (asked !== undefined && asked !== rootOf(request)) query.push(`return_to=${encodeURIComponent(asked)}`)
  if (isFromLogin(request)) query.push(`${cookieQuery}=missing`)
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}

/** Whether the login page led here: then the form was sent, and a request without the cookie shows that none was kept. */
function isFromLogin(request: Request): boolean {
  const { referer = '' } = request.headers
  if (!URL.canParse(referer)) return false
  const { host, pathname } = new URL(referer)
  return host === hostOf(request) && pathname === `${mountOf(request)}/login`
}
