/**
 * Logout: ends the token that the request was authenticated with.
 *
 * @module
 */

import type { RequestHandler } from 'express'
import { getAuth } from '../core/auth.js'
import { HttpError, UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { answerEmpty } from '../internal/answer.js'
import { challengesOf } from '../internal/challenge.js'
import { isSignInMethod, methodNotAllowed, signInMethods } from '../internal/endpoint.js'
import { type Gate, handlerOf, type Verdict } from '../internal/gate.js'
import { clientAddress } from '../internal/trust-proxy.js'
import type { Tokens } from '../tokens/tokens.js'

/** Options of {@link logout}. */
export interface LogoutOptions {
  /** Revokes the token. */
  readonly tokens: Tokens
  /**
   * Milliseconds since the epoch.
   *
   * @defaultValue `Date.now`
   */
  readonly clock?: () => number
  /** Told of each logout. */
  readonly events?: SecurityEvents
  /**
   * Realm of the challenge: printable ASCII without quotes.
   *
   * @defaultValue `'Sallyport'`
   */
  readonly realm?: string
}

/**
 * Answers GET and POST with 200 and no body once the token is dead. It stands behind `bearerAuthentication`; the
 * user's other tokens stay good.
 *
 * @example
 * ```ts
 * app.use('/logout', bearerAuthentication({ tokens }), logout({ tokens }))
 * ```
 *
 * @returns A handler that passes to `next()`: 401 when the token had just ended, 405, and 503 when the store fails, in
 * which case the token may still be good.
 */
export function logout(options: LogoutOptions): RequestHandler {
  return handlerOf(logoutGate(options))
}

/** The gate behind {@link logout}, for wiring into a facet. */
export function logoutGate({ tokens, clock = Date.now, events, realm }: LogoutOptions): Gate {
  const { invalidToken } = challengesOf(realm)

  return function logoutGate(request, response): Verdict | Promise<Verdict> {
    if (!isSignInMethod(request)) return methodNotAllowed(signInMethods)
    const { subject, tokenId } = getAuth(request)
    if (tokenId === undefined) return new HttpError(404, 'ERR_NOT_FOUND', 'There is no token to end.')

    return tokens.revoke(tokenId).then((wasLive) => {
      if (!wasLive) {
        return new UnauthorizedError('ERR_TOKEN_INVALID', 'The access token is not valid.', {
          headers: { 'WWW-Authenticate': invalidToken },
        })
      }
      events?.report('logout', { at: clock(), address: clientAddress(request), subject, tokenId })
      answerEmpty(response, 200)
      return 'answered'
    })
  }
}
