/**
 * The gates of the authorization server, in the order in which a request meets them.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import type { Request, Response } from 'express'
import { compactVerify, decodeJwt } from 'jose'
import { BadRequestError, HttpError, TooManyRequestsError, UnavailableError } from '../core/errors.js'
import { answerJson } from '../http/answer.js'
import { isCrossSite } from '../http/cross-site.js'
import { methodNotAllowed, noTrace, notFound } from '../http/endpoint.js'
import type { Gate, Verdict } from '../http/gate.js'
import { plainHttpRefusal } from '../http/plain-http.js'
import { readForm } from '../portals/login-form.js'
import { ownOriginGate } from '../portals/navigation.js'
import { answerSeeOther } from '../portals/page.js'
import { withoutDots } from './access-tokens.js'
import { basicSecret, type ClientAuthentication, publicClientId } from './client-authentication.js'
import { endpointPath, endpoints, methodsAt } from './endpoints.js'
import { isSameResource, type ServiceProviders } from './service-providers.js'
import { loginPath, type SignInParts, signInGate } from './sign-in.js'

export interface OauthGatesParts extends SignInParts {
  readonly authenticateClient: ClientAuthentication
  /** The client that has shown its secret, of each request of the provider. */
  readonly provenClients: WeakMap<object, string>
  /** Verifies ID tokens of this process. */
  readonly publicKey: KeyObject
}

const authenticatesClient: readonly string[] = [endpoints.token, endpoints.revocation, endpoints.introspection]

const takesToken: readonly string[] = [endpoints.revocation, endpoints.introspection]

/** Requested by a form as well (OpenID Connect Core 1.0 section 3.1.2.1, RP-Initiated Logout 1.0 section 2). */
const pages: readonly string[] = [endpoints.authorization, endpoints.end_session]

/** More than any request takes; the provider itself reads no more. */
const formLimits = {
  maxBytes: 56 * 1024,
  malformed: () => new BadRequestError('ERR_REQUEST_INVALID', 'The form cannot be read.'),
}

/** Longest address that a browser is sent to; a longer form is answered as it came. */
const maxAddressLength = 6000

export function oauthGates(parts: OauthGatesParts): readonly Gate[] {
  const { issuer } = parts.oauth
  const isOwnOrigin = ownOriginGate([new URL(issuer).origin])
  return [
    noTrace,
    mountGate(issuer),
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
  const { provider, providers, providerRequest, authenticateClient, provenClients } = parts
  const { issuer } = parts.oauth
  const mountPath = new URL(issuer).pathname
  const answer = provider.callback()

  /** The provider answers pages by their address only. `undefined`: as it came. */
  async function pageAddress(request: Request, form: URLSearchParams): Promise<string | undefined> {
    const path = endpointPath(request)
    if (!pages.includes(path)) return undefined
    const isForm = request.method === 'POST'
    const parameters = isForm ? form : new URL(request.url, issuer).searchParams
    const isChanged = path === endpoints.end_session && (await dropStaleHint(parameters, parts))
    return isForm || isChanged ? `${path}?${parameters}` : undefined
  }

  return async function providerGate(request, response) {
    const isForm = request.method === 'POST'
    const path = endpointPath(request)
    const form = isForm ? await readForm(request, formLimits) : new URLSearchParams()
    const address = await pageAddress(request, form)
    // With the form of another site a browser sends no `SameSite=Lax` cookie, so that the user would not be signed in.
    if (isForm && address !== undefined && address.length < maxAddressLength && isCrossSite(request)) {
      answerSeeOther(response, `${mountPath}${address}`)
      return 'answered'
    }
    const authenticates = isForm && authenticatesClient.includes(path)
    const publicId = authenticates ? publicClientId(request.headers.authorization) : undefined
    const isPublic = publicId !== undefined && isPublicClient(publicId, form, providers)
    if (isPublic) form.set('client_id', publicId)
    if (path === endpoints.token) leaveOutUnknownScopes(form, providers)
    if (path === endpoints.token && !isForOwnResource(request, form, providers)) {
      return answerError(response, 400, 'invalid_target', 'the resource is not that of the client')
    }
    const token = form.get('token')
    if (takesToken.includes(path) && token !== null && form.getAll('token').length === 1) {
      form.set('token', withoutDots(token))
    }
    const seen = providerRequest(request, form, address)
    if (isPublic) delete seen.headers.authorization
    if (authenticates && !isPublic) {
      try {
        const clientId = await authenticateClient(request, form)
        if (clientId !== undefined) provenClients.set(seen, clientId)
      } catch (error) {
        return answerLater(response, error)
      }
    }
    await answer(seen, response)
    if (response.headersSent || response.writableEnded) return 'answered'
    const allowed = methodsAt(request)
    return allowed === undefined ? notFound(request, response) : methodNotAllowed(allowed)
  }
}

/** The header may be in the way only of a client that has no secret, and that the form does not call otherwise. */
function isPublicClient(clientId: string, form: URLSearchParams, providers: ServiceProviders): boolean {
  const provider = providers.get(clientId)
  const isCalledSo = form.getAll('client_id').every((other) => other === clientId)
  return provider !== undefined && provider.secretHashes.length === 0 && isCalledSo && !form.has('client_secret')
}

/** As at the authorization endpoint: clients that ask for `offline_access` there, which is not known, ask for it at each refresh. */
function leaveOutUnknownScopes(form: URLSearchParams, { scopes }: ServiceProviders): void {
  const [asked, ...others] = form.getAll('scope')
  const known = asked?.split(' ').filter((scope) => scopes.includes(scope)) ?? []
  if (known.length > 0 && others.length === 0) form.set('scope', known.join(' '))
}

/** RFC 8707 section 2.2: a token for another resource than the client's own is never made. */
function isForOwnResource({ headers }: Request, form: URLSearchParams, providers: ServiceProviders): boolean {
  const own = providers.audience(form.get('client_id') ?? basicSecret(headers.authorization)?.clientId)
  return form.getAll('resource').every((resource) => isSameResource(own, resource))
}

/** A client that guesses, or too much work at a time: in the form of an OAuth error, with the time to wait. */
function answerLater(response: Response, error: unknown): Verdict {
  const isTemporary = error instanceof TooManyRequestsError || error instanceof UnavailableError
  if (!isTemporary) throw error
  const { status, message, headers } = error
  response.setHeader('Retry-After', headers['Retry-After'] ?? '5')
  return answerError(response, status, 'temporarily_unavailable', message)
}

function answerError(response: Response, status: number, error: string, error_description: string): Verdict {
  answerJson(response, status, { error, error_description })
  return 'answered'
}

/**
 * Takes an `id_token_hint` that cannot be verified out of the parameters of a sign-out: keys end with the process, and what cannot be
 * verified must not be used (RP-Initiated Logout 1.0 section 4). Its audience is taken for a `client_id`, which any client may send: it
 * leads to a registered URI only. Whether there was such a hint.
 */
async function dropStaleHint(
  parameters: URLSearchParams,
  { publicKey, provider, providers }: OauthGatesParts,
): Promise<boolean> {
  const [hint, ...others] = parameters.getAll('id_token_hint')
  if (!hint || others.length > 0) return false
  const verified = await compactVerify(hint, publicKey).catch(() => undefined)
  if (verified !== undefined) return false
  parameters.delete('id_token_hint')
  const clientId = clientIdIn(hint, provider.issuer)
  if (!parameters.has('client_id') && providers.get(clientId) !== undefined) parameters.set('client_id', clientId)
  return true
}

function clientIdIn(idToken: string, issuer: string): string {
  try {
    const { iss, aud } = decodeJwt(idToken)
    return iss === issuer && typeof aud === 'string' ? aud : ''
  } catch {
    return ''
  }
}
