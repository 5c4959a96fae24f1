/**
 * The cookie of a portal's session (RFC 6265bis): its name, how it is read, set and cleared.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Request, Response } from 'express'
import { BadRequestError } from '../core/errors.js'
import { isSecure } from '../http/plain-http.js'

/** The cookie of one portal. */
export interface PortalCookie {
  /**
   * What the request's cookie holds, whatever it is; `undefined` without one.
   *
   * @throws `BadRequestError` (400, `ERR_AUTH_SEVERAL_CREDENTIALS`) for several cookies of the name: somebody has set one
   * beside ours, and which is which cannot be told.
   */
  read(request: Request): string | undefined
  /** The values of all cookies of the name: what has to end at a logout, whichever of them is ours. */
  readAll(request: Request): readonly string[]
  /** Sets it for as long as the browser runs. */
  set(request: Request, response: Response, value: string): void
  /** Clears it, with the attributes it was set with. */
  clear(request: Request, response: Response): void
}

/**
 * Makes the cookie of a portal; `plainName` is its name without a prefix. Browsers keep `__Host-` cookies to one host and to TLS; they refuse such a one from plain HTTP,
 * so that where that is allowed, a request over it has a cookie without the prefix.
 */
export function portalCookie(plainName: string, allowPlainHttp: boolean): PortalCookie {
  const plain = { name: plainName, attributes: 'Path=/; HttpOnly; SameSite=Lax' }
  const secure = { name: secureName(plainName), attributes: `${plain.attributes}; Secure` }
  const chooseCookie = allowPlainHttp ? (request: Request) => (isSecure(request) ? secure : plain) : () => secure

  const readAll = (request: Request): readonly string[] => cookieValues(request, chooseCookie(request).name)

  return {
    readAll,

    read(request) {
      const [value, ...others] = readAll(request)
      if (others.length === 0) return value
      throw new BadRequestError(
        'ERR_AUTH_SEVERAL_CREDENTIALS',
        'There are several session cookies. Delete the cookies of this site and sign in again.',
      )
    },

    set(request, response, value) {
      const { name, attributes } = chooseCookie(request)
      addCookie(response, `${name}=${value}; ${attributes}`)
    },

    clear(request, response) {
      const { name, attributes } = chooseCookie(request)
      addCookie(response, `${name}=; Max-Age=0; ${attributes}`)
    },
  }
}

/** The name over TLS, and everywhere but where plain HTTP is allowed. */
export function secureName(plainName: string): string {
  return `__Host-${plainName}`
}

export function addCookie(response: ServerResponse, cookie: string): void {
  response.appendHeader('Set-Cookie', cookie)
}

/** The values of all cookies of a name, which is compared with its case. Node joins several `Cookie` lines. */
export function cookieValues({ headers }: IncomingMessage, name: string): string[] {
  const { cookie } = headers
  if (cookie === undefined) return []
  return cookie
    .split(';')
    .map((pair) => [pair, pair.indexOf('=')] as const)
    .filter(([pair, equals]) => equals >= 0 && withoutBlanks(pair.slice(0, equals)) === name)
    .map(([pair, equals]) => withoutBlanks(pair.slice(equals + 1)))
}

/**
 * Takes off what HTTP takes for white space (RFC 9110 section 5.6.3). `trim` takes U+00A0 as well: a name that begins with it
 * has no `__Host-` to a browser, so that another host of the domain may set such a cookie.
 */
function withoutBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text[start])) start++
  while (end > start && isBlank(text[end - 1])) end--
  return text.slice(start, end)
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t'
}
