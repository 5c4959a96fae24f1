/**
 * `<portal>/login`: shows the form, and takes it.
 *
 * @module
 */

import type { Request, Response } from 'express'
import type { HttpError } from '../core/errors.js'
import { clientGone, isOver } from '../internal/client-gone.js'
import { methodNotAllowed } from '../internal/endpoint.js'
import type { Gate, Verdict } from '../internal/gate.js'
import { plainHttpRefusal } from '../internal/plain-http.js'
import { refusedLoginReporter } from '../internal/refused-login.js'
import { markReported } from '../internal/reported-refusals.js'
import { clientAddress } from '../internal/trust-proxy.js'
import type { UserAccount } from '../users/user-store.js'
import { type LoginForm, readLoginForm } from './login-form.js'
import { type LoginView, loginPage as ourLoginPage } from './login-page.js'
import { wantsPage } from './navigation.js'
import { answerHtml, answerPage, answerSeeOther, formPageHeaders } from './page.js'
import { entryRefusal } from './portal-access.js'
import type { PortalParts } from './portal-parts.js'
import { unauthorized } from './portal-refusal.js'
import { mountOf, rootOf, safeReturnTo } from './return-to.js'

/** What has to be written for passwords over plain HTTP. */
const plainHttpSetting = 'allow_insecure_http = true in [portal]'

/** Refusals that the form is shown again with: another attempt may be better. */
const statusesWithForm = new Set([401, 403, 429, 503])

/** The gate of the login page. */
export function loginGate(parts: PortalParts): Gate {
  const { name, sessions, cookie, authenticator, roles, allowsPlainHttp, loginPage, singleSignOn, events, clock } =
    parts
  const refusedLogin = refusedLoginReporter(events, clock)

  function showForm(request: Request, response: Response, status: number, view: Partial<LoginView>): 'answered' {
    const action = `${mountOf(request)}/login`
    const complete: LoginView = { portal: name, action, returnTo: undefined, userName: '', message: undefined, ...view }
    if (loginPage === undefined) answerPage(response, status, ourLoginPage(complete), formPageHeaders)
    else answerHtml(response, status, loginPage(complete))
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
        message: refusal.message,
      })
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
      throw markReported(entry)
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
    return refusal.status === 401 ? markReported(unauthorized(refusal.code, refusal.message)) : refusal
  }

  return function loginGate(request, response) {
    const { method } = request
    if (method !== 'GET' && method !== 'POST') return methodNotAllowed('GET, POST')
    const refusal = plainHttpRefusal(request, allowsPlainHttp, plainHttpSetting)
    if (refusal !== undefined) return refusal
    if (method === 'POST') return takeForm(request, response)
    return showForm(request, response, 200, { returnTo: safeReturnTo(askedIn(request), request) })
  }
}

/** Read from the URL itself: an app may have switched the query parser off, or another one on. */
function askedIn({ url }: Request): string | undefined {
  const start = url.indexOf('?')
  return start < 0 ? undefined : (new URLSearchParams(url.slice(start)).get('return_to') ?? undefined)
}
