/**
 * `<portal>/login/<provider>` and its callback: how people sign in to a portal at an identity provider.
 *
 * @module
 */

import type { Request, Response } from 'express'
import type { HttpError } from '../core/errors.js'
import { markReported } from '../core/reported.js'
import { readClient } from '../http/client.js'
import { methodNotAllowed } from '../http/endpoint.js'
import { type Gate, refusalFrom, type Verdict } from '../http/gate.js'
import { plainHttpRefusal } from '../http/plain-http.js'
import { ProviderError } from '../identity-providers/provider-error.js'
import type { ProviderSessions } from '../identity-providers/provider-sessions.js'
import type { IdentityProvider, ProviderUser } from '../identity-providers/provider-types.js'
import type { UserProfile } from '../users/user-store.js'
import type { ShowLogin } from './login.js'
import type { SignInLink } from './login-page.js'
import { isRead, queryParameter, readMount, readRoot, safeReturnTo, wantsPage } from './navigation.js'
import { answerSeeOther } from './page.js'
import type { ProviderSignIns } from './provider-sign-in.js'
import {
  anotherAccountQuery,
  asksAnotherAccount,
  isOfNoAccess,
  refusalFromProvider,
  reportFromProvider,
  titleOf,
} from './provider-sign-in.js'
import type { ProviderSignOut } from './provider-sign-out.js'
import { messageForPeople, type PortalParts } from './refusals.js'
import { createSessionStart } from './start-session.js'
import { textsIn } from './texts/texts.js'

/** How people sign in to a portal. */
export interface PortalSignIn {
  readonly takesPassword: boolean
  readonly providers: readonly IdentityProvider[]
  readonly signIns: ProviderSignIns
  readonly sessions: ProviderSessions
  readonly signOut: ProviderSignOut
  /** The longest that a session of any portal, or a shared sign-on, lasts: what they end with lasts as long. */
  readonly longestMs: number
}

/** What OAuth clients may learn of a user of a provider. */
export function profileOf({ displayName: name, email }: ProviderUser): UserProfile {
  return { name, email }
}

/** The links of the login page. `refusedAt`: where somebody has just signed in who may not enter. */
export function signInLinks(
  request: Request,
  { providers }: Pick<PortalSignIn, 'providers'>,
  returnTo: string | undefined,
  refusedAt?: IdentityProvider,
): readonly SignInLink[] {
  return providers.map((provider) => {
    const { name } = provider.config
    const isRefused = provider === refusedAt
    const query = [
      ...(returnTo === undefined ? [] : [`return_to=${encodeURIComponent(returnTo)}`]),
      ...(isRefused ? [anotherAccountQuery] : []),
    ]
    const href = `${readMount(request)}/login/${name}${query.length === 0 ? '' : `?${query.join('&')}`}`
    return { name, title: titleOf(provider), href, isForAnotherAccount: isRefused }
  })
}

const plainHttpSetting = 'allow_insecure_http = true in [portal]'

/** The gate of both; any other path is let through. */
export function portalSignInGate(parts: PortalParts, signIn: PortalSignIn, showLogin: ShowLogin): Gate {
  const { name: portal, cookie, events, clock, allowPlainHttp, languageOf } = parts
  const { signIns, sessions, signOut } = signIn
  const providers = new Map(signIn.providers.map((provider) => [provider.config.name, provider]))
  const startSession = createSessionStart(parts)
  const place = `portal ${portal}`

  async function begin(request: Request, response: Response, provider: IdentityProvider): Promise<Verdict> {
    const returnTo = safeReturnTo(queryParameter(request, 'return_to'), request)
    const callbackPath = `${readMount(request)}/login/${provider.config.name}/callback`
    try {
      return await signIns.begin(request, response, provider, {
        ...{ place, returnTo, callbackPath },
        asksWho: asksAnotherAccount(request),
      })
    } catch (error) {
      return refuse(request, response, provider, error, returnTo)
    }
  }

  async function finish(request: Request, response: Response, provider: IdentityProvider): Promise<Verdict> {
    const client = readClient(request)
    let returnTo: string | undefined
    try {
      // Several cookies are refused before the code is used.
      cookie.read(request)
      returnTo = (await signIns.find(request, provider))?.returnTo
      const finished = await signIns.finish(request, response, provider, (wanted) => wanted === place)
      const { user, startedAt } = finished
      const { config } = provider
      const start = { ...client, startedAt }
      await sessions.noteUser(config, user, signIn.longestMs)
      const memo = await signOut.createMemo(config, user)
      const session = await startSession(request, response, user.account, {
        ...start,
        factors: ['provider'],
        name: sessions.nameOf(config, user),
        memo,
        profile: profileOf(user),
        startParent: () => sessions.start(config, user, start, signIn.longestMs),
        confirm: () => sessions.confirm(config, user, start),
      })
      if (session === undefined) return 'answered'
      signOut.remember(request, response, memo)
      // Checked once more: the portal may have been mounted elsewhere meanwhile.
      answerSeeOther(response, safeReturnTo(returnTo, request) ?? readRoot(request))
      return 'answered'
    } catch (error) {
      return refuse(request, response, provider, error, returnTo)
    }
  }

  /** Reports why nobody has signed in, and shows the login page with what can be done. */
  async function refuse(
    request: Request,
    response: Response,
    provider: IdentityProvider,
    error: unknown,
    returnTo: string | undefined,
  ): Promise<Verdict> {
    let refusal = refusalFrom(error)
    if (error instanceof ProviderError) {
      refusal = refusalFromProvider(error, provider)
      const report = reportFromProvider(error, provider)
      events?.report('loginRefused', { at: clock(), ...readClient(request), kind: 'portal', ...report })
      markReported(refusal, events !== undefined)
    }
    if (!wantsPage(request)) return refusal
    for (const [header, value] of Object.entries(refusal.headers)) response.setHeader(header, value)
    const message = messageForPeople(refusal, textsIn(languageOf(request)))
    const back = safeReturnTo(returnTo, request)
    const signInAt = signInLinks(request, signIn, back, isOfNoAccess(error) ? provider : undefined)
    return showLogin(request, response, refusal.status, { returnTo: back, message, signInAt })
  }

  return function portalSignInGate(request, response) {
    const [, name = '', step] = /^\/login\/([a-z0-9_-]+)(\/callback)?\/?$/i.exec(request.path) ?? []
    const provider = providers.get(name.toLowerCase())
    if (provider === undefined) return undefined
    if (!isRead(request) || request.method === 'HEAD') return methodNotAllowed('GET')
    const refusal: HttpError | undefined = plainHttpRefusal(request, allowPlainHttp, plainHttpSetting)
    if (refusal !== undefined) return refusal
    return step === undefined ? begin(request, response, provider) : finish(request, response, provider)
  }
}
