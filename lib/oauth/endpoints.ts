/**
 * The endpoints of the authorization server: their paths, methods and cookies, and how a request is handed to `oidc-provider`.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Request } from 'express'
import { clientAddress } from '../addresses/trust-proxy.js'
import type { OauthConfig } from '../config/config.js'

/** Paths below the mount, as WSO2 has them where it has them. */
export const endpoints = {
  authorization: '/authorize',
  token: '/token',
  userinfo: '/userinfo',
  revocation: '/revoke',
  introspection: '/introspect',
  jwks: '/jwks',
  end_session: '/logout',
} as const

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

/** The methods of the endpoint that a request names; `undefined` where there is none. */
export function methodsAt(request: Request): string | undefined {
  return allowedMethods[endpointPath(request)]
}

/** Makes a request as the provider sees it: with the `form` that was read; `address`: asked by GET for that path and query. */
export type ProviderRequests = (request: Request, form?: URLSearchParams, address?: string) => IncomingMessage

/** Its requests are for the issuer, whatever `Host` and the spelling of the mount are, and their bodies have not been read yet. */
export function createProviderRequests(issuer: string): ProviderRequests {
  const { host, pathname, protocol } = new URL(issuer)

  return function providerRequest(request, form, address) {
    const method = address === undefined ? request.method : 'GET'
    const body = Buffer.from(method === 'POST' ? String(form ?? '') : '')
    const start = request.url.indexOf('?')
    const url = address ?? request.path + (start < 0 ? '' : request.url.slice(start))
    const socket = { encrypted: protocol === 'https:', remoteAddress: clientAddress(request), writable: true }
    const headers = {
      ...request.headers,
      host,
      'transfer-encoding': undefined,
      'content-length': body.length === 0 ? undefined : String(body.length),
    }
    const message = {
      // For `readClient`, as is the address.
      id: (request as { readonly id?: unknown }).id,
      ip: socket.remoteAddress,
      method,
      url,
      originalUrl: pathname + url,
      headers,
      httpVersionMajor: 1,
      httpVersionMinor: 1,
      socket,
    }
    // The package asks for an `IncomingMessage`; one of its own would take hold of the socket.
    return Object.assign(
      Readable.from(body.length === 0 ? [] : [body], { objectMode: false }) as IncomingMessage,
      message as object,
    )
  }
}

/** Names and attributes of the cookies, as the provider takes them: `long` of the session, `short` of a started sign-in. */
export interface OauthCookies {
  readonly names: { readonly session: string; readonly interaction: string; readonly resume: string }
  readonly long: typeof lax & { readonly secure: boolean; readonly path: '/'; readonly signed: false }
  readonly short: typeof lax & { readonly secure: boolean }
}

const lax = { httpOnly: true, sameSite: 'lax' } as const

/** The name of the session's cookie, which portals share, without `__Host-`. */
export function plainSessionName({ cookiePrefix }: Pick<OauthConfig, 'cookiePrefix'>): string {
  return `${cookiePrefix}-sso`
}

/** The cookies of an issuer: one of plain HTTP, for development, has neither `Secure` nor `__Host-`. */
export function createCookies(oauth: Pick<OauthConfig, 'issuer' | 'cookiePrefix'>): OauthCookies {
  const { issuer, cookiePrefix } = oauth
  const secure = issuer.startsWith('https:')
  const names = {
    session: `${secure ? '__Host-' : ''}${plainSessionName(oauth)}`,
    interaction: `${cookiePrefix}-oauth-login`,
    resume: `${cookiePrefix}-oauth-resume`,
  }
  return { names, long: { ...lax, secure, path: '/', signed: false }, short: { ...lax, secure } }
}
