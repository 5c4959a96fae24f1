/**
 * Login: takes a name and a password by HTTP Basic and answers with a token.
 *
 * @module
 */

import type { Request, RequestHandler } from 'express'
import { systemClock } from '../core/clock.js'
import { ForbiddenError, type HttpError, type HttpErrorCode, UnauthorizedError } from '../core/errors.js'
import type { Client, SecurityEvents } from '../core/events.js'
import { isReported, markReported } from '../core/reported.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import { answerJson, clientGone, isOver } from '../http/answer.js'
import { hasSeveralAuthorizations, parseBasic } from '../http/authorization-header.js'
import { createChallenges } from '../http/challenge.js'
import { readClient } from '../http/client.js'
import { isBlindCrossSite, isCrossSite } from '../http/cross-site.js'
import { isSignInMethod, methodNotAllowed, signInMethods } from '../http/endpoint.js'
import type { Gate, Verdict } from '../http/gate.js'
import { plainHttpRefusal } from '../http/plain-http.js'
import { refusedLoginReporter, severalCredentials, standAlone } from '../http/refusals.js'
import { endToken, issueToken, type Tokens } from '../tokens/tokens.js'
import type { Authenticator } from '../users/login/authenticator.js'
import type { LoginAnswer } from './login-schema.js'

/** Options of {@link basicLogin}. */
export interface BasicLoginOptions {
  /** Checks names and passwords, with the throttle that all logins share. */
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  /**
   * Issues the token. An `issue` of the app's that calls that of `createTokens` makes a `login` event of its own: give `events` to one of the
   * two only.
   */
  readonly tokens: Tokens
  /** Who has to send a code as `X-OTP`. @defaultValue `'optional'`: users who have a second factor */
  readonly secondFactor?: SecondFactorPolicy | undefined
  /** What stands between password and code for clients that send nothing but Basic. @defaultValue codes come as `X-OTP` alone */
  readonly otpSeparator?: string | undefined
  /** Whether a password may come over plain HTTP from another machine. @defaultValue false */
  readonly allowPlainHttp?: boolean
  /** Milliseconds since the epoch; the same clock that `tokens` has. @defaultValue `Date.now` */
  readonly clock?: () => number
  /** Told of each login, and of each refusal. */
  readonly events?: SecurityEvents
  /** Realm of the challenge: printable ASCII without quotes. @defaultValue `'Sallyport'` */
  readonly realm?: string
}

/**
 * Answers GET and POST with 200 and `{"AccessToken":"..."}`. Credentials in the query or the body are ignored. A browser adds
 * the credentials that it remembers to requests of other sites' pages: those are refused, but for scripts of an origin that
 * the CORS middleware before it has allowed.
 * @returns A handler that passes to `next()`: 401 with a Basic challenge, 403 over plain HTTP and for other sites, 405, 429,
 * 503.
 */
export function basicLogin(options: BasicLoginOptions): RequestHandler {
  return standAlone({ gates: [basicLoginGate(options)] }, options)
}

export function basicLoginGate(options: BasicLoginOptions): Gate {
  const {
    authenticator,
    tokens,
    secondFactor,
    otpSeparator,
    allowPlainHttp = false,
    clock = systemClock,
    events,
  } = options
  const challenges = createChallenges(options.realm)
  const refusedLogin = refusedLoginReporter(events, clock, 'management')

  function unauthorized(code: HttpErrorCode, message: string): UnauthorizedError {
    // A client has to be told that it is no wrong password.
    const bare = code === 'ERR_SECOND_FACTOR_REQUIRED' ? 'never' : 'without-accept'
    return new UnauthorizedError(code, message, { bare, headers: { 'WWW-Authenticate': challenges.basic } })
  }

  function withoutCredentials(request: Request): UnauthorizedError {
    const message = 'Send a user name and a password by HTTP Basic.'
    if (!request.headers.authorization) return unauthorized('ERR_AUTH_REQUIRED', message)
    const reason = { reason: 'malformed', kind: 'management' } as const
    events?.report('loginRefused', { at: clock(), ...readClient(request), userName: '', ...reason })
    return markReported(unauthorized('ERR_AUTH_INVALID_CREDENTIALS', message), events !== undefined)
  }

  function refused(error: unknown, userName: string, client: Client): HttpError {
    const refusal = refusedLogin(error, userName, client)
    if (!(refusal instanceof UnauthorizedError)) return refusal
    return markReported(unauthorized(refusal.code, refusal.message), isReported(refusal))
  }

  return function basicLoginGate(request, response): Verdict | Promise<Verdict> {
    if (!isSignInMethod(request)) return methodNotAllowed(signInMethods)
    if (hasSeveralAuthorizations(request)) return severalCredentials(challenges.basic)
    if (isBlindCrossSite(request, response)) {
      return new ForbiddenError('ERR_CROSS_SITE', 'A page of another site cannot log in without asking for it.')
    }
    const credentials = parseBasic(request.headers.authorization)
    if (credentials === undefined) return withoutCredentials(request)
    const refusal = plainHttpRefusal(request, allowPlainHttp)
    if (refusal !== undefined) return refusal

    const startedAt = clock()
    const client = readClient(request)
    const { address } = client
    const { origin } = request.headers
    const { password, code } = splitCode(credentials.password, request.headers['x-otp'], otpSeparator)
    const signal = clientGone(response)
    const from = { ...client, origin, isCrossSite: isCrossSite(request), signal }
    return authenticator
      .authenticate(credentials.name, password, { ...from, kind: 'management', code, secondFactor })
      .then(async (account): Promise<Verdict> => {
        if (isOver(response)) return 'answered'
        const { factors = ['password'] } = account
        const { token, id } = await issueToken(tokens, account, { address, startedAt, factors })
        if (isOver(response)) {
          await endToken(tokens, id)
          return 'answered'
        }
        events?.report('login', {
          at: startedAt,
          ...client,
          subject: account.subject,
          tokenId: id,
          kind: 'management',
          factors,
        })
        answerJson(response, 200, { AccessToken: token } satisfies LoginAnswer)
        return 'answered'
      })
      .catch((error: unknown) => refused(error, credentials.name, client))
  }
}

/** Longer than any code. */
const maxCodeLength = 64

/** The code of the header; else, where a separator is given, the six digits behind it. */
function splitCode(
  password: string,
  header: string | readonly string[] | undefined,
  separator: string | undefined,
): { readonly password: string; readonly code: string | undefined } {
  if (typeof header === 'string') return { password, code: header.slice(0, maxCodeLength) }
  const at = separator === undefined ? -1 : password.lastIndexOf(separator)
  const code = at < 1 ? '' : password.slice(at + separator!.length)
  return /^\d{6}$/.test(code) ? { password: password.slice(0, at), code } : { password, code: undefined }
}
