/**
 * The form of a login page, at a portal and at the authorization server: how it is read, and how it becomes a login.
 *
 * @module
 */

import type { Request, Response } from 'express'
import type { AuthKind } from '../core/auth.js'
import { BadRequestError, HttpError } from '../core/errors.js'
import { pickClient, type SecurityEvents } from '../core/events.js'
import type { LanguageOf } from '../core/languages.js'
import { isReported, markReported } from '../core/reported.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import { clientGone, isOver } from '../http/answer.js'
import { type BodyLimits, readBytes, utf8Type } from '../http/body.js'
import { readClient } from '../http/client.js'
import type { Verdict } from '../http/gate.js'
import { refusedLoginReporter } from '../http/refusals.js'
import type { Authenticator, LoginContext, ShowFactor } from '../users/login/authenticator.js'
import { throttled, wrongCredentials } from '../users/login/login-refusals.js'
import { SecondFactorRequiredError } from '../users/login/second-factor-required.js'
import type { UserAccount } from '../users/user-store.js'
import type { PortalCookie } from './cookie.js'
import { messageForPeople, unauthorized } from './refusals.js'
import type { SecondFactorView } from './second-page.js'
import { findPendingAccount, openPending, type PendingLogin, type SecondStepParts, sealPending } from './second-step.js'
import type { SignOnContext } from './single-sign-on.js'
import { english } from './texts/en.js'
import { type Texts, textsIn } from './texts/texts.js'

/** What the login form says. */
export interface LoginForm {
  readonly userName: string
  readonly password: string
  /** As it was sent: see `safeReturnTo`. */
  readonly returnTo: string | undefined
}

/** What the form of a second factor says. */
export interface CodeForm {
  readonly code: string
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
export async function readLoginForm(request: Request): Promise<LoginForm | CodeForm> {
  if (!formType.test(request.headers['content-type'] ?? '')) {
    throw new HttpError(415, 'ERR_MEDIA_TYPE_UNSUPPORTED', 'Send application/x-www-form-urlencoded.')
  }
  const form = await readForm(request, { maxBytes: maxBodyBytes, malformed })
  const [userName, password, returnTo, code] = ['username', 'password', 'return_to', 'code'].map((name) => {
    const [value, ...others] = form.getAll(name)
    if (others.length > 0) throw malformed()
    return value
  })
  if (code !== undefined && userName === undefined && password === undefined) return { code, returnTo }
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
  /** What the logins are for. */
  readonly kind: AuthKind
  /** Who has to show a second factor. */
  readonly secondFactor: SecondFactorPolicy
  /** `undefined`: nobody has one. */
  readonly secondStep?: SecondStepParts | undefined
  readonly languageOf: LanguageOf
}

/** What a page does with its login form. */
export interface FormLoginPage {
  readonly form: LoginForm | CodeForm
  /** Answers a user who has shown all that is asked for. What it throws is a refused login. */
  admit(account: UserAccount, context: AdmittedLogin): Promise<Verdict>
  /** Shows the form again with the reason; `undefined` where no page was asked for. */
  readonly showAgain: ((status: number, message: string) => Verdict | Promise<Verdict>) | undefined
  /** Shows the page of the second factor. */
  showStep(status: number, view: StepView): Promise<Verdict>
  /** Keeps the login between password and second factor. */
  readonly stepCookie: PortalCookie
  /** What the login is for: see `sealPending`. */
  readonly scope: string
}

/** A login by a form, with what the user has to be shown before anything else. */
export interface AdmittedLogin extends SignOnContext {
  readonly recoveryCodes: readonly string[] | undefined
}

/** What changes of the page of the second factor. */
export type StepView = Pick<SecondFactorView, 'step' | 'message' | 'secret' | 'qrCode'>

/** Refusals that the form is shown again with: another attempt may be better. */
const statusesWithForm = new Set([401, 403, 429, 503])

/** Returns the function that authenticates by a form. Nothing is started when the client has gone. */
export function createFormLogin({
  authenticator,
  events,
  clock,
  kind,
  secondFactor,
  secondStep,
  languageOf,
}: FormLoginParts): (request: Request, response: Response, page: FormLoginPage) => Promise<Verdict> {
  const refusedLogin = refusedLoginReporter(events, clock, kind)

  function contextFrom(request: Request, response: Response): LoginContext {
    const { origin } = request.headers
    return { ...readClient(request), kind, origin, signal: clientGone(response), secondFactor }
  }

  async function refuse(
    error: unknown,
    userName: string,
    request: Request,
    response: Response,
    show: FormLoginPage['showAgain'],
    text?: (texts: Texts) => string,
  ): Promise<Verdict> {
    const refusal = withChallenge(refusedLogin(error, userName, readClient(request)))
    if (show === undefined || !statusesWithForm.has(refusal.status) || isOver(response)) return refusal
    for (const [header, value] of Object.entries(refusal.headers)) response.setHeader(header, value)
    const texts = textsIn(languageOf(request))
    const isExplained = refusal.status === 401 && text !== undefined
    return show(refusal.status, isExplained ? text(texts) : messageForPeople(refusal, texts))
  }

  /** The password was right: asks for the second factor, or to set one up. */
  async function startStep(
    error: SecondFactorRequiredError,
    startedAt: number,
    request: Request,
    response: Response,
    page: FormLoginPage,
  ): Promise<Verdict> {
    const { account, status } = error.pending
    const { subject, version } = account
    if (secondStep === undefined || (status !== 'enrolled' && !secondStep.secondFactors.canEnrol)) {
      return refuse(error, subject, request, response, page.showAgain, ({ messages }) => messages.noSecondFactor)
    }
    const step = status === 'enrolled' ? 'code' : 'invitation'
    const sealed = await sealPending({ subject, version, startedAt, step }, page.scope, secondStep)
    if (isOver(response)) return 'answered'
    page.stepCookie.set(request, response, sealed)
    if (page.showAgain === undefined) return withChallenge(error)
    return page.showStep(200, { step, message: undefined, secret: undefined, qrCode: undefined })
  }

  async function takeCode(code: string, request: Request, response: Response, page: FormLoginPage): Promise<Verdict> {
    const [sealed, ...others] = page.stepCookie.readAll(request)
    const own = secondStep === undefined || others.length > 0 ? undefined : secondStep
    const pending = own && (await openPending(sealed, page.scope, own))
    const account = pending && (await findPendingAccount(pending, own!.users))
    if (own === undefined || pending === undefined || account === undefined) {
      page.stepCookie.clear(request, response)
      const tookTooLong = ({ messages }: Texts) => messages.tookTooLong
      const error = unauthorized('ERR_SESSION_ENDED', tookTooLong(english))
      return refuse(error, '', request, response, page.showAgain, tookTooLong)
    }
    const view = viewOf(pending, own)
    const showAgain =
      page.showAgain && ((status: number, message: string) => page.showStep(status, { ...view, message }))
    try {
      if (pending.step === 'invitation') return await takeInvitation(pending, code, own, request, response, page)
      let recoveryCodes: readonly string[] | undefined
      const show: ShowFactor = async (subject) => {
        if (pending.setup === undefined) return own.secondFactors.verify(subject, code)
        const { secret, invitation } = pending.setup
        recoveryCodes = await own.secondFactors.enrol(subject, secret, code, invitation)
        if (recoveryCodes === undefined) return { outcome: 'wrong' }
        const by = { at: clock(), ...readClient(request), by: subject, subject }
        events?.report('secondFactorChanged', { ...by, change: 'enrolled' })
        return { outcome: 'right', factor: 'otp' }
      }
      const context = contextFrom(request, response)
      const { factors = ['password'], ...user } = await authenticator.complete(account, show, context)
      if (isOver(response)) return 'answered'
      page.stepCookie.clear(request, response)
      const { startedAt } = pending
      return await page.admit(user, { ...pickClient(context), startedAt, factors, recoveryCodes })
    } catch (error) {
      return refuse(error, account.subject, request, response, showAgain, ({ messages }) => messages.wrongCode)
    }
  }

  /** With the code of an operator, a user gets a seed. Nothing is kept of it until a code of the app has shown that it is there. */
  async function takeInvitation(
    pending: PendingLogin,
    code: string,
    own: SecondStepParts,
    request: Request,
    response: Response,
    page: FormLoginPage,
  ): Promise<Verdict> {
    const outcome = await own.secondFactors.verifyEnrolmentCode(pending.subject, code)
    if (outcome.outcome === 'locked') throw throttled(outcome.retryAfterMs)
    if (outcome.outcome === 'wrong') throw wrongCredentials()
    const { secret } = own.secondFactors.createSecret(pending.subject)
    const next: PendingLogin = { ...pending, step: 'setup', setup: { secret, invitation: code } }
    page.stepCookie.set(request, response, await sealPending(next, page.scope, own))
    return page.showStep(200, viewOf(next, own))
  }

  return async function formLogin(request, response, page) {
    const { form, admit, showAgain } = page
    if ('code' in form) return takeCode(form.code, request, response, page)
    const { userName, password } = form
    const startedAt = clock()
    try {
      const context = contextFrom(request, response)
      const { factors = ['password'], ...account } = await authenticator.authenticate(userName, password, context)
      if (isOver(response)) return 'answered'
      return await admit(account, { ...pickClient(context), startedAt, factors, recoveryCodes: undefined })
    } catch (error) {
      if (error instanceof SecondFactorRequiredError) return startStep(error, startedAt, request, response, page)
      return refuse(error, userName, request, response, showAgain)
    }
  }
}

function viewOf({ subject, step, setup }: PendingLogin, { secondFactors, renderQrCode }: SecondStepParts): StepView {
  if (setup === undefined) return { step, message: undefined, secret: undefined, qrCode: undefined }
  const { secret, address } = secondFactors.createSecret(subject, setup.secret)
  return { step, message: undefined, secret, qrCode: renderQrCode(address) }
}

function withChallenge(refusal: HttpError): HttpError {
  if (refusal.status !== 401) return refusal
  return markReported(unauthorized(refusal.code, refusal.message), isReported(refusal))
}
