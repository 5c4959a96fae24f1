/**
 * What is done to the answers of `oidc-provider` on their way out, and around them.
 *
 * @module
 */

import type { Request } from 'express'
import type { JWK, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { StoreError, UnavailableError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { readClient } from '../http/client.js'
import { clientSubject } from '../tokens/machines/client-subject.js'
import type { AccessTokens } from './access-tokens.js'
import type { createClientTokens } from './client-credentials.js'
import type { LogoutNotices } from './logout-notices.js'
import { setPageHeaders } from './pages.js'
import type { OauthParts } from './parts.js'
import { grantedClaims } from './service-providers.js'
import { recordIdFrom, type SignOns } from './sign-ons.js'

/** Endpoints that pages of other origins may call. */
const openRoutes: readonly string[] = ['jwks', 'discovery', 'cors.jwks', 'cors.discovery']

/** Has every request of the provider go through the function made here. */
export function changeAnswers(
  provider: Provider,
  parts: OauthParts & {
    readonly signOns: SignOns
    readonly accessTokens: AccessTokens
    readonly publishClientToken: ReturnType<typeof createClientTokens>
    readonly notices: Pick<LogoutNotices, 'isUsed'>
  },
): void {
  const { accessTokens, cookies, signOns, providers, notices, shared, events, logger, clock } = parts
  /** What the provider reports of its own accord, by request. */
  const failures = new WeakMap<object, unknown>()

  async function publishToken(ctx: KoaContextWithOIDC): Promise<void> {
    const { account, entities } = ctx.oidc
    const token = entities.AccessToken
    if (entities.ClientCredentials !== undefined) return parts.publishClientToken(ctx, entities.ClientCredentials)
    if (token === undefined) throw new Error('no token was made')
    const { clientId, scope = '' } = token
    const isTold = providers.get(clientId)?.claimsIn.includes('access_token') === true
    const claims = isTold ? await account?.claims('userinfo', scope, {}, []) : undefined
    const access_token = await accessTokens.publish(token, grantedClaims(claims ?? {}, scope), ctx.ip || undefined)
    ctx.body = { ...(ctx.body as object), access_token }
  }

  /** A sign-in is a use of the sign-on, unless it may have happened without the user (`prompt=none`). */
  async function noteSignIn({ oidc }: KoaContextWithOIDC): Promise<void> {
    const { session, prompts } = oidc
    if (session?.accountId === undefined || prompts.has('none')) return
    await signOns.touch(recordIdFrom(session.uid))
  }

  /** Without a sign-on there is nothing to ask: the browser goes where it would go afterwards. */
  function leaveSignedOut(ctx: KoaContextWithOIDC): void {
    const { session, params } = ctx.oidc
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
    const { accountId: subject, uid } = session
    await signOns.end(uid)
    const client = readClient(ctx.req as Request)
    events?.report('logout', { at: clock(), ...client, subject, tokenId: recordIdFrom(uid) })
  }

  /** A sign-out that a store could not take as a whole ends what it can: the browser, at least, is signed out. */
  async function endWhatCanBeEnded(ctx: KoaContextWithOIDC): Promise<void> {
    const { session, params } = ctx.oidc
    if (session?.accountId === undefined || params?.['logout'] === undefined) return
    // The form is not ours: another page may have sent it.
    if (session.state?.['secret'] === undefined || session.state['secret'] !== params['xsrf']) return
    ctx.cookies.set(cookies.names.session, null, { ...cookies.long, overwrite: true })
    await signOns.end(session.uid).catch(() => undefined)
  }

  /** Who asks here may not be able to look into the token. */
  function nameParties(ctx: KoaContextWithOIDC): void {
    const body = ctx.body as { readonly active?: boolean; readonly sub?: string }
    if (body.active !== true) return
    const { AccessToken, ClientCredentials } = ctx.oidc.entities
    const token = AccessToken ?? ClientCredentials
    const aud = token && { aud: providers.audience(token.clientId) }
    const sub = ClientCredentials && { sub: clientSubject(ClientCredentials.clientId ?? '') }
    ctx.body = { ...body, ...sub, username: sub?.sub ?? body.sub, ...aud }
  }

  /** Of the response modes that the provider knows, those that some client may use; sessions have a name where clients are told of their end. */
  function listUsable(ctx: KoaContextWithOIDC): void {
    const body = ctx.body as { readonly claims_supported: readonly string[] }
    const claims_supported = body.claims_supported.filter((claim) => notices.isUsed || claim !== 'sid')
    const modes = parts.oauth.serviceProviders.flatMap(({ responseModes }) => responseModes)
    ctx.body = { ...body, claims_supported, response_modes_supported: [...new Set(['query', ...modes])] }
  }

  /** Another process may sign with a key that this one, or that one, does not sign with any more. */
  function listSharedKeys(ctx: KoaContextWithOIDC): void {
    const { keys } = ctx.body as { readonly keys: readonly JWK[] }
    const others = shared?.keys.jwks().keys.filter(({ kid }) => keys.every((own) => own.kid !== kid)) ?? []
    ctx.body = { keys: [...keys, ...others] }
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
    jwks: listSharedKeys,
  }

  /** Resolves with what went wrong, if anything did. */
  async function answer(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<unknown> {
    try {
      await next()
      const failure = failures.get(ctx)
      if (failure === undefined && ctx.status < 400) await afterwards[findRoute(ctx)]?.(ctx)
      return failure
    } catch (error) {
      ctx.status = 500
      ctx.body = { error: 'server_error', error_description: 'the request could not be answered' }
      return error
    }
  }

  async function answering(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
    ctx.set({ 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' })
    const keepHeadersOfPages = setPageHeaders(ctx)
    const failure = await answer(ctx, next)
    const route = findRoute(ctx)
    // Not an endpoint: the gate that called the provider answers.
    if (route === '' && failure === undefined) ctx.respond = false
    if (failure !== undefined) {
      logger.error({ cause: failure, route }, 'the authorization server could not answer')
      answerFailure(ctx, failure)
      if (route === 'end_session_confirm') await endWhatCanBeEnded(ctx)
    }
    // The keys may be those of this process, and a verifier asks again for a key that it does not know.
    if (route === 'jwks' && ctx.status === 200) ctx.set('Cache-Control', 'public, max-age=300')
    if (route === 'token') renameVerifierError(ctx)
    if (ctx.status === 401) challenge(ctx, provider.issuer)
    keepHeadersOfPages()
    if (!openRoutes.includes(route) && !providers.origins.has(ctx.get('Origin')))
      ctx.remove('Access-Control-Allow-Origin')
  }

  provider.on('server_error', (ctx, error) => {
    failures.set(ctx, error)
  })
  logRefusals(provider, logger)
  provider.use(answering as never)
}

/** Where no endpoint is, there is no `oidc` either. */
function findRoute(ctx: Partial<KoaContextWithOIDC>): string {
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

const refusing = ['authorization', 'end_session', 'grant', 'introspection', 'revocation', 'userinfo'] as const

interface Refusal extends Error {
  readonly error?: string
  readonly error_description?: string
  readonly error_detail?: string
}

/**
 * Logs why a client was refused: the client itself is told little, as the specifications want it. No code, token or verifier is in the
 * reason.
 */
function logRefusals(provider: Provider, logger: Logger): void {
  const emitter: NodeJS.EventEmitter = provider
  for (const endpoint of refusing) {
    emitter.on(`${endpoint}.error`, ({ oidc }: Partial<KoaContextWithOIDC>, refusal: Refusal) => {
      const { error, error_description, error_detail: reason = error_description } = refusal
      logger.info({ client: oidc?.client?.clientId, error, reason }, 'the authorization server refused a request')
    })
  }
  // Without a listener Koa prints to the console. What gets here has been answered: the connection may have broken.
  emitter.on('error', (cause: unknown) => logger.error({ cause }, 'the authorization server could not answer'))
}
