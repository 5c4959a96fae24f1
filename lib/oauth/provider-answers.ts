/**
 * What is done to the answers of `oidc-provider` on their way out, and around them.
 *
 * @module
 */

import type { KoaContextWithOIDC } from 'oidc-provider'
import { StoreError, UnavailableError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import type { AccessTokens } from './access-tokens.js'
import type { OauthCookies } from './cookies.js'
import { setPageHeaders } from './pages.js'
import { recordIdOf, type SignOns } from './sign-ons.js'
import { grantedClaims } from './user-claims.js'

/** What {@link createAnswering} works with. */
export interface AnsweringParts {
  readonly accessTokens: AccessTokens
  readonly cookies: OauthCookies
  readonly signOns: SignOns
  readonly events: SecurityEvents | undefined
  readonly logger: Logger
  readonly clock: () => number
  /** Realm of the challenge to a client that has not shown its secret. */
  readonly issuer: string
  /** `aud` of the tokens of a client. */
  readonly audienceOf: (clientId: string) => string
  /** Clients whose access tokens tell of the user. */
  readonly withAccessTokens: ReadonlySet<string>
  /** Origins of the pages of all clients. */
  readonly origins: ReadonlySet<string>
}

/** What the provider reports of its own accord, by request. */
export type Failures = WeakMap<object, unknown>

type Next = () => Promise<unknown>

/** Endpoints that pages of other origins may call. */
const openRoutes: readonly string[] = ['jwks', 'discovery', 'cors.jwks', 'cors.discovery']

/** Makes the function that every request of the provider goes through. */
export function createAnswering(
  parts: AnsweringParts,
  failures: Failures,
): (ctx: KoaContextWithOIDC, next: Next) => Promise<void> {
  const { accessTokens, cookies, signOns, events, logger, clock, issuer, audienceOf, withAccessTokens, origins } = parts

  /** The provider's name of the token stays here: what the client gets is signed. */
  async function publishToken(ctx: KoaContextWithOIDC): Promise<void> {
    const token = ctx.oidc.entities.AccessToken
    const { grantId, sessionUid } = token ?? {}
    if (token === undefined || grantId === undefined || sessionUid === undefined) throw new Error('no token was made')
    const { jti, accountId, clientId = '', scope = '', expiration } = token
    const all = withAccessTokens.has(clientId) ? await ctx.oidc.account?.claims('userinfo', scope, {}, []) : undefined
    const claims = grantedClaims(all ?? {}, scope)
    const published = { jti, accountId, clientId, grantId, scope, sessionUid, claims, lifeSeconds: expiration }
    ctx.body = { ...(ctx.body as object), access_token: await accessTokens.publish(published, ctx.ip || undefined) }
  }

  /** A sign-in is a use of the sign-on, unless nobody may have been there (`prompt=none`). */
  async function noteSignIn({ oidc }: KoaContextWithOIDC): Promise<void> {
    const { session, prompts } = oidc
    if (session?.accountId === undefined || prompts.has('none')) return
    await signOns.touch(recordIdOf(session.uid))
  }

  /** Nobody is signed in, so there is nothing to ask and nothing to end: the browser goes where it would go afterwards. */
  function leaveSignedOut(ctx: KoaContextWithOIDC): void {
    const { session, params, provider } = ctx.oidc
    if (session?.accountId !== undefined) return
    const { post_logout_redirect_uri: uri, state } = (params ?? {}) as Record<string, string | undefined>
    const target = new URL(uri ?? provider.urlFor('end_session_success'))
    if (uri !== undefined && state !== undefined) target.searchParams.append('state', state)
    ctx.status = 303
    ctx.redirect(target.href)
  }

  async function endSignOn(ctx: KoaContextWithOIDC): Promise<void> {
    const { session } = ctx.oidc
    if (session?.accountId === undefined || (session as { destroyed?: boolean }).destroyed !== true) return
    await signOns.end(session.uid)
    const { accountId: subject, uid } = session
    events?.report('logout', { at: clock(), address: ctx.ip || undefined, subject, tokenId: recordIdOf(uid) })
  }

  /** A sign-out that a store could not take as a whole ends what it can: the browser, at least, is signed out. */
  async function endWhatCanBeEnded(ctx: KoaContextWithOIDC): Promise<void> {
    const { session, params } = ctx.oidc
    if (session?.accountId === undefined || params?.['logout'] === undefined) return
    // The form is not ours: another page may have sent it.
    if (session.state?.['secret'] === undefined || session.state['secret'] !== params['xsrf']) return
    ctx.cookies.set(cookies.names.session, null, { ...cookies.session, overwrite: true })
    await signOns.end(session.uid).catch(() => undefined)
  }

  /** By what is signed, a client knows whose a token is and for whom; who asks here may not look into it. */
  function nameParties(ctx: KoaContextWithOIDC): void {
    const body = ctx.body as { readonly active?: boolean; readonly sub?: string }
    if (body.active !== true) return
    const { AccessToken } = ctx.oidc.entities
    const aud = AccessToken && { aud: audienceOf(AccessToken.clientId ?? '') }
    ctx.body = { ...body, username: body.sub, ...aud }
  }

  /** Of the response modes that the provider knows, clients may use one; sessions have no name outside of it. */
  function listUsable(ctx: KoaContextWithOIDC): void {
    const body = ctx.body as { readonly claims_supported: readonly string[] }
    const claims_supported = body.claims_supported.filter((claim) => claim !== 'sid')
    ctx.body = { ...body, claims_supported, response_modes_supported: ['query'] }
  }

  /** RFC 7009 section 2.2 leaves the body open. Clients that expect JSON everywhere read this. */
  function answerRevoked(ctx: KoaContextWithOIDC): void {
    ctx.type = 'json'
    ctx.body = {}
  }

  const afterwards: Readonly<Record<string, (ctx: KoaContextWithOIDC) => void | Promise<void>>> = {
    token: publishToken,
    authorization: noteSignIn,
    resume: noteSignIn,
    end_session: leaveSignedOut,
    end_session_confirm: endSignOn,
    introspection: nameParties,
    revocation: answerRevoked,
    discovery: listUsable,
  }

  async function answer(ctx: KoaContextWithOIDC, next: Next): Promise<unknown> {
    try {
      await next()
      const failure = failures.get(ctx)
      if (failure !== undefined || ctx.status >= 400) return failure
      await afterwards[routeOf(ctx)]?.(ctx)
      return undefined
    } catch (error) {
      ctx.status = 500
      ctx.body = { error: 'server_error', error_description: 'the request could not be answered' }
      return error
    }
  }

  return async function answering(ctx, next) {
    ctx.set({ 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' })
    const keepHeadersOfPages = setPageHeaders(ctx)
    const failure = await answer(ctx, next)
    const route = routeOf(ctx)
    // Nothing is there: whoever called the provider answers.
    if (route === '' && failure === undefined) ctx.respond = false
    if (failure !== undefined) {
      logger.error({ cause: failure, route }, 'the authorization server could not answer')
      answerFailure(ctx, failure)
      if (route === 'end_session_confirm') await endWhatCanBeEnded(ctx)
    }
    // The keys are those of this process, and a verifier asks again for a key that it does not know.
    if (route === 'jwks' && ctx.status === 200) ctx.set('Cache-Control', 'public, max-age=300')
    if (route === 'token') renameVerifierError(ctx)
    if (ctx.status === 401) challenge(ctx, issuer)
    keepHeadersOfPages()
    if (!openRoutes.includes(route) && !origins.has(ctx.get('Origin'))) ctx.remove('Access-Control-Allow-Origin')
  }
}

/** Where no endpoint is, there is no `oidc` either. */
function routeOf(ctx: Partial<KoaContextWithOIDC>): string {
  return ctx.oidc?.route ?? ''
}

/** A store that cannot be reached, or too much work at a time, is no mistake of the client, and no end of its tokens. */
function answerFailure(ctx: KoaContextWithOIDC, failure: unknown): void {
  const isTemporary = failure instanceof StoreError || failure instanceof UnavailableError
  if (!isTemporary || ctx.status < 500) return
  ctx.status = 503
  ctx.set('Retry-After', '5')
  if (ctx.response.type === 'application/json') {
    ctx.body = { error: 'temporarily_unavailable', error_description: 'try again later' }
  }
}

/** RFC 7636 section 4.6: whatever is wrong with a verifier, the grant is what is invalid. WSO2 answers the same. */
function renameVerifierError(ctx: KoaContextWithOIDC): void {
  const { error, error_description: description } = (ctx.body ?? {}) as { error?: string; error_description?: string }
  if (error !== 'invalid_request' || description?.startsWith('code_verifier ') !== true) return
  ctx.body = { error: 'invalid_grant', error_description: description }
}

/** A 401 has a challenge (RFC 9110 section 15.5.2), but none for which a browser would show a dialog of its own. */
function challenge(ctx: KoaContextWithOIDC, issuer: string): void {
  const isOfPage = ctx.get('Origin') !== '' || ctx.get('Sec-Fetch-Site') !== ''
  if (!isOfPage && !ctx.response.get('WWW-Authenticate')) ctx.set('WWW-Authenticate', `Basic realm="${issuer}"`)
}
