/**
 * Authentication by a Bearer token from the `Authorization` header, and from nowhere else.
 *
 * @module
 */

import type { Socket } from 'node:net'
import type { Request, RequestHandler, Response } from 'express'
import type { Auth, AuthenticatedRequest } from '../auth.js'
import { UnauthorizedError } from '../errors.js'
import { hasSeveralAuthorizations, parseBearer } from '../internal/authorization-header.js'
import { challengesOf } from '../internal/challenge.js'
import { type Gate, handlerOf, refusalOf, type Verdict } from '../internal/gate.js'
import { anonymousVerdict, type IsPublic } from '../internal/public-path.js'
import { severalCredentials } from '../internal/several-credentials.js'
import { tokenId } from '../internal/token-id.js'
import type { Tokens } from '../tokens/tokens.js'

/** Options of {@link bearerAuthentication}. */
export interface BearerAuthenticationOptions {
  /** Verifies the token. */
  readonly tokens: Tokens
  /**
   * Which requests may pass without any credential; one that is sent all the same is checked. `'ambiguous'`: the path
   * is public in one reading and not in another, and is answered with 400.
   *
   * @defaultValue none
   */
  readonly isPublic?: IsPublic | undefined
  /**
   * Realm of the challenge: printable ASCII without quotes.
   *
   * @defaultValue `'Sallyport'`
   */
  readonly realm?: string
}

/**
 * Lets a request pass with a live token and sets `request.auth`; see `getAuth`.
 *
 * A token in the query or a form body is never taken; beside one in the header it gives 400 (RFC 6750 section 2).
 *
 * @example
 * ```ts
 * app.use('/api', bearerAuthentication({ tokens }), routes)
 * ```
 *
 * @returns A handler that passes to `next()`: 401 with a Bearer challenge, 400, and 503 when the store fails.
 */
export function bearerAuthentication(options: BearerAuthenticationOptions): RequestHandler {
  return handlerOf(bearerAuthenticationGate(options))
}

/** The gate behind {@link bearerAuthentication}, for wiring into a facet. */
export function bearerAuthenticationGate({ tokens, isPublic, realm }: BearerAuthenticationOptions): Gate {
  const challenges = challengesOf(realm)

  function refused(error: unknown): Verdict {
    if (!(error instanceof UnauthorizedError)) return refusalOf(error)
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
    const credential = credentialOf(request.socket, header)
    if (credential === undefined) {
      return new UnauthorizedError('ERR_AUTH_REQUIRED', 'Authentication is required.', {
        headers: { 'WWW-Authenticate': challenges.bearer },
      })
    }
    if (hasTokenInQuery(request.url)) return severalCredentials(challenges.invalidRequest)

    try {
      const auth = tokens.verify(credential.token, credential.id)
      if (!(auth instanceof Promise)) return admit(request, response, auth)
      return auth.then((caller) => admit(request, response, caller), refused)
    } catch (error) {
      return refused(error)
    }
  }
}

function admit(request: AuthenticatedRequest, response: Response, auth: Auth): undefined {
  request.auth = auth
  response.setHeader('Cache-Control', 'no-store')
}

interface Credential {
  readonly header: string
  readonly token: string
  readonly id: string
}

const lastCredential = Symbol('last credential')

/**
 * The token of a header and its id. A connection keeps the digest of its last header, because a client sends the same
 * one again and again; whether the token is good is asked of the store each time.
 */
function credentialOf(
  socket: Socket & { [lastCredential]?: Credential },
  header: string | undefined,
): Credential | undefined {
  const last = socket[lastCredential]
  if (last !== undefined && last.header === header) return last
  const token = parseBearer(header)
  if (token === undefined) return undefined
  const credential = { header: header!, token, id: tokenId('management', token) }
  socket[lastCredential] = credential
  return credential
}

function hasTokenInQuery(url: Request['url']): boolean {
  const start = url.indexOf('?')
  return start >= 0 && new URLSearchParams(url.slice(start)).has('access_token')
}
