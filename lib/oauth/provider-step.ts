/**
 * Sign-ins through the authorization server at an identity provider: `<issuer>/login/<provider>/callback` is where the browser comes back
 * to, and the login page is where it begins.
 *
 * @module
 */

import type { Request, Response } from 'express'
import type { Interaction } from 'oidc-provider'
import { BadRequestError } from '../core/errors.js'
import { markReported } from '../core/reported.js'
import { readClient } from '../http/client.js'
import { refusalFrom, type Verdict } from '../http/gate.js'
import { ProviderError } from '../identity-providers/provider-error.js'
import type { IdentityProvider } from '../identity-providers/provider-types.js'
import type { SignInLink } from '../portals/login-page.js'
import { queryParameter } from '../portals/navigation.js'
import { type PortalSignIn, profileOf } from '../portals/portal-sign-in.js'
import {
  anotherAccountQuery,
  asksAnotherAccount,
  isOfNoAccess,
  refusalFromProvider,
  reportFromProvider,
  titleOf,
} from '../portals/provider-sign-in.js'
import { messageForPeople, worded } from '../portals/refusals.js'
import type { SignOnContext } from '../portals/single-sign-on.js'
import { textsIn } from '../portals/texts/texts.js'
import type { UserAccount } from '../users/user-store.js'
import { loginPath, type SignInParts } from './sign-in.js'

/** Query parameter of a login page that begins the sign-in at a provider. */
const providerParameter = 'provider'

/** What the login page does. */
interface LoginPageParts {
  admit(
    request: Request,
    response: Response,
    interaction: Interaction,
    account: UserAccount,
    context: SignOnContext,
    confirm: (tokenId: string) => Promise<void>,
  ): Promise<Verdict>
  showPage(
    request: Request,
    response: Response,
    interaction: Pick<Interaction, 'uid' | 'params'>,
    sealed: string,
    status: number,
    shown: {
      readonly userName: string
      readonly message: string | undefined
      readonly refusedAt?: IdentityProvider | undefined
    },
  ): Verdict
}

/** Sign-ins at providers, from the login page on. */
export interface ProviderStep {
  /** The links of the login page at an address. `refusedAt`: where somebody has just signed in who may not enter. */
  linksFrom(address: string, refusedAt?: IdentityProvider): readonly SignInLink[]
  /** Goes to the provider that was chosen, or to the only one; `undefined` where the page is to be shown. */
  begin(request: Request, response: Response, interaction: Interaction, sealed: string): Promise<Verdict> | undefined
  /** Answers at the callback of a provider; `undefined` anywhere else. */
  finish(request: Request, response: Response): Promise<Verdict> | undefined
}

export function createProviderStep(
  parts: SignInParts,
  { takesPassword, providers, signIns, sessions, signOut }: PortalSignIn,
  { admit, showPage }: LoginPageParts,
): ProviderStep {
  const { provider: server, startedSignIns, store, revocations, events, clock, languageOf } = parts
  const { origin, pathname: mountPath } = new URL(parts.oauth.issuer)
  const byName = new Map(providers.map((provider) => [provider.config.name, provider]))
  const only = takesPassword || providers.length !== 1 ? undefined : providers[0]

  async function beginAt(
    provider: IdentityProvider,
    request: Request,
    response: Response,
    interaction: Interaction,
    sealed: string,
  ): Promise<Verdict> {
    const { uid, params } = interaction
    const { login_hint: hint, prompt, max_age: maxAge } = params
    try {
      return await signIns.begin(request, response, provider, {
        place: placeOf(uid),
        returnTo: sealed,
        origin,
        callbackPath: `${mountPath}${loginPath}${provider.config.name}/callback`,
        loginHint: typeof hint === 'string' ? hint : undefined,
        asksWho: asksAnotherAccount(request),
        isFresh: maxAge !== undefined || (typeof prompt === 'string' && prompt.split(' ').includes('login')),
      })
    } catch (error) {
      return refuse(request, response, provider, error, interaction, sealed)
    }
  }

  async function findInteraction(uid: string, sealed: string): Promise<Interaction> {
    const found = await startedSignIns.within(sealed, () => server.Interaction.find(uid))
    if (found !== undefined) return found as unknown as Interaction
    throw worded(
      ({ oauth }) => oauth.signInEnded,
      (message) => new BadRequestError('ERR_SIGN_IN_ENDED', message),
    )
  }

  async function finishAt(provider: IdentityProvider, request: Request, response: Response): Promise<Verdict> {
    const pending = await signIns.find(request, provider)
    const [, uid = ''] = /^oauth (.+)$/.exec(pending?.place ?? '') ?? []
    const sealed = pending?.returnTo ?? ''
    // Without one, there is no page to go back to.
    const interaction = await findInteraction(uid, sealed)
    const client = readClient(request)
    try {
      const finished = await signIns.finish(request, response, provider, (place) => place === placeOf(uid))
      const { user, startedAt } = finished
      const { config } = provider
      const start = { ...client, startedAt }
      await sessions.noteUser(config, user, parts.oauth.signOnAbsoluteMs)
      const context: SignOnContext = {
        ...start,
        factors: ['provider'],
        name: sessions.nameOf(config, user),
        memo: await signOut.createMemo(config, user),
        profile: profileOf(user),
      }
      return await admit(request, response, interaction, user.account, context, async (tokenId) => {
        try {
          await sessions.confirm(config, user, start)
        } catch (error) {
          await revocations.end(tokenId, store)
          throw error
        }
      })
    } catch (error) {
      return refuse(request, response, provider, error, interaction, sealed)
    }
  }

  function refuse(
    request: Request,
    response: Response,
    provider: IdentityProvider,
    error: unknown,
    interaction: Interaction,
    sealed: string,
  ): Verdict {
    let refusal = refusalFrom(error)
    if (error instanceof ProviderError) {
      refusal = refusalFromProvider(error, provider)
      const report = reportFromProvider(error, provider)
      events?.report('loginRefused', { at: clock(), ...readClient(request), kind: 'oauth', ...report })
      markReported(refusal, events !== undefined)
    }
    for (const [header, value] of Object.entries(refusal.headers)) response.setHeader(header, value)
    return showPage(request, response, interaction, sealed, refusal.status, {
      userName: '',
      message: messageForPeople(refusal, textsIn(languageOf(request))),
      refusedAt: isOfNoAccess(error) ? provider : undefined,
    })
  }

  return {
    linksFrom: (address, refusedAt) =>
      providers.map((provider) => {
        const { name } = provider.config
        const isRefused = provider === refusedAt
        const href = `${address}&${providerParameter}=${name}${isRefused ? `&${anotherAccountQuery}` : ''}`
        return { name, title: titleOf(provider), href, isForAnotherAccount: isRefused }
      }),

    begin(request, response, interaction, sealed) {
      const provider = byName.get(queryParameter(request, providerParameter) ?? '') ?? only
      return provider && beginAt(provider, request, response, interaction, sealed)
    },

    finish(request, response) {
      const [, name = ''] = /^\/login\/([a-z0-9_-]+)\/callback$/.exec(request.path) ?? []
      const provider = byName.get(name)
      return provider && finishAt(provider, request, response)
    },
  }
}

function placeOf(uid: string): string {
  return `oauth ${uid}`
}
