/**
 * The built-in pages that ask for a second factor, and help to set one up.
 *
 * @module
 */

import type { Request, Response } from 'express'
import type { Language } from '../core/languages.js'
import {
  answerHtml,
  answerPage,
  answerSeeOther,
  createPage,
  escapeHtml,
  joinLines,
  type Page,
  type PortalView,
} from './page.js'
import { textsIn } from './texts/texts.js'

/** What a page about a second factor shows. No text in it is escaped. */
export interface SecondFactorView extends PortalView {
  /** What the browser asks for, of the languages that there are. The message is in it. */
  readonly language: Language
  /**
   * `code`: asks for a code of the app. `invitation`: asks for the code that lets a user set one up. `setup`: shows the seed, and asks for a
   * first code. Each has one field, `code`.
   */
  readonly step: 'code' | 'invitation' | 'setup'
  /** Where the form is sent, with `POST` as `application/x-www-form-urlencoded`. */
  readonly action: string
  /** Value of the hidden field `return_to`; `undefined`: leave it out. */
  readonly returnTo: string | undefined
  /** Why the code before was refused; `undefined` at first. */
  readonly message: string | undefined
  /** The seed, in base32; there is one at `setup`. */
  readonly secret: string | undefined
  /** The QR code of the `otpauth://` text, as SVG; there is one at `setup`. */
  readonly qrCode: string | undefined
}

/** Makes the HTML of such a page, as `LoginPage` does. */
export type SecondFactorPage = (view: SecondFactorView, request: Request) => string | Promise<string>

/** The built-in page. */
export function builtInSecondFactorPage(view: SecondFactorView): Page {
  const { title, language, step, action, returnTo, message, secret, qrCode } = view
  const { secondFactor, notSignedIn } = textsIn(language)
  const { text, label } = secondFactor[step]
  const hasMessage = message !== undefined
  const input = step === 'invitation' ? 'autocomplete="off"' : 'autocomplete="one-time-code"'
  const key = secret?.replace(/(.{4})(?!$)/g, '$1 ') ?? ''
  const main = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p id="question">${escapeHtml(text)}</p>`,
    qrCode === undefined
      ? ''
      : `<div class="qr" role="img" aria-label="${escapeHtml(secondFactor.qrCode)}">${qrCode}</div>`,
    secret === undefined ? '' : `<p>${escapeHtml(secondFactor.key)} <code>${escapeHtml(key)}</code></p>`,
    hasMessage ? `<p class="alert" id="message" role="alert">${escapeHtml(message)}</p>` : '',
    `<form method="post" action="${escapeHtml(action)}">`,
    returnTo === undefined ? '' : `<input type="hidden" name="return_to" value="${escapeHtml(returnTo)}">`,
    `<label for="code">${escapeHtml(label)}</label>`,
    `<input id="code" name="code" ${input} autocapitalize="none" spellcheck="false" required maxlength="64" ` +
      `aria-describedby="${hasMessage ? 'message' : 'question'}" autofocus>`,
    `<button type="submit">${escapeHtml(secondFactor.button)}</button>`,
    '</form>',
    `<p><a href="${escapeHtml(action)}">${escapeHtml(secondFactor.startAgain)}</a></p>`,
  ]
  const pageTitle = [...(hasMessage ? [notSignedIn] : []), secondFactor.heading, title].join(' - ')
  return createPage({ title: pageTitle, main: joinLines(main), language, portal: view, hasForm: true })
}

/** Shows a page of the app's own, or the built-in one. */
export async function answerSecondFactorPage(
  request: Request,
  response: Response,
  status: number,
  view: SecondFactorView,
  ownPage: SecondFactorPage | undefined,
): Promise<void> {
  if (ownPage !== undefined) answerHtml(response, status, await ownPage(view, request))
  else answerPage(response, status, builtInSecondFactorPage(view))
}

/** Leads on after a sign-in; recovery codes are shown first, which nobody can show again. */
export function answerContinue(
  response: Response,
  path: string,
  view: PortalView & { readonly language: Language },
  recoveryCodes: readonly string[] | undefined,
): void {
  if (recoveryCodes === undefined) {
    answerSeeOther(response, path)
    return
  }
  const { language } = view
  const { heading, title, text, proceed } = textsIn(language).recoveryCodes
  const main = [
    `<h1>${escapeHtml(heading)}</h1>`,
    `<p>${escapeHtml(text)}</p>`,
    `<ul class="codes">${recoveryCodes.map((code) => `<li><code>${escapeHtml(code)}</code></li>`).join('')}</ul>`,
    `<p><a href="${escapeHtml(path)}">${escapeHtml(proceed)}</a></p>`,
  ]
  answerPage(
    response,
    200,
    createPage({ title: `${title} - ${view.title}`, main: joinLines(main), language, portal: view }),
  )
}
