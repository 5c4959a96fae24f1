/**
 * The gates of the authorization server, in the order in which a request meets them.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { HttpError, TooManyRequestsError, UnavailableError } from '../core/errors.js'
import { answerJson } from '../internal/answer.js'
import { methodNotAllowed, noTrace, notFound } from '../internal/endpoint.js'
import type { Gate, Verdict } from '../internal/gate.js'
import { plainHttpRefusal } from '../internal/plain-http.js'
import { ownOriginGate } from '../portals/own-origin.js'
import { answerSeeOther } from '../portals/page.js'
import type { AccessTokens } from './access-tokens.js'
import { basicSecret, type ClientAuthentication } from './client-authentication.js'
import { endpointPath, hasToComeBack, isPage, methodsOf, pageParameters } from './endpoint-methods.js'
import { readForm } from './fixed-request.js'
import type { LogoutHint } from './logout-hint.js'
import { endpoints, loginPath } from './provider-configuration.js'
import { type SignInParts, signInGate } from './sign-in.js'

/** What {@link oauthGates} works with. */
export interface OauthGatesParts extends SignInParts {
  readonly accessTokens: AccessTokens
  readonly clientAuthentication: ClientAuthentication
  readonly logoutHint: LogoutHint
  /** `aud` of the tokens of a client. */
  readonly audienceOf: (clientId: string) => string
}

/** Stands for a token that is not known. No name of the provider has a space. */
const unknownToken = 'unknown token'

/** Paths where clients show who they are. */
const authenticatesClient: readonly string[] = [endpoints.token, endpoints.revocation, endpoints.introspection]

/** Paths that take a token as a parameter. */
const takesToken: readonly string[] = [endpoints.revocation, endpoints.introspection]

/** Makes the row of gates. Everything below the mount is answered by it. */
export function oauthGates(parts: OauthGatesParts): readonly Gate[] {
  const isOwnOrigin = ownOriginGate([new URL(parts.issuer).origin])
  return [
    noTrace,
    mountGate(parts.issuer),
    // Passwords, codes and tokens do not go in the clear.
    (request) => (request.method === 'POST' ? plainHttpRefusal(request, false) : undefined),
    (request, response) => (request.path.startsWith(loginPath) ? isOwnOrigin(request, response) : undefined),
    signInGate(parts),
    providerGate(parts),
  ]
}

/** The provider writes the issuer's path into what it sends: mounted elsewhere, nothing would fit together. */
function mountGate(issuer: string): Gate {
  const { pathname } = new URL(issuer)
  return ({ baseUrl }) => {
    if (baseUrl.toLowerCase() === pathname.toLowerCase()) return undefined
    const cause = new Error(`security.oauth() has to be mounted at ${pathname}, the path of its issuer`)
    return new HttpError(500, 'ERR_MOUNT_PATH', 'The authorization server is not mounted at its own path.', { cause })
  }
}

function providerGate(parts: OauthGatesParts): Gate {
  const { issuer, provider, fixed, accessTokens, clientAuthentication, logoutHint, audienceOf } = parts
  const mountPath = new URL(issuer).pathname
  const answer = provider.callback()

  async function nameOf(token: string): Promise<string> {
    return (await accessTokens.resolve(token)) ?? unknownToken
  }

  /** Refresh tokens are known by themselves; what could be an access token is looked up. */
  async function namedForm(request: Request): Promise<URLSearchParams> {
    const form = await readForm(request)
    if (takesToken.includes(endpointPath(request)))
      await replace(form, 'token', (value) => (isJwt(value) ? nameOf(value) : value))
    if (endpointPath(request) === endpoints.userinfo) await replace(form, 'access_token', nameOf)
    return form
  }

  /** The provider is asked for pages by their address only. `undefined`: as it came. */
  async function pageAddress(request: Request, form: URLSearchParams): Promise<string | undefined> {
    if (!isPage(request)) return undefined
    const path = endpointPath(request)
    const parameters = pageParameters(request, form)
    const isChanged = path === endpoints.end_session && (await logoutHint(parameters))
    return isChanged || request.method === 'POST' ? `${path}?${parameters}` : undefined
  }

  async function answerBy(request: Request, response: Response): Promise<Verdict> {
    const form = await namedForm(request)
    const address = await pageAddress(request, form)
    if (address !== undefined && hasToComeBack(request, address)) {
      answerSeeOther(response, `${mountPath}${address}`)
      return 'answered'
    }
    if (endpointPath(request) === endpoints.token && !isForOwnResource(request, form, audienceOf)) {
      answerJson(response, 400, {
        error: 'invalid_target',
        error_description: 'the resource is not that of the client',
      })
      return 'answered'
    }
    let { authorization } = request.headers
    if (request.method === 'POST' && authenticatesClient.includes(endpointPath(request))) {
      try {
        authorization = await clientAuthentication.authenticate(request, form)
      } catch (error) {
        return answerLater(response, error)
      }
    }
    const seen = fixed(request, form, address)
    if (authorization !== undefined) seen.headers.authorization = authorization
    if (endpointPath(request) === endpoints.userinfo) await replaceBearer(seen.headers, nameOf)
    await answer(seen, response)
    if (response.headersSent || response.writableEnded) return 'answered'
    const allowed = methodsOf(request)
    return allowed === undefined ? notFound(request, response) : methodNotAllowed(allowed)
  }

  return answerBy
}

/** Replaces each value of a parameter, and leaves their number as it is: a parameter that came twice is refused later. */
async function replace(
  form: URLSearchParams,
  name: string,
  by: (value: string) => string | Promise<string>,
): Promise<void> {
  const values = form.getAll(name)
  form.delete(name)
  for (const value of values) form.append(name, await by(value))
}

async function replaceBearer(
  headers: { authorization?: string | undefined },
  by: (token: string) => Promise<string>,
): Promise<void> {
  const [, scheme, token] = /^(bearer) ([^ ]+)$/i.exec(headers.authorization ?? '') ?? []
  // As one word: the provider reads a header of three as malformed.
  if (token !== undefined) headers.authorization = `${scheme} ${(await by(token)).replace(' ', '-')}`
}

function isJwt(token: string): boolean {
  return token.split('.').length === 3
}

/** RFC 8707 section 2.2: a token for another resource than the client's own is never made. */
function isForOwnResource(
  { headers }: Request,
  form: URLSearchParams,
  audienceOf: (clientId: string) => string,
): boolean {
  const resources = form.getAll('resource')
  if (resources.length === 0) return true
  const own = audienceOf(form.get('client_id') ?? basicSecret(headers.authorization)?.clientId ?? '')
  return resources.every((resource) => resource === own)
}

/** A client that guesses, or too much work at a time: in the form of an OAuth error, with the time to wait. */
function answerLater(response: Response, error: unknown): Verdict {
  const isTemporary = error instanceof TooManyRequestsError || error instanceof UnavailableError
  if (!isTemporary) throw error
  const { status, message, headers } = error
  response.setHeader('Retry-After', headers['Retry-After'] ?? '5')
  answerJson(response, status, { error: 'temporarily_unavailable', error_description: message })
  return 'answered'
}
