/**
 * Sign-ins through the authorization server: the login page, with the form of portals.
 *
 * Anonymous requests start sign-ins, so the server keeps nothing of one until a password was right: each is sealed into the address of its
 * login page, and no other client can evict it.
 *
 * @module
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Request, Response } from 'express'
import { decodeJwt, EncryptJWT, type JWTPayload, jwtDecrypt } from 'jose'
import type { AdapterPayload, Interaction, Provider } from 'oidc-provider'
import { BadRequestError } from '../core/errors.js'
import { pickClient } from '../core/events.js'
import { methodNotAllowed } from '../http/endpoint.js'
import type { Gate, Verdict } from '../http/gate.js'
import type { IdentityProvider } from '../identity-providers/provider-types.js'
import { portalCookie } from '../portals/cookie.js'
import { createFormLogin, readLoginForm } from '../portals/login-form.js'
import { builtInLoginPage } from '../portals/login-page.js'
import { queryParameter } from '../portals/navigation.js'
import { answerPage } from '../portals/page.js'
import { worded } from '../portals/refusals.js'
import { answerContinue, answerSecondFactorPage } from '../portals/second-page.js'
import type { SignOnContext, SingleSignOn } from '../portals/single-sign-on.js'
import type { UserAccount } from '../users/user-store.js'
import type { ProviderRequests } from './endpoints.js'
import type { OauthParts } from './parts.js'
import { createProviderStep } from './provider-step.js'

/** Below the mount. */
export const loginPath = '/login/'

/** Query parameter of a login page that holds the sealed sign-in. */
const signInParameter = 'request'

/** Seconds for which a login page may stand open. */
export const interactionSeconds: number = 15 * 60

const maxHintLength = 256

/** Address of the login page of a sign-in below an issuer, or below its path. */
export function loginAddress(base: string, uid: string, sealed: string): string {
  return `${base}${loginPath}${uid}?${signInParameter}=${sealed}`
}

/** Sign-ins that were started, and in which no password has been right yet. */
export interface StartedSignIns {
  /** Seals a sign-in. Only who has the key can read or make the text. */
  seal(payload: AdapterPayload): Promise<string>
  /** Runs `work`, in which {@link find} knows the sealed sign-in; none when the text is not ours, or has expired. */
  within<Result>(sealed: string, work: () => Promise<Result>): Promise<Result>
  /** The sign-in of this id, inside of {@link within}. */
  find(id: string): AdapterPayload | undefined
}

/** `key`: 32 bytes, the same in all processes that answer the login page. */
export function createStartedSignIns(clock: () => number, key: Uint8Array): StartedSignIns {
  const opened = new AsyncLocalStorage<AdapterPayload>()

  return {
    seal(payload) {
      return new EncryptJWT({ signIn: payload } as JWTPayload)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(new Date(clock() + interactionSeconds * 1000))
        .encrypt(key)
    },

    async within(sealed, work) {
      const currentDate = new Date(clock())
      const decrypted = await jwtDecrypt<{ signIn: AdapterPayload }>(sealed, key, { currentDate }).catch(
        () => undefined,
      )
      return decrypted === undefined ? work() : opened.run(decrypted.payload.signIn, work)
    },

    find(id) {
      const payload = opened.getStore()
      return payload?.jti === id ? payload : undefined
    },
  }
}

export interface SignInParts extends OauthParts {
  readonly provider: Provider
  readonly SessionNotFound: abstract new (...parameters: never) => Error
  readonly providerRequest: ProviderRequests
  readonly singleSignOn: SingleSignOn
  readonly startedSignIns: StartedSignIns
}

/** Answers the login pages; any other path is let through. */
export function signInGate(parts: SignInParts): Gate {
  const { provider, SessionNotFound, providerRequest, cookies, singleSignOn, startedSignIns, events, clock } = parts
  const { languageOf, viewOf } = parts
  const mountPath = new URL(parts.oauth.issuer).pathname
  const formLogin = createFormLogin({ ...parts, kind: 'oauth', secondFactor: parts.oauth.secondFactor })
  const stepCookie = portalCookie(`${parts.oauth.cookiePrefix}-oauth-step`, !cookies.long.secure)
  const takesPassword = parts.signIn?.takesPassword ?? true
  const elsewhere = parts.signIn && createProviderStep(parts, parts.signIn, { admit, showPage })
  const sealedIn = (request: Request): string => queryParameter(request, signInParameter) ?? ''

  async function findInteraction(request: Request, response: Response): Promise<Interaction> {
    try {
      const interaction = await startedSignIns.within(sealedIn(request), () =>
        provider.interactionDetails(providerRequest(request), response),
      )
      if (`${loginPath}${interaction.uid}` === request.path) return interaction
    } catch (error) {
      if (!(error instanceof SessionNotFound)) throw error
    }
    throw worded(
      ({ oauth }) => oauth.signInEnded,
      (message) => new BadRequestError('ERR_REQUEST_INVALID', message),
    )
  }

  const viewFor = (request: Request, { params }: Pick<Interaction, 'params'>) => ({
    ...viewOf(String(params['client_id'])),
    language: languageOf(request),
  })

  /** `sealed`: the sign-in, as the address of the page has it. */
  function showPage(
    request: Request,
    response: Response,
    interaction: Pick<Interaction, 'uid' | 'params'>,
    sealed: string,
    status: number,
    {
      refusedAt,
      ...shown
    }: {
      readonly userName: string
      readonly message: string | undefined
      readonly refusedAt?: IdentityProvider | undefined
    },
  ): Verdict {
    const action = loginAddress(mountPath, interaction.uid, sealed)
    const ways = { takesPassword, signInAt: elsewhere?.linksFrom(action, refusedAt) ?? [] }
    const page = { portal: String(interaction.params['client_id']), ...viewFor(request, interaction), action }
    answerPage(response, status, builtInLoginPage({ ...page, returnTo: undefined, ...ways, ...shown }))
    return 'answered'
  }

  async function finish(
    request: Request,
    response: Response,
    interaction: Interaction,
    result: Interaction['result'],
    recoveryCodes?: readonly string[],
  ): Promise<Verdict> {
    interaction.result = { ...interaction.lastSubmission, ...result }
    await interaction.persist()
    // The address of the page holds the sign-in: without the cookie it is answered once.
    const path = `${mountPath}${loginPath}${interaction.uid}`
    const { names, short } = cookies
    const attributes = `Max-Age=0; HttpOnly; SameSite=Lax${short.secure ? '; Secure' : ''}`
    for (const name of [names.interaction, `${names.interaction}.sig`]) {
      response.appendHeader('Set-Cookie', `${name}=; Path=${path}; ${attributes}`)
    }
    answerContinue(response, interaction.returnTo, viewFor(request, interaction), recoveryCodes)
    return 'answered'
  }

  async function takeForm(request: Request, response: Response, interaction: Interaction): Promise<Verdict> {
    const form = await readLoginForm(request)
    const userName = 'userName' in form ? form.userName : ''

    return formLogin(request, response, {
      form,
      stepCookie,
      scope: `sign-in ${interaction.uid}`,
      async showStep(status, stepView) {
        const action = loginAddress(mountPath, interaction.uid, sealedIn(request))
        const view = { ...viewFor(request, interaction), action, returnTo: undefined, ...stepView }
        await answerSecondFactorPage(request, response, status, view, undefined)
        return 'answered'
      },
      showAgain: (status, message) =>
        showPage(request, response, interaction, sealedIn(request), status, { userName, message }),
      admit: (account, context) => admit(request, response, interaction, account, context),
    })
  }

  /** `confirm`: what it rejects with ends the sign-on again. */
  async function admit(
    request: Request,
    response: Response,
    interaction: Interaction,
    account: UserAccount,
    context: SignOnContext & { readonly recoveryCodes?: readonly string[] | undefined },
    confirm?: (tokenId: string) => Promise<void>,
  ): Promise<Verdict> {
    const { subject } = account
    const { startedAt, factors } = context
    const client = pickClient(context)
    if (isAnotherUser(interaction, subject)) {
      const report = { userName: subject, reason: 'not-admitted', kind: 'oauth' } as const
      events?.report('loginRefused', { at: clock(), ...client, ...report })
      const error_description = 'another user has signed in'
      return finish(request, response, interaction, { error: 'login_required', error_description, subject })
    }
    const tokenId = await singleSignOn.start(request, response, account, context)
    await confirm?.(tokenId)
    events?.report('login', { at: startedAt, ...client, subject, tokenId, kind: 'oauth', factors })
    // The session that the sign-in was started in has another name now, or was that of another user.
    delete interaction.session
    return finish(
      request,
      response,
      interaction,
      { login: { accountId: subject, remember: false } },
      context.recoveryCodes,
    )
  }

  async function answerLogin(request: Request, response: Response): Promise<Verdict> {
    const interaction = await findInteraction(request, response)
    if (interaction.prompt.name === 'consent') return finish(request, response, interaction, { consent: {} })
    if (request.method === 'POST') return takeForm(request, response, interaction)
    const sealed = sealedIn(request)
    const begun = await elsewhere?.begin(request, response, interaction, sealed)
    return (
      begun ??
      showPage(request, response, interaction, sealed, 200, { userName: hintedName(interaction), message: undefined })
    )
  }

  return function signInGate(request, response) {
    const { method, path } = request
    if (!path.startsWith(loginPath)) return undefined
    const isForm = method === 'POST' && takesPassword
    if (method !== 'GET' && !isForm) return methodNotAllowed(takesPassword ? 'GET, POST' : 'GET')
    return elsewhere?.finish(request, response) ?? answerLogin(request, response)
  }
}

/** What the client expects the user to type (OpenID Connect Core 1.0 section 3.1.2.1). It is shown, and nothing else. */
function hintedName({ params }: Interaction): string {
  const hint = params['login_hint']
  return typeof hint === 'string' && hint.length <= maxHintLength ? hint : ''
}

/** The client asked for one user (OpenID Connect Core 1.0 section 3.1.2.1). The hint was verified when the sign-in was started. */
function isAnotherUser({ params }: Interaction, subject: string): boolean {
  const hint = params['id_token_hint']
  return typeof hint === 'string' && decodeJwt(hint).sub !== subject
}
