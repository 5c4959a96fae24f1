/**
 * The authorization server as a facet: opened when the configuration asks for it, and guarded by address like a web app.
 *
 * @module
 */

import { type AddressAccessParts, webAppsGates } from './address-access.js'
import type { Config } from './config/config.js'
import { ConfigError } from './core/errors.js'
import { withoutForeignAuth } from './internal/foreign-auth.js'
import type { Gate } from './internal/gate.js'
import type { AuthorizationServer, AuthorizationServerParts } from './oauth/authorization-server.js'

/**
 * Opens the authorization server; `undefined` when the configuration does not enable it. Only then nothing of it is loaded.
 *
 * @throws {@link ConfigError} (`ERR_CONFIG_MISSING_PACKAGE`), by rejecting.
 */
export async function openOauth(
  config: Config,
  parts: Omit<AuthorizationServerParts, 'clientThrottle'>,
): Promise<AuthorizationServer | undefined> {
  if (config.oauth === undefined) return undefined
  const { createAuthorizationServer } = await import('./oauth/authorization-server.js')
  const { createClientThrottle } = await import('./oauth/client-throttle.js')
  const { loginThrottle } = config.managementApi
  const clientThrottle = loginThrottle.isEnabled
    ? createClientThrottle({ ...loginThrottle, clock: parts.clock })
    : undefined
  return createAuthorizationServer(config.oauth, { ...parts, clientThrottle })
}

/**
 * The gates of the facet.
 *
 * @throws {@link ConfigError} where there is no authorization server.
 */
export function oauthFacetGates(
  config: Config,
  server: AuthorizationServer | undefined,
  parts: AddressAccessParts,
): readonly Gate[] {
  if (server === undefined) {
    throw new ConfigError([{ key: 'oauth.enable', rule: 'must be true for security.oauth()' }])
  }
  return [withoutForeignAuth, ...webAppsGates(config, parts), ...server.gates]
}
