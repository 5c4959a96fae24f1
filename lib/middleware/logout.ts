/**
 * Logout: ends the token that the request was authenticated with.
 *
 * @module
 */

import type { Request, RequestHandler, Response } from 'express'
import { getAuth } from '../core/auth.js'
import { systemClock } from '../core/clock.js'
import { HttpError, UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { answerEmpty } from '../http/answer.js'
import { hasSeveralAuthorizations, parseBearer } from '../http/authorization-header.js'
import { createChallenges } from '../http/challenge.js'
import { readClient } from '../http/client.js'
import { isSignInMethod, methodNotAllowed, signInMethods } from '../http/endpoint.js'
import type { Gate, Verdict } from '../http/gate.js'
import { standAlone } from '../http/refusals.js'
import type { CheckedTokenStore } from '../tokens/checked-token-store.js'
import type { Revocations } from '../tokens/revocations.js'
import { tokenId } from '../tokens/token-id.js'
import { endToken, type Tokens } from '../tokens/tokens.js'

/** Options of {@link logout}. */
export interface LogoutOptions {
  /** Revokes the token. */
  readonly tokens: Tokens
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: () => number
  /** Told of each logout, and of each refusal. */
  readonly events?: SecurityEvents
  /** Realm of the challenge: printable ASCII without quotes. @defaultValue `'Sallyport'` */
  readonly realm?: string
}

/**
 * Answers GET and POST with 200 and no body once the token is dead. It stands behind `bearerAuthentication`; the user's other
 * tokens stay good.
 * @returns A handler that passes to `next()`: 401 when the token had just ended, 405, and 503 when the store fails: this
 * process refuses the token all the same, another one over the same store may take it.
 */
export function logout(options: LogoutOptions): RequestHandler {
  return standAlone({ gates: [logoutGate(options)] }, options)
}

export function logoutGate({ tokens, clock = systemClock, events, realm }: LogoutOptions): Gate {
  const { invalidToken } = createChallenges(realm)

  return function logoutGate(request, response): Verdict | Promise<Verdict> {
    if (!isSignInMethod(request)) return methodNotAllowed(signInMethods)
    const { subject, tokenId } = getAuth(request)
    if (tokenId === undefined) return new HttpError(404, 'ERR_NOT_FOUND', 'There is no token to end.')

    return endToken(tokens, tokenId).then((wasLive) => {
      if (!wasLive) {
        return new UnauthorizedError('ERR_TOKEN_INVALID', 'The access token is not valid.', {
          headers: { 'WWW-Authenticate': invalidToken },
        })
      }
      events?.report('logout', { at: clock(), ...readClient(request), subject, tokenId })
      answerEmpty(response, 200)
      return 'answered'
    })
  }
}

export interface RepeatedLogoutParts {
  readonly store: CheckedTokenStore
  readonly revocations: Revocations
  readonly events: SecurityEvents
  readonly clock: () => number
}

/**
 * Answers a logout that is tried again because the store had failed: this process refuses the token already, so that
 * `bearerAuthentication`, which comes after it, would.
 */
export function repeatedLogoutGate({ store, revocations, events, clock }: RepeatedLogoutParts): Gate {
  return function repeatedLogoutGate(request, response) {
    const token = parseBearer(request.headers.authorization)
    if (token === undefined || hasSeveralAuthorizations(request) || !isSignInMethod(request)) return undefined
    const id = tokenId('management', token)
    return revocations.isRevoked({ id }) ? endAgain(id, request, response) : undefined
  }

  async function endAgain(tokenId: string, request: Request, response: Response): Promise<Verdict> {
    const subject = (await store.find(tokenId))?.subject
    const wasLive = await revocations.retry(tokenId, store)
    if (wasLive === undefined) return undefined
    if (subject !== undefined) events.report('logout', { at: clock(), ...readClient(request), subject, tokenId })
    answerEmpty(response, 200)
    return 'answered'
  }
}
