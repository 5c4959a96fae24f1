/**
 * `<portal>/logout`: ends the session on the server, and the sign-on that it shares.
 *
 * @module
 */

import { HttpError, StoreError } from '../core/errors.js'
import type { Language } from '../core/languages.js'
import { answerEmpty } from '../http/answer.js'
import { methodNotAllowed } from '../http/endpoint.js'
import { type Gate, refusalFrom } from '../http/gate.js'
import { createSessionEnd } from './end-session.js'
import { isNavigation, isRead, readMount, wantsPage } from './navigation.js'
import { answerPage, answerSeeOther, createPage, escapeHtml, type Page, type PortalView } from './page.js'
import { type PortalParts, worded } from './refusals.js'
import { textsIn } from './texts/texts.js'

/**
 * The gate of the logout. Only a POST signs out: a link or a picture must not. Somebody who opens it in a browser gets a page with a
 * button.
 */
export function logoutGate(parts: PortalParts): Gate {
  const { view, signIn, languageOf } = parts
  const endSession = createSessionEnd(parts)

  return async function logoutGate(request, response) {
    if (isRead(request) && isNavigation(request)) {
      answerPage(response, 200, signOutPage(view, languageOf(request), `${readMount(request)}/logout`))
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

function signOutPage(view: PortalView, language: Language, action: string): Page {
  const { heading, question, button } = textsIn(language).signOut
  const main = [
    `<h1>${escapeHtml(view.title)}</h1>`,
    `<p>${escapeHtml(question)}</p>`,
    `<form method="post" action="${escapeHtml(action)}">`,
    `<button type="submit">${escapeHtml(button)}</button>`,
    '</form>',
  ]
  const title = `${heading} - ${view.title}`
  return createPage({ title, main: main.join('\n'), language, portal: view, hasForm: true })
}

/**
 * A success would not be true: another process may take the session from whoever has a copy of the cookie. There is no
 * `Retry-After`, because the cookie is gone.
 */
function notEnded(error: unknown): HttpError {
  if (!(error instanceof StoreError)) return refusalFrom(error)
  return worded(
    ({ messages }) => messages.notEndedOnServer,
    (message) => new HttpError(503, 'ERR_STORE_UNAVAILABLE', message, { cause: error }),
  )
}
