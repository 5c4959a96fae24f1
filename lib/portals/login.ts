/**
 * `<portal>/login`: shows the form, and takes it.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { UnauthorizedError } from '../core/errors.js'
import { methodNotAllowed } from '../http/endpoint.js'
import type { Gate, Verdict } from '../http/gate.js'
import { plainHttpRefusal } from '../http/plain-http.js'
import type { LiveSession } from '../tokens/sessions.js'
import { createFormLogin, readLoginForm } from './login-form.js'
import { cookieQuery, isRead, queryParameter, readMount, readRoot, safeReturnTo, wantsPage } from './navigation.js'
import {
  answerHtml,
  answerPage,
  answerSeeOther,
  formPageHeaders,
  type LoginView,
  loginPage as ourLoginPage,
} from './page.js'
import { entryRefusal, type PortalParts } from './refusals.js'
import { answerContinue, answerSecondFactorPage } from './second-page.js'
import { createSessionStart } from './start-session.js'

/** What has to be written for passwords over plain HTTP. */
const plainHttpSetting = 'allow_insecure_http = true in [portal]'

const sessionEnded = 'Your session has ended. Sign in again.'

/** Safari drops `Secure` cookies of `http://localhost`, other browsers those of a site that is not allowed any. */
const noCookie =
  'Your browser did not keep the cookie of this site, so you are not signed in. Allow cookies for this site; on this machine, ' +
  'open it with https.'

/** The gate of the login page. */
export function loginGate(parts: PortalParts): Gate {
  const { name, sessions, cookie, allowPlainHttp } = parts
  const { loginPage, view: portalView } = parts
  const formLogin = createFormLogin(parts)
  const startSession = createSessionStart(parts)

  async function showForm(
    request: Request,
    response: Response,
    status: number,
    view: Partial<LoginView>,
  ): Promise<'answered'> {
    const action = `${readMount(request)}/login`
    const initial = { portal: name, ...portalView, action, returnTo: undefined, userName: '', message: undefined }
    const complete: LoginView = { ...initial, ...view }
    if (loginPage === undefined) answerPage(response, status, ourLoginPage(complete), formPageHeaders)
    else answerHtml(response, status, await loginPage(complete, request))
    return 'answered'
  }

  async function takeForm(request: Request, response: Response): Promise<Verdict> {
    // Several cookies are refused before a password is checked.
    cookie.read(request)
    const form = await readLoginForm(request)
    const userName = 'userName' in form ? form.userName : ''
    const returnTo = safeReturnTo(form.returnTo, request)
    const showAgain = (status: number, message: string) =>
      showForm(request, response, status, { userName, returnTo, message })

    return formLogin(request, response, {
      form,
      showAgain: wantsPage(request) ? showAgain : undefined,
      stepCookie: parts.stepCookie,
      scope: `portal ${name}`,
      async showStep(status, stepView) {
        const view = { ...portalView, action: `${readMount(request)}/login`, returnTo, ...stepView }
        await answerSecondFactorPage(request, response, status, view, parts.secondFactorPage)
        return 'answered'
      },
      async admit(account, context) {
        const session = await startSession(request, response, account, context)
        if (session === undefined) return 'answered'
        answerContinue(response, returnTo ?? readRoot(request), portalView, context.recoveryCodes)
        return 'answered'
      },
    })
  }

  /** A browser that is signed in is redirected; one that is not is told why, where that can be known. */
  async function openForm(request: Request, response: Response): Promise<Verdict> {
    const returnTo = safeReturnTo(queryParameter(request, 'return_to'), request)
    const [credential, ...others] = cookie.readAll(request)
    if (credential === undefined) {
      const message = queryParameter(request, cookieQuery) === null ? undefined : noCookie
      return showForm(request, response, 200, { returnTo, message })
    }
    const live = others.length > 0 ? undefined : await liveSession(credential)
    if (live === 'ended') return showForm(request, response, 200, { returnTo, message: sessionEnded })
    if (live === undefined || entryRefusal(parts, live.auth)) return showForm(request, response, 200, { returnTo })
    answerSeeOther(response, returnTo ?? readRoot(request))
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

  return function loginGate(request, response) {
    const { method } = request
    if (method !== 'POST' && !isRead(request)) return methodNotAllowed('GET, HEAD, POST')
    const refusal = plainHttpRefusal(request, allowPlainHttp, plainHttpSetting)
    if (refusal !== undefined) return refusal
    return method === 'POST' ? takeForm(request, response) : openForm(request, response)
  }
}
