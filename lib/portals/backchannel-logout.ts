/**
 * `<portal>/backchannel-logout`: an identity provider says that a session there has ended (OpenID Connect Back-Channel Logout 1.0).
 *
 * @module
 */

import { decodeJwt } from 'jose'
import { BadRequestError, HttpError, StoreError, UnauthorizedError } from '../core/errors.js'
import { answerEmpty } from '../http/answer.js'
import { utf8Type } from '../http/body.js'
import { readClient } from '../http/client.js'
import { methodNotAllowed } from '../http/endpoint.js'
import { type Gate, refusalFrom } from '../http/gate.js'
import type { IdentityProvider } from '../identity-providers/provider-types.js'
import { readForm } from './login-form.js'
import type { PortalSignIn } from './portal-sign-in.js'

const formType = utf8Type('application/x-www-form-urlencoded')

const formLimits = { maxBytes: 32 * 1024, malformed }

/** The gate of the address. Whoever calls is believed by the signature of the token alone. */
export function backchannelLogoutGate({ providers, sessions }: Pick<PortalSignIn, 'providers' | 'sessions'>): Gate {
  return async function backchannelLogoutGate(request, response) {
    if (request.method !== 'POST') return methodNotAllowed('POST')
    if (!formType.test(request.headers['content-type'] ?? '')) {
      return new HttpError(415, 'ERR_MEDIA_TYPE_UNSUPPORTED', 'Send application/x-www-form-urlencoded.')
    }
    try {
      const form = await readForm(request, formLimits)
      const [token, ...others] = form.getAll('logout_token')
      if (token === undefined || others.length > 0) return malformed()
      const provider = chooseProvider(providers, token)
      if (provider === undefined) return invalid('no identity provider of this portal has this issuer and client id')
      const isNew = await sessions.end(provider.config, await provider.verifyLogoutToken(token), readClient(request))
      if (!isNew) return invalid('the logout token was there before')
      answerEmpty(response, 200)
      return 'answered'
    } catch (error) {
      if (error instanceof StoreError) return refusalFrom(error)
      return error instanceof UnauthorizedError ? invalid(error.cause) : refusalFrom(error)
    }
  }
}

/** By what the token says of itself, which is verified afterwards. */
function chooseProvider(providers: readonly IdentityProvider[], token: string): IdentityProvider | undefined {
  try {
    const { iss, aud } = decodeJwt(token)
    return providers.find(
      ({ config: { issuer, clientId } }) => iss === issuer && (aud === undefined || [aud].flat().includes(clientId)),
    )
  } catch {
    return undefined
  }
}

function malformed(): HttpError {
  return new BadRequestError('ERR_REQUEST_INVALID', 'The form has to have one logout_token.')
}

function invalid(cause: unknown): HttpError {
  return new BadRequestError('ERR_TOKEN_INVALID', 'The logout token is not valid.', { cause })
}
