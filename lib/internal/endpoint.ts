/**
 * Binds a gate to one path of a facet, with the verbs it answers.
 *
 * @module
 */

import type { Request } from 'express'
import { HttpError } from '../core/errors.js'
import type { Gate } from './gate.js'

/** Lets a gate judge only requests for one path below the mount, as a router matches it: blind to case and to a slash at the end. */
export function atPath(path: string, gate: Gate): Gate {
  return function endpointGate(request, response) {
    return isPath(request, path) ? gate(request, response) : undefined
  }
}

function isPath({ path }: Request, expected: string): boolean {
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

/** Whether the verb is one of {@link signInMethods}. */
export function isSignInMethod({ method }: Request): boolean {
  return method === 'GET' || method === 'POST'
}

/** Refuses TRACE: its answer repeats the request, credentials and all (RFC 9110 section 9.3.8). */
export const noTrace: Gate = ({ method }) => {
  return method === 'TRACE' ? methodNotAllowed('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS') : undefined
}

/** Answers 404 whatever is asked. */
export const notFound: Gate = () => new HttpError(404, 'ERR_NOT_FOUND', 'There is nothing here.')
