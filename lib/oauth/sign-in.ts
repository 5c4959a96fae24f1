/**
 * The login page of a sign-in through the authorization server: the portals' page, with the authenticator of every login.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { decodeJwt } from 'jose'
import type { Interaction, Provider } from 'oidc-provider'
import { BadRequestError, type HttpError, UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { clientGone } from '../internal/client-gone.js'
import { isCrossSite } from '../internal/cross-site.js'
import { methodNotAllowed } from '../internal/endpoint.js'
import type { Gate, Verdict } from '../internal/gate.js'
import { refusedLoginReporter } from '../internal/refused-login.js'
import { clientAddress } from '../internal/trust-proxy.js'
import { readLoginForm } from '../portals/login-form.js'
import { displayName, loginPage } from '../portals/login-page.js'
import { answerPage, answerSeeOther, formPageHeaders } from '../portals/page.js'
import { messageForPeople } from '../portals/portal-refusal.js'
import type { SingleSignOn } from '../portals/single-sign-on.js'
import type { Authenticator } from '../users/authenticator.js'
import type { UserAccount } from '../users/user-store.js'
import type { OauthCookies } from './cookies.js'
import type { requestFixer } from './fixed-request.js'
import type { OidcProvider } from './load-oidc-provider.js'
import { loginAddress, loginPath, signInParameter } from './provider-configuration.js'
import type { StartedSignIns } from './started-sign-ins.js'

/** What {@link signInGate} works with. */
export interface SignInParts {
  readonly provider: Provider
  readonly errors: OidcProvider['errors']
  readonly fixed: ReturnType<typeof requestFixer>
  readonly issuer: string
  readonly cookies: OauthCookies
  readonly authenticator: Authenticator
  readonly singleSignOn: SingleSignOn
  readonly startedSignIns: StartedSignIns
  readonly events: SecurityEvents | undefined
  readonly clock: () => number
}

/** Answers the login pages; any other path is let through. */
export function signInGate(parts: SignInParts): Gate {
  const { provider, errors, fixed, issuer, cookies, authenticator, singleSignOn, startedSignIns, events, clock } = parts
  const mountPath = new URL(issuer).pathname
  const refusedLogin = refusedLoginReporter(events, clock)

  async function findInteraction(request: Request, response: Response): Promise<Interaction> {
    try {
      const interaction = await startedSignIns.within(sealedIn(request), () =>
        provider.interactionDetails(fixed(request, new URLSearchParams()), response),
      )
      if (`${loginPath}${interaction.uid}` === request.path) return interaction
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound)) throw error
    }
    throw new BadRequestError(
      'ERR_REQUEST_INVALID',
      'This sign-in has ended. Go back to where you came from, and try again.',
    )
  }

  function showPage(
    request: Request,
    response: Response,
    interaction: Interaction,
    status: number,
    userName: string,
    message?: string,
  ) {
    const clientId = String(interaction.params['client_id'])
    const action = loginAddress(mountPath, interaction.uid, sealedIn(request))
    const view = {
      portal: clientId,
      title: displayName(clientId),
      support: undefined,
      action,
      returnTo: undefined,
      userName,
      message,
    }
    answerPage(response, status, loginPage(view), formPageHeaders)
    return 'answered' as const
  }

  async function finish(response: Response, interaction: Interaction, result: Interaction['result']): Promise<Verdict> {
    interaction.result = { ...interaction.lastSubmission, ...result }
    await interaction.persist()
    // The address of the page holds the sign-in: without the cookie it is answered once.
    const path = `${mountPath}${loginPath}${interaction.uid}`
    const { names, isPlain } = cookies
    const attributes = `Max-Age=0; HttpOnly; SameSite=Lax${isPlain ? '' : '; Secure'}`
    for (const name of [names.interaction, `${names.interaction}.sig`]) {
      response.appendHeader('Set-Cookie', `${name}=; Path=${path}; ${attributes}`)
    }
    answerSeeOther(response, interaction.returnTo)
    return 'answered'
  }

  /** The client asked for one user, and another has signed in (OpenID Connect Core 1.0 section 3.1.2.1, `id_token_hint`). */
  function refuseOther(
    response: Response,
    interaction: Interaction,
    { subject }: UserAccount,
    address: string | undefined,
  ): Promise<Verdict> {
    events?.report('loginRefused', { at: clock(), address, userName: subject, reason: 'not-admitted' })
    const error = { error: 'login_required', error_description: 'another user has signed in' }
    return finish(response, interaction, { ...error, subject })
  }

  async function logIn(request: Request, response: Response, interaction: Interaction): Promise<Verdict> {
    const begunAt = clock()
    const address = clientAddress(request)
    const { userName, password } = await readLoginForm(request)
    const { origin } = request.headers
    const context = { address, origin, isCrossSite: isCrossSite(request), signal: clientGone(response) }
    try {
      const account = await authenticator.authenticate(userName, password, context)
      if (response.destroyed) return 'answered'
      if (isAnotherUser(interaction, account.subject)) return await refuseOther(response, interaction, account, address)
      const tokenId = await singleSignOn.begin(request, response, account, { address, begunAt })
      events?.report('login', { at: begunAt, address, subject: account.subject, tokenId, kind: 'oauth' })
      // The session that the sign-in was begun in has another name now, or was that of another user.
      delete interaction.session
      return await finish(response, interaction, { login: { accountId: account.subject, remember: false } })
    } catch (error) {
      const refusal = refusedLogin(error, userName, address)
      if (!isShownOnPage(refusal)) return refusal
      const { 'Retry-After': retryAfter } = refusal.headers
      if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter)
      // No challenge that a browser knows: it would show a dialog of its own.
      if (refusal.status === 401) response.setHeader('WWW-Authenticate', 'Cookie realm="Sallyport"')
      return showPage(request, response, interaction, refusal.status, userName, messageForPeople(refusal))
    }
  }

  return function signInGate(request, response) {
    const { method, path } = request
    if (!path.startsWith(loginPath)) return undefined
    if (method !== 'GET' && method !== 'POST') return methodNotAllowed('GET, POST')
    return findInteraction(request, response).then((interaction) => {
      if (interaction.prompt.name === 'consent') return finish(response, interaction, { consent: {} })
      return method === 'GET'
        ? showPage(request, response, interaction, 200, '')
        : logIn(request, response, interaction)
    })
  }
}

/** The hint was verified when the sign-in was started. */
function isAnotherUser({ params }: Interaction, subject: string): boolean {
  const hint = params['id_token_hint']
  return typeof hint === 'string' && decodeJwt(hint).sub !== subject
}

/** Read from the URL itself: an app may have switched the query parser off, or another one on. */
function sealedIn({ url }: Request): string {
  const start = url.indexOf('?')
  return start < 0 ? '' : (new URLSearchParams(url.slice(start)).get(signInParameter) ?? '')
}

/** What the user can do something about, there and then. */
function isShownOnPage(refusal: HttpError): boolean {
  return refusal instanceof UnauthorizedError || refusal.status === 429 || refusal.status === 503
}
