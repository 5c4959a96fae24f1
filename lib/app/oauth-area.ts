/**
 * The mount of the authorization server: opened when the configuration asks for it, and guarded by address like a web app.
 *
 * @module
 */

import type { Config } from '../config/config.js'
import { portalOfClient } from '../config/schema/oauth.js'
import { ConfigError } from '../core/errors.js'
import { createLanguageChoice } from '../core/languages.js'
import { withoutForeignAuth } from '../http/endpoint.js'
import type { Gate } from '../http/gate.js'
import type { AuthorizationServer } from '../oauth/authorization-server.js'
import type { AuthorizationServerParts, SharedOauth } from '../oauth/parts.js'
import type { IdentityProviders } from './identity-providers.js'
import { portalView } from './portal.js'
import type { RunningState } from './reload.js'
import type { SharedStore } from './shared-store.js'
import { type AddressAccessParts, webAppsGates } from './web-apps.js'

/** What the authorization server takes of the core. */
export interface OauthAreaParts
  extends Omit<AuthorizationServerParts, 'clientThrottle' | 'keySet' | 'shared' | 'signIn' | 'languageOf' | 'viewOf'> {
  /** Its pages look as the configuration in effect says. */
  readonly running: Pick<RunningState, 'config'>
  readonly keys: SharedOauth['keys']
  readonly identityProviders?: IdentityProviders | undefined
  /** The key of management tokens: it signs here as well where it outlives the process and fits. */
  readonly keySet: SharedOauth['keySet']
  /** Where several processes keep what they share: all of them read that key from a file or a key store. */
  readonly sharedStore?: Pick<SharedStore, 'createOauthStore' | 'createThrottle'> | undefined
}

/**
 * Opens the authorization server; `undefined` when the configuration does not enable it. Only then nothing of it is loaded.
 *
 * @throws `ConfigError`: `ERR_CONFIG_MISSING_PACKAGE` without `oidc-provider`, and where the shared key is for another algorithm.
 */
export async function openOauth(
  config: Config,
  { running, keys, keySet, sharedStore, identityProviders, ...parts }: OauthAreaParts,
): Promise<AuthorizationServer | undefined> {
  if (config.oauth === undefined) return undefined
  const { createAuthorizationServer } = await import('../oauth/authorization-server.js')
  const { createClientThrottle } = await import('../oauth/client-authentication.js')
  const { loginThrottle, token } = config.managementApi
  const isKept = token.keyFile !== undefined || token.keyStore !== undefined
  const kept = isKept && keySet.signing.algorithm === config.oauth.algorithm ? keySet : undefined
  const clientThrottle = loginThrottle.isEnabled
    ? createClientThrottle(
        { ...loginThrottle, clock: parts.clock },
        sharedStore && ((limits) => sharedStore.createThrottle(limits, 'clients')),
      )
    : undefined
  const shared = sharedStore && { ...sharedStore, keys, keySet }
  const { signIn: offered } = config.oauth
  const signIn = identityProviders?.forPortal(config, offered, `${config.portalDefaults.cookiePrefix}-oauth`)
  const languageOf = createLanguageChoice(() => running.config.portalDefaults.languages)
  const viewOf = (clientId: string) => portalView(running.config, portalOfClient(clientId))
  const pages = { languageOf, viewOf }
  return createAuthorizationServer(config.oauth, { ...parts, ...pages, clientThrottle, keySet: kept, shared, signIn })
}

/** @throws `ConfigError` where there is no authorization server. */
export function oauthWellKnownGate(server: AuthorizationServer | undefined): Gate {
  return assertServer(server, 'wellKnown').wellKnown
}

/**
 * The gates of the mount.
 *
 * @throws `ConfigError` where there is no authorization server.
 */
export function oauthAreaGates(
  config: Config,
  server: AuthorizationServer | undefined,
  parts: AddressAccessParts,
): readonly Gate[] {
  return [withoutForeignAuth, ...webAppsGates(config, parts), ...assertServer(server, 'oauth').gates]
}

function assertServer(server: AuthorizationServer | undefined, method: string): AuthorizationServer {
  if (server !== undefined) return server
  throw new ConfigError([{ key: 'oauth.enable', rule: `must be true for security.${method}()` }])
}
