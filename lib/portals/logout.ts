/**
 * `<portal>/logout`: ends the session on the server, and the sign-on that it shares.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { clientAddress } from '../addresses/trust-proxy.js'
import { inBackground } from '../async/background.js'
import { within } from '../async/deadline.js'
import { HttpError, StoreError } from '../core/errors.js'
import { answerEmpty } from '../http/answer.js'
import { methodNotAllowed } from '../http/endpoint.js'
import { type Gate, refusalFrom } from '../http/gate.js'
import { isNavigation, isRead, readMount, wantsPage } from './navigation.js'
import { answerPage, answerSeeOther, createPage, escapeHtml, formPageHeaders, type PortalView } from './page.js'
import type { PortalParts } from './refusals.js'

/** Somebody waits, and only the answer clears the cookie: scripts of a page give up after ten seconds. */
const storeTimeoutMs = 5000

/** More cookies of one name than a browser sends: each costs the store two calls. */
const maxCookies = 10

/**
 * The gate of the logout. Only a POST signs out: a link or a picture must not. Somebody who opens it in a browser gets a page with a
 * button.
 */
export function logoutGate({ sessions, cookie, singleSignOn, signIn, events, clock, view }: PortalParts): Gate {
  async function endSession(credential: string, request: Request): Promise<void> {
    const tokenId = sessions.getId(credential)
    const address = clientAddress(request)
    const subjectFound = (async () => sessions.findSubject(tokenId))().catch(() => undefined)
    if (!(await sessions.end(tokenId))) return
    // Only the event needs to know whose it was: nobody waits for that.
    inBackground(async () => {
      const subject = await subjectFound
      if (subject !== undefined) events?.report('logout', { at: clock(), address, subject, tokenId })
    })
  }

  /** Tries all ends, also where one fails. Resolves with what was kept for the sign-out at an identity provider. */
  async function endAll(credentials: readonly string[], request: Request, response: Response) {
    const endSignOn = async () => singleSignOn?.end(request, response)
    const endSessions = credentials.map((credential) => endSession(credential, request))
    const signOnEnd = endSignOn()
    const ends = await Promise.allSettled([...endSessions, signOnEnd])
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    return (await signOnEnd) ?? undefined
  }

  return async function logoutGate(request, response) {
    if (isRead(request) && isNavigation(request)) {
      answerPage(response, 200, signOutPage(view, `${readMount(request)}/logout`), formPageHeaders)
      return 'answered'
    }
    if (request.method !== 'POST') return methodNotAllowed('POST')
    const credentials = cookie.readAll(request).slice(0, maxCookies)
    // Whatever becomes of the session: whoever uses this browser next is not signed in.
    cookie.clear(request, response)
    let memo = signIn?.signOut.recall(request, response)
    signIn?.signOut.setSignedOut(request, response)
    try {
      const kept = await within(
        endAll(credentials, request, response),
        storeTimeoutMs,
        () => new StoreError(`no answer within ${storeTimeoutMs} ms`),
      )
      memo = kept ?? memo
    } catch (error) {
      return notEnded(error)
    }
    if (wantsPage(request)) {
      const url = memo === undefined ? undefined : await signIn?.signOut.createUrl(request, memo)
      answerSeeOther(response, url?.href ?? `${readMount(request)}/login`)
    } else answerEmpty(response, 204)
    return 'answered'
  }
}

function signOutPage({ title, support }: PortalView, action: string): string {
  const main = [
    `<h1>${escapeHtml(title)}</h1>`,
    '<p>Do you want to sign out?</p>',
    `<form method="post" action="${escapeHtml(action)}">`,
    '<button type="submit">Sign out</button>',
    '</form>',
  ]
  return createPage({ title: `Sign out - ${title}`, main: main.join('\n'), support })
}

/**
 * A success would not be true: another process may take the session from whoever has a copy of the cookie. There is no
 * `Retry-After`, because the cookie is gone.
 */
function notEnded(error: unknown): HttpError {
  if (!(error instanceof StoreError)) return refusalFrom(error)
  return new HttpError(
    503,
    'ERR_STORE_UNAVAILABLE',
    'You are signed out of this browser, but the session could not be ended on the server. It ends by itself when ' +
      'nobody uses it.',
    { cause: error },
  )
}
