/**
 * Read-only users: those who are no administrators may look, and change nothing. It stands after authentication.
 *
 * @module
 */

import type { RequestHandler } from 'express'
import { findAuth } from '../core/auth.js'
import { ForbiddenError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { standAlone } from '../internal/facet-refusal.js'
import type { Gate } from '../internal/gate.js'

/** Options of {@link readOnlyUsers}. */
export interface ReadOnlyUsersOptions {
  /** Told of each refusal. @defaultValue `errorResponses` reports it */
  readonly events?: SecurityEvents | undefined
}

/** Methods that change nothing (RFC 9110 section 9.2.1). TRACE, which is safe too, has no use behind a login. */
const readingMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Lets those who are no administrators, and those who are not known, use GET, HEAD and OPTIONS only.
 *
 * @returns A handler that passes {@link ForbiddenError} (403, `ERR_READ_ONLY`) to `next()`.
 */
export function readOnlyUsers(options: ReadOnlyUsersOptions = {}): RequestHandler {
  return standAlone({ gates: [readOnlyUsersGate()] }, options)
}

/** The gate behind {@link readOnlyUsers}, for wiring into a facet. */
export function readOnlyUsersGate(): Gate {
  return function readOnlyUsersGate(request) {
    if (readingMethods.has(request.method)) return undefined
    if (findAuth(request)?.isAdmin === true) return undefined
    return new ForbiddenError('ERR_READ_ONLY', 'Only administrators may change this.')
  }
}
