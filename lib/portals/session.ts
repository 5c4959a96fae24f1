/**
 * Lets a request of a portal pass with a live session, and sends people who have none to the login page.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { type Auth, setAuth } from '../core/auth.js'
import { UnauthorizedError } from '../core/errors.js'
import { lacksSecondFactor } from '../core/second-factor.js'
import { isThenable } from '../core/thenable.js'
import { answerJson } from '../http/answer.js'
import { readClient } from '../http/client.js'
import { methodNotAllowed } from '../http/endpoint.js'
import { skipEtag } from '../http/express/skip-etag.js'
import { type Gate, refusalFrom, type Verdict } from '../http/gate.js'
import { hidesPath, wrongMount } from '../http/mounted-at.js'
import type { LiveSession } from '../tokens/sessions.js'
import { isBackground, isNavigation, isRead, loginPath } from './navigation.js'
import { answerSeeOther } from './page.js'
import { entryRefusal, type PortalParts, unauthorized } from './refusals.js'
import type { SignOn } from './single-sign-on.js'

/** The gate of everything but the end points of the session itself. */
export function sessionGate(parts: PortalParts): Gate {
  const { sessions, cookie, singleSignOn, events, clock } = parts

  function refused(error: unknown, request: Request, response: Response): Verdict {
    if (!(error instanceof UnauthorizedError)) return refusalFrom(error)
    return withoutSession(unauthorized(error.code, error.message, error.cause, error.origin), request, response)
  }

  function admitted(auth: Auth, request: Request, response: Response): Verdict {
    setAuth(request, auth)
    response.setHeader('Cache-Control', cacheControlFor(request))
    skipEtag(response)
    return entryRefusal(parts, auth)
  }

  /** Whoever comes without a cookie may have signed in at another portal. */
  async function bySingleSignOn(request: Request, response: Response): Promise<Verdict> {
    const startedAt = clock()
    const signedOn = await singleSignOn?.find(request)
    const isEnough =
      signedOn && !lacksSecondFactor(parts.secondFactor, { ...signedOn.account, factors: signedOn.factors })
    if (signedOn === undefined || !isEnough) return withoutSession(signInFirst(), request, response)
    return entryRefusal(parts, signedOn.account) ?? begin(signedOn, startedAt, request, response)
  }

  async function begin(
    { id: parent, account, factors }: SignOn,
    startedAt: number,
    request: Request,
    response: Response,
  ): Promise<Verdict> {
    const client = readClient(request)
    try {
      const { credential, id } = await sessions.start(account, { address: client.address, startedAt, parent, factors })
      // The sign-on may have ended since it was found.
      const { auth } = await sessions.verify(credential, true)
      events?.report('login', {
        at: startedAt,
        ...client,
        subject: account.subject,
        tokenId: id,
        kind: 'portal',
        factors,
      })
      cookie.set(request, response, credential)
      return admitted(auth, request, response)
    } catch (error) {
      return refused(error, request, response)
    }
  }

  return function sessionGate(request, response) {
    const credential = cookie.read(request)
    if (credential === undefined) {
      const mayBeSignedOn = singleSignOn !== undefined && isRead(request) && isNavigation(request)
      return mayBeSignedOn ? bySingleSignOn(request, response) : withoutSession(signInFirst(), request, response)
    }
    try {
      const live = sessions.verify(credential, !isBackground(request))
      if (!isThenable(live)) return admitted(live.auth, request, response)
      return Promise.resolve(live).then(
        ({ auth }) => admitted(auth, request, response),
        (error: unknown) => refused(error, request, response),
      )
    } catch (error) {
      return refused(error, request, response)
    }
  }
}

function signInFirst(): UnauthorizedError {
  return unauthorized('ERR_AUTH_REQUIRED', 'Sign in first.')
}

/** A dead cookie stays: it keeps the portal from taking a shared sign-on for a password. */
function withoutSession(error: UnauthorizedError, request: Request, response: Response): Verdict {
  if (!isNavigation(request)) return error
  if (hidesPath(request, '/login')) return wrongMount('nothing is left of the path of the login page')
  answerSeeOther(response, loginPath(request))
  return 'answered'
}

/** What a page is made of; it may be kept by the browser, which asks each time whether it is still good. */
const assets = new Set(['script', 'style', 'image', 'font'])

/** No page of a signed-in user is kept anywhere. The app may say otherwise. */
function cacheControlFor({ headers }: Request): string {
  return assets.has(String(headers['sec-fetch-dest'])) ? 'private, no-cache' : 'no-store'
}

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
export function sessionStatusGate(parts: PortalParts): Gate {
  const { sessions, cookie, clock } = parts

  function createStatus({ auth, lastAccessAt, idleTimeoutMs }: LiveSession): SessionStatus {
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
      const refusal = entryRefusal(parts, live.auth)
      if (refusal !== undefined) return refusal
      answerJson(response, 200, createStatus(live))
      return 'answered'
    } catch (error) {
      return error instanceof UnauthorizedError
        ? unauthorized(error.code, error.message, error.cause, error.origin)
        : refusalFrom(error)
    }
  }
}
