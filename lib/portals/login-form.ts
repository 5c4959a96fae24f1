/**
 * The form of a login page, at a portal and at the authorization server: how it is read, and how it becomes a login.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { clientAddress } from '../addresses/trust-proxy.js'
import { BadRequestError, HttpError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { isReported, markReported } from '../core/reported.js'
import { clientGone, isOver } from '../http/answer.js'
import { type BodyLimits, readBytes, utf8Type } from '../http/body.js'
import type { Verdict } from '../http/gate.js'
import { refusedLoginReporter } from '../http/refusals.js'
import type { Authenticator } from '../users/login/authenticator.js'
import type { UserAccount } from '../users/user-store.js'
import { messageForPeople, unauthorized } from './refusals.js'
import type { SignOnContext } from './single-sign-on.js'

/** What the login form says. */
export interface LoginForm {
  readonly userName: string
  readonly password: string
  /** As it was sent: see `safeReturnTo`. */
  readonly returnTo: string | undefined
}

/** Far more than a name, a password and a path take, even where each character is escaped. */
const maxBodyBytes = 16 * 1024

/** Other charsets than UTF-8 are not sent by browsers (WHATWG URL section 5). */
const formType = utf8Type('application/x-www-form-urlencoded')

/**
 * Reads the fields.
 *
 * @throws `BadRequestError` (400, `ERR_REQUEST_INVALID`) for a field that is missing or sent twice; `HttpError` 415
 * for another type, 413 over 16 KiB, and 408 when the body does not arrive within 20 seconds.
 */
export async function readLoginForm(request: Request): Promise<LoginForm> {
  if (!formType.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'ERR_MEDIA_TYPE_UNSUPPORTED', 'Send application/x-www-form-urlencoded.')
  }
  const form = await readForm(request, { maxBytes: maxBodyBytes, malformed })
  const [userName, password, returnTo] = ['username', 'password', 'return_to'].map((name) => {
    const [value, ...others] = form.getAll(name)
    if (others.length > 0) throw malformed()
    return value
  })
  if (userName === undefined || password === undefined) throw malformed()
  return { userName, password, returnTo }
}

function malformed(): HttpError {
  return new BadRequestError('ERR_REQUEST_INVALID', 'The form is not complete.')
}

/**
 * Reads a form, or takes what a body parser of the app has read. A field that came twice is there twice, and so is one of which
 * a parser has made an object: neither is accepted later.
 *
 * @throws `HttpError` 400, 408 and 413.
 */
export async function readForm(request: Request, limits: BodyLimits): Promise<URLSearchParams> {
  const { body } = request as { body?: unknown }
  if (!request.readableEnded) {
    if (request.destroyed) throw limits.malformed()
    return new URLSearchParams((await readBytes(request, limits)).toString())
  }
  if (typeof body === 'string' || body instanceof Uint8Array) return new URLSearchParams(Buffer.from(body).toString())
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(body ?? {})) {
    for (const one of [value].flat()) {
      for (const text of typeof one === 'object' ? ['', ''] : [String(one)]) form.append(name, text)
    }
  }
  return form
}

/** What logins by a form work with. */
export interface FormLoginParts {
  readonly authenticator: Authenticator
  readonly events: SecurityEvents | undefined
  readonly clock: () => number
}

/** What a page does with its login form. */
export interface FormLoginPage {
  readonly form: Pick<LoginForm, 'userName' | 'password'>
  /** Answers after the right password. What it throws is a refused login. */
  admit(account: UserAccount, context: SignOnContext): Promise<Verdict>
  /** Shows the form again with the reason; `undefined` where no page was asked for. */
  readonly showAgain: ((status: number, message: string) => Verdict | Promise<Verdict>) | undefined
}

/** Refusals that the form is shown again with: another attempt may be better. */
const statusesWithForm = new Set([401, 403, 429, 503])

/** Returns the function that authenticates by a form. Nothing is started when the client has gone. */
export function createFormLogin({
  authenticator,
  events,
  clock,
}: FormLoginParts): (request: Request, response: Response, page: FormLoginPage) => Promise<Verdict> {
  const refusedLogin = refusedLoginReporter(events, clock)

  return async function formLogin(request, response, { form: { userName, password }, admit, showAgain }) {
    const startedAt = clock()
    const address = clientAddress(request)
    const context = { address, origin: request.headers.origin, signal: clientGone(response) }
    try {
      const account = await authenticator.authenticate(userName, password, context)
      return isOver(response) ? 'answered' : await admit(account, { address, startedAt, factors: ['password'] })
    } catch (error) {
      const refusal = withChallenge(refusedLogin(error, userName, address))
      if (showAgain === undefined || !statusesWithForm.has(refusal.status) || isOver(response)) return refusal
      for (const [header, value] of Object.entries(refusal.headers)) response.setHeader(header, value)
      return showAgain(refusal.status, messageForPeople(refusal))
    }
  }
}

function withChallenge(refusal: HttpError): HttpError {
  if (refusal.status !== 401) return refusal
  return markReported(unauthorized(refusal.code, refusal.message), isReported(refusal))
}
