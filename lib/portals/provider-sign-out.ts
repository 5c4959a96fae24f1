/**
 * Sign-outs at an identity provider (OpenID Connect RP-Initiated Logout 1.0): what is kept for one from the sign-in on.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { within } from '../async/deadline.js'
import type { IdentityProviderConfig } from '../config/config.js'
import { isSecure } from '../http/plain-http.js'
import type { Sealer } from '../identity-providers/pending-sign-in.js'
import type { IdentityProvider, ProviderUser } from '../identity-providers/provider-types.js'
import { addCookie, cookieValues } from './cookie.js'
import { readMount, readOrigin } from './navigation.js'

/** What a sign-out at the provider needs. */
interface Memo {
  readonly provider: string
  /** `undefined` where it is too long to be kept. */
  readonly idToken: string | undefined
  readonly sub: string
}

/** Sign-outs of one portal. */
export interface ProviderSignOut {
  /** What is to be kept for the sign-out, sealed. */
  createMemo(config: IdentityProviderConfig, user: ProviderUser): Promise<string>
  /** Has the browser keep it, and send it to the sign-out alone. */
  remember(request: Request, response: Response, memo: string): void
  /** What the browser has kept, which is taken away. */
  recall(request: Request, response: Response): string | undefined
  /** Where the browser has to go to sign out there; `undefined` where nothing is there, or the provider does not answer. */
  createUrl(request: Request, memo: string): Promise<URL | undefined>
  /** Notes that the user has signed out: from then on nobody is signed in again without asking for it. */
  setSignedOut(request: Request, response: Response): void
  /** Whether that was noted. */
  isSignedOut(request: Request): boolean
}

export interface ProviderSignOutParts {
  readonly sealer: Sealer
  /** All that people can sign in at: by a shared sign-on, also one that this portal does not name. */
  readonly findProvider: (name: string) => IdentityProvider | undefined
  /** Of the portal's cookie, without `__Host-`. */
  readonly cookieName: string
  readonly longestMs: number
  readonly allowPlainHttp: boolean
}

const purpose = 'sign-out'

/** Browsers keep no longer cookie than 4096 characters, name and attributes included. Sealed, a text is a third longer. */
const maxIdTokenLength = 2600

/** Somebody waits, who is signed out here in any case. */
const timeoutMs = 3000

export function createProviderSignOut(parts: ProviderSignOutParts): ProviderSignOut {
  const { sealer, findProvider, cookieName, longestMs, allowPlainHttp } = parts
  const memoName = `${cookieName}.provider`
  const signedOutName = `${cookieName}.signed-out`

  const put = (request: Request, response: Response, pair: string, path: string, more = ''): void => {
    const secure = allowPlainHttp && !isSecure(request) ? '' : '; Secure'
    addCookie(response, `${pair}; Path=${readMount(request)}${path}; HttpOnly; SameSite=Lax${secure}${more}`)
  }

  return {
    createMemo({ name }, { idToken, sub }) {
      const kept = idToken.length > maxIdTokenLength ? undefined : idToken
      return sealer.seal(purpose, { provider: name, idToken: kept, sub } satisfies Memo, longestMs)
    },

    remember(request, response, memo) {
      put(request, response, `${memoName}=${memo}`, '/logout')
      put(request, response, `${signedOutName}=`, '/login', '; Max-Age=0')
    },

    recall(request, response) {
      const [memo] = cookieValues(request, memoName)
      if (memo !== undefined) put(request, response, `${memoName}=`, '/logout', '; Max-Age=0')
      return memo
    },

    async createUrl(request, sealed) {
      const memo = await sealer.open<Memo>(purpose, sealed)
      const provider = memo && findProvider(memo.provider)
      const origin = provider?.config.publicOrigin ?? readOrigin(request)
      if (memo === undefined || provider === undefined || origin === undefined) return undefined
      const { idToken, sub } = memo
      const post_logout_redirect_uri = `${origin}${readMount(request)}/login`
      const url = provider.createSignOutUrl({
        post_logout_redirect_uri,
        ...(idToken === undefined ? { logout_hint: sub } : { id_token_hint: idToken }),
      })
      return within(url, timeoutMs, () => new Error(`no answer within ${timeoutMs} ms`)).catch(() => undefined)
    },

    setSignedOut(request, response) {
      put(request, response, `${signedOutName}=1`, '/login')
    },

    isSignedOut: (request) => cookieValues(request, signedOutName).length > 0,
  }
}
