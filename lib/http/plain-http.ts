/**
 * Passwords over plain HTTP: refused, unless nobody can listen in or the operator asked for it.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import type { Request } from 'express'
import { ForbiddenError } from '../core/errors.js'

const forwardingHeader = /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip)$/

const loopback = /^(?:127\.|::1$|::ffff:127\.)/

/**
 * The refusal for a request that carries a password in the clear; `undefined` when it may pass: over TLS (by Express'
 * `request.secure`, which follows `trust proxy`), from this machine itself, or when plain HTTP is allowed. `setting` is what
 * allows it, and `what` is in the clear.
 */
export function plainHttpRefusal(
  request: Request,
  allowPlainHttp: boolean,
  setting = 'http in management_api.protocols',
  what = 'Passwords',
): ForbiddenError | undefined {
  if (allowPlainHttp || isSecure(request) || isFromThisMachine(request)) return undefined
  return new ForbiddenError(
    'ERR_HTTPS_REQUIRED',
    `${what} are accepted over HTTPS only. Behind a proxy that ends TLS, set Express' trust proxy to its address; ` +
      `to allow plain HTTP, write ${setting}.`,
    { bare: 'never' },
  )
}

/** `undefined` without one. HTTP/2 has `:authority` in place of `Host` (RFC 9113 section 8.3.1). */
export function readHost({ headers }: IncomingMessage): string | undefined {
  const { host, ':authority': authority } = headers
  return host ?? (typeof authority === 'string' ? authority : undefined)
}

/** Whether a request came over TLS, to this server or to a proxy that the app trusts. */
export function isSecure(request: Request): boolean {
  try {
    return request.secure
  } catch {
    return false // the app's own trust function threw
  }
}

function isFromThisMachine({ socket, headers }: Request): boolean {
  return loopback.test(socket.remoteAddress ?? '') && !Object.keys(headers).some((name) => forwardingHeader.test(name))
}
