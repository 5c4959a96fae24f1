/**
 * Tells the log why a client was refused: the client itself is told little, as the specifications want it.
 *
 * @module
 */

import type { Provider } from 'oidc-provider'
import type { Logger } from '../core/logger.js'

/** What the provider tells when it refuses something. */
const refusals = [
  'authorization.error',
  'end_session.error',
  'grant.error',
  'introspection.error',
  'revocation.error',
  'userinfo.error',
]

interface RefusedContext {
  readonly oidc?: { readonly client?: { readonly clientId: string } }
}

interface Refusal extends Error {
  readonly error?: string
  readonly error_description?: string
  readonly error_detail?: string
}

/** Logs each refusal, with the client and the reason. No code, token or verifier is in either. */
export function logRefusals(provider: Provider, logger: Logger): void {
  const emitter: NodeJS.EventEmitter = provider
  for (const name of refusals) {
    emitter.on(name, ({ oidc }: RefusedContext, { error, error_description, error_detail }: Refusal) => {
      const reason = error_detail ?? error_description
      logger.info({ client: oidc?.client?.clientId, error, reason }, 'the authorization server refused a request')
    })
  }
}
