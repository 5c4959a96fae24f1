/**
 * Sign-ins at an identity provider: the browser is sent there, and comes back to an address that is this provider's alone.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { BadRequestError, ForbiddenError, HttpError, type HttpErrorCode, UnavailableError } from '../core/errors.js'
import type { SecurityEventMap } from '../core/events.js'
import type { Verdict } from '../http/gate.js'
import { isSecure } from '../http/plain-http.js'
import {
  createSeed,
  type PendingSignIn,
  type Sealer,
  secretsFromSeed,
  signInMs,
} from '../identity-providers/pending-sign-in.js'
import { ProviderError } from '../identity-providers/provider-error.js'
import type { IdentityProvider, ProviderUser, SignInWishes } from '../identity-providers/provider-types.js'
import { addCookie, cookieValues, secureName } from './cookie.js'
import { queryParameter, readOrigin } from './navigation.js'
import { answerSeeOther, displayName } from './page.js'
import { worded } from './refusals.js'
import type { Texts } from './texts/texts.js'

/** What a sign-in is begun for. */
export interface SignInRequest
  extends Pick<PendingSignIn, 'place' | 'returnTo'>,
    Pick<SignInWishes, 'loginHint' | 'isFresh' | 'asksWho'> {
  /** Path of the callback, from the root of the server. */
  readonly callbackPath: string
  /** Where people reach this server. @defaultValue as the provider's table says, or the request */
  readonly origin?: string | undefined
}

/** A sign-in that has come back. */
export interface FinishedSignIn {
  readonly user: ProviderUser
  readonly returnTo: string | undefined
  /** Milliseconds since the epoch: when it began. */
  readonly startedAt: number
}

/** Sign-ins of one app, at whichever provider. */
export interface ProviderSignIns {
  /** Sends the browser to the provider. Rejects with {@link ProviderError}. */
  begin(request: Request, response: Response, provider: IdentityProvider, wanted: SignInRequest): Promise<Verdict>
  /**
   * Who has come back. `readPlace` says what is being signed in to, by the sign-in that the browser has begun.
   *
   * Rejects with {@link ProviderError}, and with `BadRequestError` (`ERR_SIGN_IN_ENDED`) for a sign-in that this browser has not
   * begun, or not for this.
   */
  finish(
    request: Request,
    response: Response,
    provider: IdentityProvider,
    isPlace: (place: string) => boolean,
  ): Promise<FinishedSignIn & { readonly place: string }>
  /** What the browser has begun, with this `state`; it is not taken away. */
  find(request: Request, provider: IdentityProvider): Promise<PendingSignIn | undefined>
}

export interface ProviderSignInsParts {
  readonly sealer: Sealer
  /** What the names of cookies begin with, without `__Host-`. */
  readonly cookiePrefix: string
  readonly allowPlainHttp: boolean
  readonly clock: () => number
}

/** Sign-ins that a browser can have under way at a time. Each is a cookie, and a request with too many of them is refused. */
const maxPending = 6

/** Browsers keep 4096 characters, with name and attributes. */
const maxCookieLength = 3900

/** All of them together: Node refuses a request with more than 16 KiB of headers, and other sites can start sign-ins too. */
const maxPendingLength = 9000

const purpose = 'sign-in'

export function createProviderSignIns(parts: ProviderSignInsParts): ProviderSignIns {
  const { sealer, cookiePrefix, allowPlainHttp, clock } = parts

  /** The dot is in no name of a portal. */
  function namesFor(request: Request): { readonly begin: string; readonly attributes: string } {
    const isPlain = allowPlainHttp && !isSecure(request)
    const begin = `${cookiePrefix}.sign-in.`
    const attributes = 'Path=/; HttpOnly; SameSite=Lax'
    return isPlain ? { begin, attributes } : { begin: secureName(begin), attributes: `${attributes}; Secure` }
  }

  function clear(request: Request, response: Response, name: string): void {
    addCookie(response, `${name}=; Max-Age=0; ${namesFor(request).attributes}`)
  }

  /** Browsers send the oldest cookies first (RFC 6265 section 5.4). `length`: of the one that is to come. */
  function clearOldest(request: Request, response: Response, begin: string, length: number): void {
    const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim())
    let total = length
    for (const [index, pair] of pairs
      .filter((one) => one.startsWith(begin))
      .reverse()
      .entries()) {
      total += pair.length
      if (index + 1 >= maxPending || total > maxPendingLength) clear(request, response, pair.split('=', 1)[0]!)
    }
  }

  async function findPending(request: Request, provider: IdentityProvider) {
    const state = queryParameter(request, 'state') ?? ''
    const name = `${namesFor(request).begin}${tagFrom(state)}`
    const [sealed, ...others] = cookieValues(request, name)
    if (sealed === undefined || others.length > 0) return undefined
    const pending = await sealer.open<PendingSignIn>(purpose, sealed)
    if (pending === undefined || pending.provider !== provider.config.name) return undefined
    return secretsFromSeed(pending.seed).state === state ? { name, pending } : undefined
  }

  return {
    async begin(request, response, provider, { place, returnTo, callbackPath, origin: known, ...others }) {
      const { name: providerName, publicOrigin } = provider.config
      const origin = known ?? publicOrigin ?? readOrigin(request)
      if (origin === undefined) throw new BadRequestError('ERR_REQUEST_INVALID', 'The request has no Host.')
      const seed = createSeed()
      const secrets = secretsFromSeed(seed)
      const redirectUri = `${origin}${callbackPath}`
      const url = await provider.createSignInUrl(secrets, redirectUri, others)
      const { isFresh = false } = others
      const pending = { provider: providerName, place, seed, redirectUri, returnTo, isFresh, startedAt: clock() }
      const { begin, attributes } = namesFor(request)
      const sealed = await sealer.seal(purpose, pending satisfies PendingSignIn, signInMs)
      if (sealed.length > maxCookieLength) throw new BadRequestError('ERR_REQUEST_INVALID', 'The request is too long.')
      clearOldest(request, response, begin, begin.length + sealed.length)
      addCookie(response, `${begin}${tagFrom(secrets.state)}=${sealed}; Max-Age=${signInMs / 1000}; ${attributes}`)
      answerSeeOther(response, url.href)
      return 'answered'
    },

    async find(request, provider) {
      return (await findPending(request, provider))?.pending
    },

    async finish(request, response, provider, isPlace) {
      const found = await findPending(request, provider)
      if (found === undefined || !isPlace(found.pending.place)) throw signInEnded()
      const { name, pending } = found
      // It is good for one answer, whatever that is.
      clear(request, response, name)
      const callback = new URL(pending.redirectUri)
      const start = request.url.indexOf('?')
      callback.search = start < 0 ? '' : request.url.slice(start)
      const { seed, returnTo, isFresh, startedAt, place } = pending
      const user = await provider.finishSignIn(secretsFromSeed(seed), callback, isFresh ? startedAt : undefined)
      return { user, returnTo, startedAt, place }
    },
  }
}

/** Several sign-ins of a browser are told apart by the beginning of their `state`. */
function tagFrom(state: string): string {
  return /^[\w-]{43}$/.test(state) ? state.slice(0, 12) : 'none'
}

function signInEnded(): HttpError {
  return new BadRequestError(
    'ERR_SIGN_IN_ENDED',
    'This sign-in has ended, or it was begun in another browser. Sign in again.',
  )
}

/** What the login page calls a provider. */
export function titleOf({ config: { title, name } }: IdentityProvider): string {
  return title ?? displayName(name)
}

/** What a failed sign-in is answered with: what happened, and what its reader can do. */
export function refusalFromProvider(error: ProviderError, provider: IdentityProvider): HttpError {
  const title = titleOf(provider)
  const { failure, providerCode } = error
  const cause = { cause: error }
  const refused = (text: (texts: Texts) => string): HttpError =>
    worded(text, (message) => new ForbiddenError('ERR_SIGN_IN_REFUSED', message, { ...cause, bare: 'never' }))
  switch (failure) {
    case 'unavailable':
      return worded(
        ({ messages }) => messages.providerUnavailable(title),
        (message) => new UnavailableError('ERR_IDENTITY_PROVIDER', message, cause),
      )
    case 'untrusted':
      return worded(
        ({ messages }) => messages.providerUntrusted(title),
        (message) => new HttpError(502, 'ERR_IDENTITY_PROVIDER', message, cause),
      )
    case 'unmapped':
      return refused(({ messages }) => messages.noAccess(title))
    case 'refused':
      return refused(({ messages }) =>
        providerCode === 'access_denied' ? messages.signInCancelled(title) : messages.notSignedIn(title),
      )
  }
}

/** Query parameter of the links that begin a sign-in: the provider is to ask who it is. */
const accountParameter = 'account'
const anotherAccount = 'other'

/** What a link says besides where the account that is signed in at the provider was refused: else the next sign-in would end as this one. */
export const anotherAccountQuery = `${accountParameter}=${anotherAccount}`

export function asksAnotherAccount(request: Request): boolean {
  return queryParameter(request, accountParameter) === anotherAccount
}

/** Whether somebody has signed in who may not enter. */
export function isOfNoAccess(error: unknown): boolean {
  return error instanceof ProviderError
    ? error.failure === 'unmapped'
    : error instanceof HttpError && noAccess.has(error.code)
}

const noAccess: ReadonlySet<HttpErrorCode> = new Set(['ERR_ADMIN_REQUIRED', 'ERR_ROLE_REQUIRED'])

/** What the audit trail says of it: who it was, where the provider has said so, and the cause where an operator can do something. */
export function reportFromProvider(
  error: ProviderError,
  { config }: IdentityProvider,
): Pick<SecurityEventMap['loginRefused'], 'userName' | 'reason' | 'cause'> {
  const userName = error.subject ?? config.name
  if (error.failure === 'refused') return { userName, reason: 'provider-refused' }
  return { userName, reason: error.failure === 'unmapped' ? 'not-admitted' : 'provider-failed', cause: error }
}
