/**
 * The page that a portal shows in place of the one that was refused.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { within } from '../async/deadline.js'
import type { HttpErrorCode } from '../core/errors.js'
import type { Language } from '../core/languages.js'
import type { Logger } from '../core/logger.js'
import { isOver } from '../http/answer.js'
import { answerHtml, createPage, escapeHtml, type Page, type PortalView } from './page.js'
import { textsIn } from './texts/texts.js'

/** What happened, and what a reader can do about it. */
export interface Refusal {
  /** HTTP status of the answer. */
  readonly status: number
  /** Stable name of the reason. */
  readonly code: HttpErrorCode
  /** What the browser asks for, of the languages that there are. The message is in it. */
  readonly language: Language
  /** For people. */
  readonly message: string
  /** What the page and its event in the log are found together by; `undefined` where the refusal was reported before. */
  readonly reference: string | undefined
  /** Where the request came from, if that is why it was refused. */
  readonly address: string | undefined
  /**
   * Where a form without fields is sent with `POST`, to sign in as another user; `undefined` unless a user is signed in who may not enter.
   */
  readonly signOutAction: string | undefined
}

/** What a page of a refusal shows. No text in it is escaped. */
export interface RefusalView extends PortalView, Refusal {
  /** Name of the portal. */
  readonly portal: string
}

/**
 * Makes the HTML of such a page, at once or later, as `LoginPage` does. Where it throws, rejects, or takes longer than five seconds, the
 * built-in page is shown.
 */
export type RefusalPage = (view: RefusalView, request: Request) => string | Promise<string>

/** The built-in page. `portal`: `undefined` where it belongs to none. */
export function builtInRefusalPage(refusal: Refusal, portal: PortalView | undefined): Page {
  const { status, code, language, message, address, reference, signOutAction } = refusal
  const { refusal: texts } = textsIn(language)
  const title = texts.headings[status] ?? (status >= 500 ? texts.broken : texts.failed)
  const details = [`${status} ${code}`]
  if (address !== undefined) details.push(texts.address(address))
  if (reference !== undefined) details.push(texts.reference(reference))
  const main = [`<h1>${escapeHtml(title)}</h1>`, `<p>${escapeHtml(message)}</p>`]
  main.push(...details.map((detail) => `<p class="code">${escapeHtml(detail)}</p>`))
  if (signOutAction !== undefined) {
    main.push(`<form method="post" action="${escapeHtml(signOutAction)}">`)
    main.push(`<button type="submit">${escapeHtml(texts.signInAsAnother)}</button>`, '</form>')
  }
  return createPage({ title, main: main.join('\n'), language, portal, hasForm: signOutAction !== undefined })
}

const ownPageTimeoutMs = 5000

/** Answers with the page of the app; resolves with `false`, and logs why, where it has made none. */
export async function answerOwnRefusalPage(
  refusalPage: RefusalPage,
  view: RefusalView,
  request: Request,
  response: Response,
  logger: Logger,
): Promise<boolean> {
  try {
    const tooLate = () => new Error(`no page within ${ownPageTimeoutMs} ms`)
    const html: unknown = await within((async () => refusalPage(view, request))(), ownPageTimeoutMs, tooLate)
    if (typeof html !== 'string') throw new TypeError(`the page must be a text, got ${typeof html}`)
    if (!isOver(response)) answerHtml(response, view.status, html)
    return true
  } catch (cause) {
    logger.error({ portal: view.portal, cause }, 'refusalPage failed: the built-in page is shown')
    return isOver(response)
  }
}
