/**
 * `<portal>/logout`: ends the session on the server, and the sign-on that it shares.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { type HttpError, StoreError, UnavailableError } from '../errors.js'
import { answerEmpty } from '../internal/answer.js'
import { methodNotAllowed } from '../internal/endpoint.js'
import { type Gate, refusalOf } from '../internal/gate.js'
import { clientAddress } from '../internal/trust-proxy.js'
import { startDeadline, untilAborted } from '../users/deadline.js'
import { wantsPage } from './navigation.js'
import { answerSeeOther } from './page.js'
import type { PortalParts } from './portal-parts.js'
import { mountOf } from './return-to.js'

/** Somebody waits, and only the answer clears the cookie: scripts of a page give up after ten seconds. */
const storeTimeoutMs = 5000

/** The gate of the logout. It takes POST only: a link or a picture must not sign anybody out. */
export function logoutGate({ sessions, cookie, singleSignOn, events, clock }: PortalParts): Gate {
  async function endSession(credential: string | undefined, request: Request): Promise<void> {
    if (credential === undefined) return
    const tokenId = sessions.idOf(credential)
    const address = clientAddress(request)
    const subjectFound = sessions.subjectOf(tokenId).catch(() => undefined)
    if (!(await sessions.end(tokenId))) return
    // Only the event needs to know whose it was: nobody waits for that.
    void subjectFound.then((subject) => {
      if (subject !== undefined) events?.report('logout', { at: clock(), address, subject, tokenId })
    })
  }

  /** Tries both ends, also where one fails. */
  async function endAll(credential: string | undefined, request: Request, response: Response): Promise<void> {
    const endSignOn = async (): Promise<void> => singleSignOn?.end(request, response)
    const ends = await Promise.allSettled([endSession(credential, request), endSignOn()])
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  return async function logoutGate(request, response) {
    if (request.method !== 'POST') return methodNotAllowed('POST')
    const credential = cookie.read(request)
    // Whatever becomes of the session: whoever uses this browser next is not signed in.
    cookie.clear(request, response)
    const deadline = startDeadline(storeTimeoutMs, undefined)
    try {
      await untilAborted(endAll(credential, request, response), deadline.signal)
    } catch (error) {
      return notEnded(error)
    } finally {
      deadline.end()
    }
    if (wantsPage(request)) answerSeeOther(response, `${mountOf(request)}/login`)
    else answerEmpty(response, 204)
    return 'answered'
  }
}

/** A success would not be true: the session may be good for whoever has a copy of the cookie. */
function notEnded(error: unknown): HttpError {
  if (!(error instanceof StoreError)) return refusalOf(error)
  return new UnavailableError(
    'ERR_STORE_UNAVAILABLE',
    'You are signed out of this browser, but the session could not be ended on the server. It ends by itself when ' +
      'nobody uses it.',
    { cause: error },
  )
}
