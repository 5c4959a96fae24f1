/**
 * Read-only users: those who are no administrators may look, and change nothing. It stands after authentication.
 *
 * @module
 */

import type { RequestHandler } from 'express'
import { findAuth } from '../core/auth.js'
import { ForbiddenError, type Origin } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { Gate } from '../http/gate.js'
import { standAlone } from '../http/refusals.js'

/** Options of {@link readOnlyUsers}. */
export interface ReadOnlyUsersOptions {
  /** Told of each refusal. @defaultValue `errorResponses` reports it */
  readonly events?: SecurityEvents | undefined
}

/** Methods that change nothing (RFC 9110 section 9.2.1). TRACE, which is safe too, has no use behind a login. */
const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Lets all but administrators use GET, HEAD and OPTIONS only: `next()` gets 403 (`ERR_READ_ONLY`). */
export function readOnlyUsers(options: ReadOnlyUsersOptions = {}): RequestHandler {
  return standAlone({ gates: [readOnlyUsersGate()], askedRoles: [] }, options)
}

export function readOnlyUsersGate(origin: Origin = { key: 'readOnlyUsers' }): Gate {
  return function readOnlyUsersGate(request, _response, trace) {
    const isAllowed = readingMethods.has(request.method) || findAuth(request)?.isAdmin === true
    trace?.rule(origin, isAllowed ? 'passed' : 'refused', 'authorization')
    if (isAllowed) return undefined
    return new ForbiddenError('ERR_READ_ONLY', 'Only administrators may change this.', { origin })
  }
}
