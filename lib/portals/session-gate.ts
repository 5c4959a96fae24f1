/**
 * Lets a request of a portal pass with a live session, and sends people who have none to the login page.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { type Auth, setAuth } from '../core/auth.js'
import { UnauthorizedError } from '../core/errors.js'
import { isThenable } from '../core/thenable.js'
import { hidesPath, wrongMount } from '../http/mount-path.js'
import { type Gate, refusalOf, type Verdict } from '../internal/gate.js'
import { leaveOutNeedlessEtag } from '../internal/needless-etag.js'
import { clientAddress } from '../internal/trust-proxy.js'
import { isBackground, isNavigation, isRead } from './navigation.js'
import { answerSeeOther } from './page.js'
import { entryRefusal } from './portal-access.js'
import type { PortalParts } from './portal-parts.js'
import { unauthorized } from './portal-refusal.js'
import { loginPathOf } from './return-to.js'
import type { SignedOn } from './single-sign-on.js'

/** The gate of everything but the end points of the session itself. */
export function sessionGate(parts: PortalParts): Gate {
  const { sessions, cookie, roles, singleSignOn, events, clock } = parts

  function refused(error: unknown, request: Request, response: Response): Verdict {
    if (!(error instanceof UnauthorizedError)) return refusalOf(error)
    return withoutSession(unauthorized(error.code, error.message, error.cause), request, response)
  }

  function admitted(auth: Auth, request: Request, response: Response): Verdict {
    setAuth(request, auth)
    response.setHeader('Cache-Control', cacheControlFor(request))
    leaveOutNeedlessEtag(response)
    return entryRefusal(roles, auth)
  }

  /** Whoever comes without a cookie may have signed in at another portal. */
  async function bySingleSignOn(request: Request, response: Response): Promise<Verdict> {
    const begunAt = clock()
    const signedOn = await singleSignOn?.find(request)
    if (signedOn === undefined) return withoutSession(signInFirst(), request, response)
    return entryRefusal(roles, signedOn.account) ?? begin(signedOn, begunAt, request, response)
  }

  async function begin(
    { id: parent, account }: SignedOn,
    begunAt: number,
    request: Request,
    response: Response,
  ): Promise<Verdict> {
    const address = clientAddress(request)
    try {
      const { credential, id } = await sessions.begin(account, { address, begunAt, parent })
      // The sign-on may have ended since it was found.
      const { auth } = await sessions.verify(credential, true)
      events?.report('login', { at: begunAt, address, subject: account.subject, tokenId: id, kind: 'portal' })
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
  answerSeeOther(response, loginPathOf(request))
  return 'answered'
}

/** What a page is made of; it may be kept by the browser, which asks each time whether it is still good. */
const assets = new Set(['script', 'style', 'image', 'font'])

/** No page of a signed-in user is kept anywhere. The app may say otherwise. */
function cacheControlFor({ headers }: Request): string {
  return assets.has(String(headers['sec-fetch-dest'])) ? 'private, no-cache' : 'no-store'
}
