/**
 * What the operators' page asks: the resources of administrators, below `/api`.
 *
 * @module
 */

import type { Request } from 'express'
import { getAuth } from '../core/auth.js'
import { ForbiddenError } from '../core/errors.js'
import { isThenable } from '../core/thenable.js'
import { answerJson } from '../http/answer.js'
import { isCrossSite } from '../http/cross-site.js'
import { methodNotAllowed, notFound } from '../http/endpoint.js'
import { askGates, type Gate, type Verdict } from '../http/gate.js'
import { findLongLivedRequest } from '../http/long-lived-request.js'
import { isRead } from '../portals/navigation.js'

const prefix = '/api'

/**
 * Asks gates that know nothing of `/api`: for as long as they work, the URL of the request is without it. What they let pass is not
 * there. A page of another site may not even read.
 */
export function apiGate(gates: readonly Gate[]): Gate {
  return function apiGate(request, response, trace) {
    if (!isBelow(request)) return undefined
    if (isRead(request) && isCrossSite(request)) return crossSite()
    const { url } = request
    const rest = url.slice(prefix.length)
    request.url = rest.startsWith('/') ? rest : `/${rest}`
    const restored = (verdict: Verdict): Verdict => {
      request.url = url
      return verdict
    }
    const verdict = askGates(gates, request, response, trace)
    return isThenable(verdict) ? verdict.then(restored) : restored(verdict)
  }
}

/** What is below the mount is the page's. A stream of events that asks whether it may go on has passed all gates. */
export const nothingBehind: Gate = (request, response) => {
  const isStream = findLongLivedRequest(request)?.isUpgrade === false && /^\/api\/events\/?$/i.test(request.path)
  return isStream ? undefined : notFound(request, response)
}

/** In origin form, as Express leaves it below a mount: nothing else begins with a slash. */
function isBelow({ url, path }: Request): boolean {
  const start = url.slice(0, prefix.length).toLowerCase()
  return start === prefix && (path.length === prefix.length || path[prefix.length] === '/')
}

function crossSite(): ForbiddenError {
  return new ForbiddenError('ERR_CROSS_SITE', 'Only a page of this site may read this.', { bare: 'never' })
}

/** What `GET api/` answers: who asks, and which views the page has. */
export interface ConsoleIndex {
  /** The administrator who is signed in. */
  readonly user: string
  /** Id of the session that asks, as `GET api/sessions` lists it; `null` where the login is not one of a session. */
  readonly session: string | null
  /** Of this package. */
  readonly version: string
  /** What the portal is called. */
  readonly title: string
  /** The configuration file; `null` where the app made the configuration itself. */
  readonly file: string | null
  readonly features: {
    readonly users: 'managed' | 'read-only'
    readonly serviceProviders: boolean
    readonly auditTrail: boolean
    readonly reload: boolean
  }
}

/** Answers `GET` of the root. */
export function indexGate(index: Omit<ConsoleIndex, 'user' | 'session'>): Gate {
  return function indexGate(request, response) {
    if (request.path !== '/') return undefined
    if (!isRead(request)) return methodNotAllowed('GET, HEAD')
    const { subject: user, tokenId: session = null } = getAuth(request)
    answerJson(response, 200, { user, session, ...index })
    return 'answered'
  }
}
