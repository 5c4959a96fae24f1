/**
 * Authentication by a Bearer token from the `Authorization` header, and from nowhere else.
 *
 * @module
 */

import type { Request, RequestHandler, Response } from 'express'
import { type Auth, setAuth } from '../core/auth.js'
import { ForbiddenError, UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import { lacksSecondFactor, type SecondFactorPolicy } from '../core/second-factor.js'
import { isThenable } from '../core/thenable.js'
import { setNoStore } from '../http/answer.js'
import { hasSeveralAuthorizations, parseBearer } from '../http/authorization-header.js'
import { createChallenges } from '../http/challenge.js'
import { rememberLast } from '../http/express/last-header.js'
import { skipEtag } from '../http/express/skip-etag.js'
import { type Gate, refusalFrom, type Verdict } from '../http/gate.js'
import { severalCredentials, standAlone } from '../http/refusals.js'
import { resourceMetadataUrl } from '../http/resource-metadata.js'
import { type AllowAnonymous, anonymousVerdict } from '../paths/public-path.js'
import type { MachineCredential } from '../tokens/machines/machine-tokens.js'
import { tokenId } from '../tokens/token-id.js'
import type { Tokens } from '../tokens/tokens.js'
import { verifyWithId } from '../tokens/verification.js'

/** Options of {@link bearerAuthentication}. */
export interface BearerAuthenticationOptions {
  /** Verifies the token. */
  readonly tokens: Tokens
  /**
   * Takes OAuth access tokens for this audience in place of management tokens: `audience` of a service provider, or the
   * issuer. Where it is an https URL, the challenges name its metadata (RFC 9728), which `security.wellKnown()` answers with.
   * @defaultValue none: management tokens
   */
  readonly audience?: string | undefined
  /** What an OAuth token has to be good for, all of it; refused without `audience`. @defaultValue nothing in particular */
  readonly scope?: string | readonly string[] | undefined
  /**
   * Which requests may pass without any credential; one that is sent all the same is checked. `'ambiguous'`, a path that is
   * public in one reading and not in another, is answered with 400. With it, the handler cannot be part of a route or stand
   * below a wildcard (500, `ERR_MOUNT_PATH`).
   * @defaultValue none
   */
  readonly allowAnonymous?: AllowAnonymous | undefined
  /** Gets the reason when the mount hides the path, unless `events` does. @defaultValue one line to stderr */
  readonly logger?: Logger | undefined
  /** Told of each refusal. @defaultValue `errorResponses` reports it */
  readonly events?: SecurityEvents | undefined
  /** Refuses management tokens of logins that lack a second factor which is demanded now. @defaultValue none is demanded */
  readonly secondFactor?: SecondFactorPolicy | undefined
  /** Realm of the challenge: printable ASCII without quotes. @defaultValue `'Sallyport'` */
  readonly realm?: string
}

/**
 * Lets a request pass with a live token and sets `request.auth`; see `getAuth`. The answer says `Cache-Control: no-store`,
 * and Express makes no weak ETag for it. A token in the query or a form body is never taken; beside one in the header it
 * gives 400 (RFC 6750 section 2).
 * @example
 * ```ts
 * app.use('/orders', bearerAuthentication({ tokens, audience: 'https://api.example.com', scope: 'orders' }), orderRoutes)
 * ```
 * @returns A handler that passes to `next()`: 400, 401 with a Bearer challenge, 403 for a missing scope, 503 when the store
 * fails.
 * @throws TypeError for a `scope` without `audience`, and for an empty `audience`.
 */
export function bearerAuthentication(options: BearerAuthenticationOptions): RequestHandler {
  return standAlone(
    {
      gates: [bearerAuthenticationGate(options)],
      readsPath: options.allowAnonymous !== undefined,
      authenticates: true,
      admits: () => undefined,
    },
    options,
  )
}

/** Takes tokens of the management API that were not issued here. */
export interface MachineBearers {
  /** What a text is by its form alone; `undefined`: none of these. */
  read(token: string): MachineCredential | undefined
  /** @throws `HttpError` with the refusal, or rejects with it or with `StoreError`. */
  verify(request: Request, credential: MachineCredential): Auth | Promise<Auth>
}

/** Options of the gate, for the management API. */
export interface BearerGateOptions extends BearerAuthenticationOptions {
  readonly machines?: MachineBearers | undefined
}

export function bearerAuthenticationGate(options: BearerGateOptions): Gate {
  const { tokens, audience, allowAnonymous: isPublic, realm, machines, secondFactor } = options
  const kind = audience === undefined ? 'management' : 'oauth'
  const scopes = findScopes(options)
  const challenges = createChallenges(realm, { metadata: resourceMetadataUrl(audience), scope: scopes.join(' ') })
  // Each request asks the store whether the token is live.
  const readCredential = rememberLast((header) => {
    const token = parseBearer(header)
    if (token === undefined) return undefined
    const machine = machines?.read(token)
    return { token, id: machine?.id ?? tokenId(kind, token), machine }
  })

  function scopeRefusal({ scope }: Auth): ForbiddenError | undefined {
    if (scopes.length === 0) return undefined
    const granted = scope.split(' ')
    if (scopes.every((name) => granted.includes(name))) return undefined
    return new ForbiddenError('ERR_SCOPE_REQUIRED', 'Insufficient scope.', {
      headers: { 'WWW-Authenticate': challenges.insufficientScope(scopes.join(' ')) },
    })
  }

  function judged(request: Request, response: Response, auth: Auth): Verdict {
    // An app may have wrapped `tokens`: what is no caller lets nobody in.
    if (typeof auth?.subject !== 'string') return refusalFrom(new TypeError('tokens.verify answered what is no caller'))
    if (auth.kind === 'management' && secondFactor !== undefined && lacksSecondFactor(secondFactor, auth)) {
      const message = 'A second factor is demanded, and this token was issued without one. Log in with a code.'
      return new UnauthorizedError('ERR_SECOND_FACTOR_REQUIRED', message, {
        bare: 'never',
        headers: { 'WWW-Authenticate': challenges.invalidToken },
      })
    }
    return scopeRefusal(auth) ?? admit(request, response, auth)
  }

  function refused(error: unknown): Verdict {
    if (!(error instanceof UnauthorizedError)) return refusalFrom(error)
    return new UnauthorizedError(error.code, error.message, {
      headers: { 'WWW-Authenticate': challenges.invalidToken },
    })
  }

  return function bearerAuthenticationGate(request, response) {
    if (hasSeveralAuthorizations(request)) return severalCredentials(challenges.invalidRequest)
    const header = request.headers.authorization
    if (!header) {
      const verdict = anonymousVerdict(request, isPublic)
      if (verdict !== undefined) return verdict === 'pass' ? undefined : verdict
    }
    const credential = header === undefined ? undefined : readCredential(request.socket, header)
    if (credential === undefined) {
      return new UnauthorizedError('ERR_AUTH_REQUIRED', 'Authentication is required.', {
        headers: { 'WWW-Authenticate': challenges.bearer },
      })
    }
    if (hasTokenInQuery(request.url)) return severalCredentials(challenges.invalidRequest)

    try {
      const { machine } = credential
      const auth =
        machine === undefined ? verifyWithId(tokens, credential, audience) : machines!.verify(request, machine)
      if (!isThenable(auth)) return judged(request, response, auth)
      return Promise.resolve(auth).then((caller) => judged(request, response, caller), refused)
    } catch (error) {
      return refused(error)
    }
  }
}

function admit(request: Request, response: Response, auth: Auth): undefined {
  setAuth(request, auth)
  setNoStore(response)
  skipEtag(response)
}

/** RFC 6749 section 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/

function findScopes({ audience, scope = [] }: BearerAuthenticationOptions): readonly string[] {
  const scopes = typeof scope === 'string' ? scope.split(' ') : scope
  if (audience === '') throw new TypeError('"audience" option must be a non-empty string')
  if (audience === undefined && scopes.length > 0)
    throw new TypeError('"scope" option must not be there without "audience"')
  if (!scopes.every((name) => scopeToken.test(name))) throw new TypeError('"scope" option must name scopes')
  return scopes
}

function hasTokenInQuery(url: Request['url']): boolean {
  const start = url.indexOf('?')
  return start >= 0 && new URLSearchParams(url.slice(start)).has('access_token')
}
