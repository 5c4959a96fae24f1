/**
 * `<portal>/logout`: ends the session on the server, and the sign-on that it shares.
 *
 * @module
 */

import { HttpError, StoreError } from '../core/errors.js'
import { answerEmpty } from '../http/answer.js'
import { methodNotAllowed } from '../http/endpoint.js'
import { type Gate, refusalFrom } from '../http/gate.js'
import { createSessionEnd } from './end-session.js'
import { isNavigation, isRead, readMount, wantsPage } from './navigation.js'
import { answerPage, answerSeeOther, createPage, escapeHtml, formPageHeaders, type PortalView } from './page.js'
import type { PortalParts } from './refusals.js'

/**
 * The gate of the logout. Only a POST signs out: a link or a picture must not. Somebody who opens it in a browser gets a page with a
 * button.
 */
export function logoutGate(parts: PortalParts): Gate {
  const { view, signIn } = parts
  const endSession = createSessionEnd(parts)

  return async function logoutGate(request, response) {
    if (isRead(request) && isNavigation(request)) {
      answerPage(response, 200, signOutPage(view, `${readMount(request)}/logout`), formPageHeaders)
      return 'answered'
    }
    if (request.method !== 'POST') return methodNotAllowed('POST')
    let memo: string | undefined
    try {
      memo = await endSession(request, response)
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
