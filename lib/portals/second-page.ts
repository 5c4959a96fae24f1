/**
 * The built-in pages that ask for a second factor, and help to set one up.
 *
 * @module
 */

import type { Request, Response } from 'express'
import {
  answerHtml,
  answerPage,
  answerSeeOther,
  createPage,
  escapeHtml,
  formPageHeaders,
  type PortalView,
  pageHeaders,
} from './page.js'

/** What a page about a second factor shows. No text in it is escaped. */
export interface SecondFactorView extends PortalView {
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

const questions = {
  code: { text: 'Enter the code of your authenticator app, or one of your recovery codes.', label: 'Code' },
  invitation: {
    text: 'This account needs a second factor. Enter the setup code that an administrator has given you.',
    label: 'Setup code',
  },
  setup: {
    text: 'Scan this with an authenticator app, or type the key. Then enter the code that the app shows.',
    label: 'Code of the app',
  },
} as const

/** Our own page. */
export function secondFactorPage(view: SecondFactorView): string {
  const { title, support, step, action, returnTo, message, secret, qrCode } = view
  const { text, label } = questions[step]
  const hasMessage = message !== undefined
  const input = step === 'invitation' ? 'autocomplete="off"' : 'autocomplete="one-time-code"'
  const main = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p id="question">${text}</p>`,
    qrCode === undefined ? '' : `<div class="qr" role="img" aria-label="QR code of the key">${qrCode}</div>`,
    secret === undefined ? '' : `<p>Key: <code>${escapeHtml(secret.replace(/(.{4})(?!$)/g, '$1 '))}</code></p>`,
    hasMessage ? `<p class="alert" id="message" role="alert">${escapeHtml(message)}</p>` : '',
    `<form method="post" action="${escapeHtml(action)}">`,
    returnTo === undefined ? '' : `<input type="hidden" name="return_to" value="${escapeHtml(returnTo)}">`,
    `<label for="code">${label}</label>`,
    `<input id="code" name="code" ${input} autocapitalize="none" spellcheck="false" required maxlength="64" ` +
      `aria-describedby="${hasMessage ? 'message' : 'question'}" autofocus>`,
    '<button type="submit">Continue</button>',
    '</form>',
    `<p><a href="${escapeHtml(action)}">Start again</a></p>`,
  ]
  const heading = hasMessage ? 'Not signed in - ' : ''
  return createPage({ title: `${heading}Second factor - ${title}`, main: withoutEmpty(main), support })
}

/** Shows a page of the app's own, or ours. */
export async function answerSecondFactorPage(
  request: Request,
  response: Response,
  status: number,
  view: SecondFactorView,
  ownPage: SecondFactorPage | undefined,
): Promise<void> {
  if (ownPage !== undefined) answerHtml(response, status, await ownPage(view, request))
  else answerPage(response, status, secondFactorPage(view), formPageHeaders)
}

/** Leads on after a sign-in; recovery codes are shown first, which nobody can show again. */
export function answerContinue(
  response: Response,
  path: string,
  { title, support }: PortalView,
  recoveryCodes: readonly string[] | undefined,
): void {
  if (recoveryCodes === undefined) {
    answerSeeOther(response, path)
    return
  }
  const main = [
    '<h1>Keep your recovery codes</h1>',
    '<p>Each of them stands for the authenticator app once, if you lose it. They are not shown again.</p>',
    `<ul class="codes">${recoveryCodes.map((code) => `<li><code>${escapeHtml(code)}</code></li>`).join('')}</ul>`,
    `<p><a href="${escapeHtml(path)}">Continue</a></p>`,
  ]
  answerPage(
    response,
    200,
    createPage({ title: `Recovery codes - ${title}`, main: withoutEmpty(main), support }),
    pageHeaders,
  )
}

function withoutEmpty(lines: readonly string[]): string {
  return lines.filter((line) => line !== '').join('\n')
}
