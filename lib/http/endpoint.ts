/**
 * Binds a gate to one path of a mount, with the verbs it answers.
 *
 * @module
 */

import type { Request } from 'express'
import { forgetAuth } from '../core/auth.js'
import { HttpError } from '../core/errors.js'
import type { Gate } from './gate.js'

/** The path below the mount is matched as by a router: case-insensitive, with or without a slash at the end. */
export function atPath(path: string, gate: Gate): Gate {
  return function endpointGate(request, response, trace) {
    return isAtPath(request, path) ? gate(request, response, trace) : undefined
  }
}

/** Whether a request is for a path below the mount, which is given in lower case. */
export function isAtPath({ path }: Pick<Request, 'path'>, expected: string): boolean {
  const rest = path.length - expected.length
  if (rest !== 0 && !(rest === 1 && path.endsWith('/'))) return false
  return path.slice(0, expected.length).toLowerCase() === expected
}

/** The refusal for a verb that an endpoint does not have (RFC 9110 section 15.5.6). */
export function methodNotAllowed(allowed: string): HttpError {
  return new HttpError(405, 'ERR_METHOD_NOT_ALLOWED', `Use one of these methods: ${allowed}.`, {
    headers: { Allow: allowed },
  })
}

/** The verbs of login and logout: GET as WSO2's clients have it, and POST. */
export const signInMethods = 'GET, POST'

export function isSignInMethod({ method }: Request): boolean {
  return method === 'GET' || method === 'POST'
}

/** Refuses TRACE: its answer repeats the request, credentials and all (RFC 9110 section 9.3.8). */
export const noTrace: Gate = ({ method }) => {
  return method === 'TRACE' ? methodNotAllowed('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS') : undefined
}

export const notFound: Gate = () => new HttpError(404, 'ERR_NOT_FOUND', 'Not found.')

/** Other packages set `request.auth` too, and the caller of one mount is none of another. */
export const withoutForeignAuth: Gate = (request) => {
  forgetAuth(request)
  return undefined
}
