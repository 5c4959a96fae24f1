/**
 * How a portal answers a refusal: with a page where a page was asked for, else with JSON.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { type HttpError, type HttpErrorCode, UnauthorizedError } from '../core/errors.js'
import { answerRefusal } from '../internal/answer.js'
import { isNavigation } from './navigation.js'
import { answerPage, escapeHtml, formPageHeaders, pageHeaders, pageOf } from './page.js'
import { mountOf } from './return-to.js'

/**
 * The challenge of a portal. A 401 must have one (RFC 9110 section 15.5.2), and browsers ask for a password in a dialog of their
 * own only at a scheme that they know: this one they do not.
 */
const challenge = 'Cookie realm="Sallyport"'

/** A 401 of a portal. */
export function unauthorized(code: HttpErrorCode, message: string, cause?: unknown): UnauthorizedError {
  return new UnauthorizedError(code, message, { cause, bare: 'never', headers: { 'WWW-Authenticate': challenge } })
}

/** Users that are signed in and may not enter can sign in as somebody else. */
const hasSignOut: ReadonlySet<HttpErrorCode> = new Set(['ERR_ADMIN_REQUIRED', 'ERR_ROLE_REQUIRED'])

/** Answers a refusal. */
export function answerPortalRefusal(error: HttpError, request: Request, response: Response): void {
  if (response.headersSent || !isNavigation(request)) {
    answerRefusal(error, request, response)
    return
  }
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
  const headers = hasSignOut.has(error.code) ? formPageHeaders : pageHeaders
  answerPage(response, error.status, refusalPage(error, request), headers)
}

function refusalPage({ status, code, message }: HttpError, request: Request): string {
  const title = titles[status] ?? (status >= 500 ? 'Something went wrong' : 'This did not work')
  const main = [`<h1>${title}</h1>`, `<p>${escapeHtml(message)}</p>`, `<p class="code">${status} ${code}</p>`]
  if (hasSignOut.has(code)) {
    main.push(`<form method="post" action="${escapeHtml(mountOf(request))}/logout">`)
    main.push('<button type="submit">Sign in as somebody else</button>', '</form>')
  }
  return pageOf({ title, main: main.join('\n') })
}

const titles: Readonly<Record<number, string>> = {
  403: 'No access',
  404: 'There is nothing here',
  405: 'This did not work',
  429: 'Too many attempts',
  503: 'Not available right now',
}
