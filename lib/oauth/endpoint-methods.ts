/**
 * The methods of each endpoint, and what a posted form becomes where a browser may ask by an address as well.
 *
 * @module
 */

import type { Request } from 'express'
import { isCrossSite } from '../internal/cross-site.js'
import { endpoints } from './provider-configuration.js'

const readable = 'GET, HEAD'

/** `Allow` of each endpoint (RFC 9110 section 10.2.1). */
const allowedMethods: Readonly<Record<string, string>> = {
  [endpoints.authorization]: `${readable}, POST`,
  [endpoints.token]: 'POST, OPTIONS',
  [endpoints.userinfo]: `${readable}, POST, OPTIONS`,
  [endpoints.revocation]: 'POST, OPTIONS',
  [endpoints.introspection]: 'POST, OPTIONS',
  [endpoints.jwks]: `${readable}, OPTIONS`,
  [endpoints.end_session]: `${readable}, POST`,
  [`${endpoints.end_session}/confirm`]: 'POST',
  [`${endpoints.end_session}/success`]: readable,
  '/.well-known/openid-configuration': `${readable}, OPTIONS`,
  '/.well-known/oauth-authorization-server': `${readable}, OPTIONS`,
}

/** The path of a request as the provider's router reads it: case-insensitive, and without a slash at the end. */
export function endpointPath({ path }: Request): string {
  return path.toLowerCase().replace(/\/$/, '')
}

/** The methods of an endpoint, for a request that none of them answers; `undefined` where there is no endpoint. */
export function methodsOf(request: Request): string | undefined {
  return allowedMethods[endpointPath(request)]
}

/** Whether a page may be asked for by a posted form as well as by its address: the authorization and the sign-out. */
export function isPage(request: Request): boolean {
  const path = endpointPath(request)
  return path === endpoints.authorization || path === endpoints.end_session
}

/** The parameters of a request for such a page (OpenID Connect Core 1.0 section 3.1.2.1, RP-Initiated Logout 1.0 section 2). */
export function pageParameters(request: Request, form: URLSearchParams): URLSearchParams {
  return request.method === 'POST' ? form : new URL(request.url, 'https://localhost').searchParams
}

/** Longest query that a browser is sent to; a longer one is answered as it came. */
const maxQueryLength = 6000

/**
 * Whether a browser has to come back by the address: it sends no `SameSite=Lax` cookie with the form of another site, so that
 * nobody would be signed in.
 */
export function hasToComeBack(request: Request, address: string): boolean {
  return request.method === 'POST' && isCrossSite(request) && address.length < maxQueryLength
}
