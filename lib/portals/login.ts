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
import { builtInLoginPage, type LoginView } from './login-page.js'
import { cookieQuery, isRead, queryParameter, readMount, readRoot, safeReturnTo, wantsPage } from './navigation.js'
import { answerHtml, answerPage, answerSeeOther } from './page.js'
import { signInLinks } from './portal-sign-in.js'
import { entryRefusal, type PortalParts } from './refusals.js'
import { answerContinue, answerSecondFactorPage } from './second-page.js'
import { createSessionStart } from './start-session.js'
import { textsIn } from './texts/texts.js'

/** What has to be written for passwords over plain HTTP. */
const plainHttpSetting = 'allow_insecure_http = true in [portal]'

/** Shows the login page of a portal. */
export type ShowLogin = (
  request: Request,
  response: Response,
  status: number,
  view: Partial<LoginView>,
) => Promise<'answered'>

export function createShowLogin({ name, loginPage, view: portalView, languageOf, signIn }: PortalParts): ShowLogin {
  return async function showLogin(request, response, status, view) {
    const action = `${readMount(request)}/login`
    const page = { portal: name, ...portalView, language: languageOf(request), action }
    const initial = { ...page, returnTo: undefined, userName: '', message: undefined }
    const ways = {
      takesPassword: signIn?.takesPassword ?? true,
      signInAt: signIn === undefined ? [] : signInLinks(request, signIn, view.returnTo),
    }
    const complete: LoginView = { ...initial, ...ways, ...view }
    if (loginPage === undefined) answerPage(response, status, builtInLoginPage(complete))
    else answerHtml(response, status, await loginPage(complete, request))
    return 'answered'
  }
}

/** The gate of the login page. */
export function loginGate(parts: PortalParts, showForm: ShowLogin = createShowLogin(parts)): Gate {
  const { name, sessions, cookie, allowPlainHttp, signIn, view: portalView, languageOf } = parts
  const formLogin = createFormLogin({ ...parts, kind: 'portal' })
  const startSession = createSessionStart(parts)
  // Where there is one way only, nobody has to choose it.
  const onlyWay = signIn?.takesPassword === false && signIn.providers.length === 1

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
        const page = { ...portalView, language: languageOf(request), action: `${readMount(request)}/login` }
        const view = { ...page, returnTo, ...stepView }
        await answerSecondFactorPage(request, response, status, view, parts.secondFactorPage)
        return 'answered'
      },
      async admit(account, context) {
        const session = await startSession(request, response, account, context)
        if (session === undefined) return 'answered'
        const view = { ...portalView, language: languageOf(request) }
        answerContinue(response, returnTo ?? readRoot(request), view, context.recoveryCodes)
        return 'answered'
      },
    })
  }

  /**
   * A browser that is signed in is redirected; one that is not is told why, where that can be known. Safari drops `Secure` cookies of
   * `http://localhost`, other browsers those of a site that is not allowed any.
   */
  async function openForm(request: Request, response: Response): Promise<Verdict> {
    const returnTo = safeReturnTo(queryParameter(request, 'return_to'), request)
    const [credential, ...others] = cookie.readAll(request)
    if (credential === undefined) {
      const reason = queryParameter(request, cookieQuery) === null ? undefined : 'noCookie'
      return showFirst(request, response, returnTo, reason)
    }
    const live = others.length > 0 ? undefined : await liveSession(credential)
    if (live === 'ended') return showFirst(request, response, returnTo, 'sessionEnded')
    if (live === undefined || entryRefusal(parts, live.auth)) return showForm(request, response, 200, { returnTo })
    answerSeeOther(response, returnTo ?? readRoot(request))
    return 'answered'
  }

  /** A browser that has signed out stays so until somebody asks for it. */
  async function showFirst(
    request: Request,
    response: Response,
    returnTo: string | undefined,
    reason: 'noCookie' | 'sessionEnded' | undefined,
  ): Promise<Verdict> {
    const isSignedOut = signIn?.signOut.isSignedOut(request) === true
    if (!onlyWay || isSignedOut || reason === 'noCookie') {
      const shown = reason ?? (isSignedOut ? 'signedOut' : undefined)
      const message = shown && textsIn(languageOf(request)).messages[shown]
      return showForm(request, response, 200, { returnTo, message })
    }
    answerSeeOther(response, signInLinks(request, signIn!, returnTo)[0]!.href)
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
    const isForm = method === 'POST' && signIn?.takesPassword !== false
    if (!isForm && !isRead(request)) {
      return methodNotAllowed(signIn?.takesPassword === false ? 'GET, HEAD' : 'GET, HEAD, POST')
    }
    const refusal = plainHttpRefusal(request, allowPlainHttp, plainHttpSetting)
    if (refusal !== undefined) return refusal
    return isForm ? takeForm(request, response) : openForm(request, response)
  }
}
