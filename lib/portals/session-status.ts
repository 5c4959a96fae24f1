/**
 * `<portal>/session`: whose session it is and how long it lasts, for the page that warns before it ends.
 *
 * @module
 */

import { UnauthorizedError } from '../core/errors.js'
import { answerJson } from '../internal/answer.js'
import { methodNotAllowed } from '../internal/endpoint.js'
import { type Gate, refusalOf, type Verdict } from '../internal/gate.js'
import type { LiveSession } from '../tokens/sessions.js'
import { isRead } from './navigation.js'
import { entryRefusal } from './portal-access.js'
import type { PortalParts } from './portal-parts.js'
import { unauthorized } from './portal-refusal.js'

/** What is answered, times in milliseconds. */
export interface SessionStatus {
  /** Who is signed in. */
  readonly subject: string
  /** Roles at this moment. */
  readonly roles: readonly string[]
  /** Whether the user is an administrator at this moment. */
  readonly isAdmin: boolean
  /** What is left until the session ends unless it is used. */
  readonly idleRemainingMs: number
  /** What is left until it ends in any case. */
  readonly absoluteRemainingMs: number
  /** What would be left right after a use. */
  readonly idleTimeoutMs: number
  /** The server's clock, since the epoch. */
  readonly serverTimeMs: number
}

/**
 * The gate of the status. A GET is no use of the session; a POST is one, and does nothing else. Who is signed in and may not
 * enter is told so here as well: nothing but the logout is there for such a user.
 */
export function sessionStatusGate({ sessions, cookie, roles, clock }: PortalParts): Gate {
  function statusOf({ auth, lastAccessAt, idleTimeoutMs }: LiveSession): SessionStatus {
    const { subject, roles, isAdmin, expiresAt } = auth
    const now = clock()
    const absoluteRemainingMs = Math.max(0, (expiresAt ?? now) - now)
    const idleRemainingMs = Math.min(Math.max(0, lastAccessAt + idleTimeoutMs - now), absoluteRemainingMs)
    return { subject, roles, isAdmin, idleRemainingMs, absoluteRemainingMs, idleTimeoutMs, serverTimeMs: now }
  }

  return async function sessionStatusGate(request, response): Promise<Verdict> {
    const { method } = request
    if (method !== 'POST' && !isRead(request)) return methodNotAllowed('GET, HEAD, POST')
    const credential = cookie.read(request)
    if (credential === undefined) return unauthorized('ERR_AUTH_REQUIRED', 'Sign in first.')
    try {
      const live = await sessions.verify(credential, method === 'POST')
      const refusal = entryRefusal(roles, live.auth)
      if (refusal !== undefined) return refusal
      answerJson(response, 200, statusOf(live))
      return 'answered'
    } catch (error) {
      return error instanceof UnauthorizedError
        ? unauthorized(error.code, error.message, error.cause)
        : refusalOf(error)
    }
  }
}
