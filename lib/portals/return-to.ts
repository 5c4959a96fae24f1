/**
 * Where a user goes after signing in: a page of this portal, and never anything else.
 *
 * @module
 */

import type { Request } from 'express'
import { hasControlCharacter } from '../internal/control-character.js'

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
  if (hasControlCharacter(text) || /\\|%5c/i.test(text) || !URL.canParse(text, thisOrigin)) return undefined
  const { origin, pathname, search, hash } = new URL(text, thisOrigin)
  const mount = mountOf(request).toLowerCase()
  const path = pathname.toLowerCase()
  const isBelow = path === mount || path.startsWith(`${mount}/`)
  if (origin !== thisOrigin || pathname.startsWith('//') || !isBelow) return undefined
  return /^\/(?:login|logout|session)\/?$/.test(path.slice(mount.length)) ? undefined : pathname + search + hash
}

/** The login page, which leads back to the page that was asked for. */
export function loginPathOf(request: Request): string {
  const asked = request.method === 'GET' ? safeReturnTo(request.originalUrl, request) : undefined
  const path = `${mountOf(request)}/login`
  return asked === undefined || asked === rootOf(request) ? path : `${path}?return_to=${encodeURIComponent(asked)}`
}
