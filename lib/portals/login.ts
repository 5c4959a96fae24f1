/**
 * `<portal>/login`: shows the form, and takes it.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { type HttpError, UnauthorizedError } from '../core/errors.js'
import { clientGone, isOver } from '../internal/client-gone.js'
import { methodNotAllowed } from '../internal/endpoint.js'
import type { Gate, Verdict } from '../internal/gate.js'
import { plainHttpRefusal } from '../internal/plain-http.js'
import { refusedLoginReporter } from '../internal/refused-login.js'
import { isReported, markReported } from '../internal/reported-refusals.js'
import { clientAddress } from '../internal/trust-proxy.js'
import type { LiveSession } from '../tokens/sessions.js'
import type { UserAccount } from '../users/user-store.js'
import { type LoginForm, readLoginForm } from './login-form.js'
import { type LoginView, loginPage as ourLoginPage } from './login-page.js'
import { isRead, wantsPage } from './navigation.js'
import { answerHtml, answerPage, answerSeeOther, formPageHeaders } from './page.js'
import { entryRefusal } from './portal-access.js'
import type { PortalParts } from './portal-parts.js'
import { messageForPeople, unauthorized } from './portal-refusal.js'
import { cookieQuery, mountOf, rootOf, safeReturnTo } from './return-to.js'

/** What has to be written for passwords over plain HTTP. */
const plainHttpSetting = 'allow_insecure_http = true in [portal]'

/** Refusals that the form is shown again with: another attempt may be better. */
const statusesWithForm = new Set([401, 403, 429, 503])

const sessionEnded = 'Your session has ended. Sign in again.'

/** Safari drops `Secure` cookies of `http://localhost`, other browsers those of a site that is not allowed any. */
const noCookie =
  'Your browser did not keep the cookie of this site, so you are not signed in. Allow cookies for this site; on this machine, ' +
  'open it with https.'

/** The gate of the login page. */
export function loginGate(parts: PortalParts): Gate {
  const { name, sessions, cookie, authenticator, roles, allowsPlainHttp } = parts
  const { loginPage, view: portalView, singleSignOn, events, clock } = parts
  const refusedLogin = refusedLoginReporter(events, clock)

  async function showForm(
    request: Request,
    response: Response,
    status: number,
    view: Partial<LoginView>,
  ): Promise<'answered'> {
    const action = `${mountOf(request)}/login`
    const initial = { portal: name, ...portalView, action, returnTo: undefined, userName: '', message: undefined }
    const complete: LoginView = { ...initial, ...view }
    if (loginPage === undefined) answerPage(response, status, ourLoginPage(complete), formPageHeaders)
    else answerHtml(response, status, await loginPage(complete))
    return 'answered'
  }

  async function takeForm(request: Request, response: Response): Promise<Verdict> {
    const former = cookie.read(request)
    const form = await readLoginForm(request)
    const returnTo = safeReturnTo(form.returnTo, request)
    try {
      const account = await logIn(form, former, request, response)
      if (account !== undefined) answerSeeOther(response, returnTo ?? rootOf(request))
      return 'answered'
    } catch (error) {
      const refusal = refusalFor(error, form.userName, request)
      if (!statusesWithForm.has(refusal.status) || !wantsPage(request) || isOver(response)) return refusal
      for (const [header, value] of Object.entries(refusal.headers)) response.setHeader(header, value)
      return showForm(request, response, refusal.status, {
        userName: form.userName,
        returnTo,
        message: messageForPeople(refusal),
      })
    }
  }

  /** A browser that is signed in already goes on; one that is not is told why, where that can be known. */
  async function openForm(request: Request, response: Response): Promise<Verdict> {
    const returnTo = safeReturnTo(askedFor(request, 'return_to'), request)
    const [credential, ...others] = cookie.readAll(request)
    if (credential === undefined) {
      const message = askedFor(request, cookieQuery) === null ? undefined : noCookie
      return showForm(request, response, 200, { returnTo, message })
    }
    const live = others.length > 0 ? undefined : await liveSession(credential)
    if (live === 'ended') return showForm(request, response, 200, { returnTo, message: sessionEnded })
    if (live === undefined || entryRefusal(roles, live.auth)) return showForm(request, response, 200, { returnTo })
    answerSeeOther(response, returnTo ?? rootOf(request))
    return 'answered'
  }

  /** `undefined` where the store does not answer: the form will say so. */
  async function liveSession(credential: string): Promise<LiveSession | 'ended' | undefined> {
    try {
      return await sessions.verify(credential, false)
    } catch (error) {
      return error instanceof UnauthorizedError ? 'ended' : undefined
    }
  }

  /** `former`: what the cookie of the request holds. `undefined`: nobody waits for the answer any more. */
  async function logIn(
    form: LoginForm,
    former: string | undefined,
    request: Request,
    response: Response,
  ): Promise<UserAccount | undefined> {
    const begunAt = clock()
    const address = clientAddress(request)
    const context = { address, origin: request.headers.origin, signal: clientGone(response) }
    const account = await authenticator.authenticate(form.userName, form.password, context)
    if (isOver(response)) return undefined
    const entry = entryRefusal(roles, account)
    if (entry !== undefined) {
      events?.report('loginRefused', { at: clock(), address, userName: account.subject, reason: 'not-admitted' })
      throw markReported(entry, events !== undefined)
    }

    if (former !== undefined) await sessions.end(sessions.idOf(former))
    const parent = await singleSignOn?.begin(request, response, account, { address, begunAt })
    const { credential, id } = await sessions.begin(account, { address, begunAt, parent })
    if (isOver(response)) {
      await sessions.end(id)
      return undefined
    }
    events?.report('login', { at: begunAt, address, subject: account.subject, tokenId: id, kind: 'portal' })
    cookie.set(request, response, credential)
    return account
  }

  function refusalFor(error: unknown, userName: string, request: Request): HttpError {
    const refusal = refusedLogin(error, userName, clientAddress(request))
    if (refusal.status !== 401) return refusal
    return markReported(unauthorized(refusal.code, refusal.message), isReported(refusal))
  }

  return function loginGate(request, response) {
    const { method } = request
    if (method !== 'POST' && !isRead(request)) return methodNotAllowed('GET, HEAD, POST')
    const refusal = plainHttpRefusal(request, allowsPlainHttp, plainHttpSetting)
    if (refusal !== undefined) return refusal
    return method === 'POST' ? takeForm(request, response) : openForm(request, response)
  }
}

/** Read from the URL itself: an app may have switched the query parser off, or another one on. */
function askedFor({ url }: Request, name: string): string | null {
  const start = url.indexOf('?')
  return start < 0 ? null : new URLSearchParams(url.slice(start)).get(name)
}
