/**
 * `<portal>/logout`: ends the session on the server, and the sign-on that it shares.
 *
 * @module
 */

import type { Request } from 'express'
import { answerEmpty } from '../internal/answer.js'
import { methodNotAllowed } from '../internal/endpoint.js'
import type { Gate } from '../internal/gate.js'
import { clientAddress } from '../internal/trust-proxy.js'
import { wantsPage } from './navigation.js'
import { answerSeeOther } from './page.js'
import type { PortalParts } from './portal-parts.js'
import { mountOf } from './return-to.js'

/** The gate of the logout. It takes POST only: a link or a picture must not sign anybody out. */
export function logoutGate({ sessions, cookie, singleSignOn, events, clock }: PortalParts): Gate {
  async function endSession(request: Request): Promise<void> {
    const credential = cookie.read(request)
    if (credential === undefined) return
    // Only to tell whose it was: a session ends also when nobody can say that any more.
    const live = await (async () => sessions.verify(credential, false))().catch(() => undefined)
    const tokenId = sessions.idOf(credential)
    const wasLive = await sessions.end(tokenId)
    if (!wasLive || live === undefined) return
    const { subject } = live.auth
    events?.report('logout', { at: clock(), address: clientAddress(request), subject, tokenId })
  }

  return async function logoutGate(request, response) {
    if (request.method !== 'POST') return methodNotAllowed('POST')
    await endSession(request)
    await singleSignOn?.end(request, response)
    cookie.clear(request, response)
    if (wantsPage(request)) answerSeeOther(response, `${mountOf(request)}/login`)
    else answerEmpty(response, 204)
    return 'answered'
  }
}
