/**
 * `[oauth]`, with what only the whole file tells about it.
 *
 * @module
 */

import { managementConsole } from '../internal/portal-name.js'
import { apimAdminScope, apimScopes } from './apim-scopes.js'
import type { OauthConfig, PortalConfig, ServiceProviderConfig } from './config.js'
import type { Finding } from './findings.js'
import type { Deployment } from './tables/deployment.js'
import type { OauthTable } from './tables/oauth.js'
import { redirectUri } from './tables/oauth-uris.js'

/** Audience of management tokens unless the file names another. */
const managementAudience = 'management-api'

/** Service providers that WSO2 makes by itself, by the portal whose callback they are for. */
const providerOfPortal: Readonly<Record<string, string>> = { publisher: 'apim_publisher', devportal: 'apim_devportal' }

/** Mistakes between `[oauth]` and other tables. */
export function checkOauth(
  { oauth, management_api, portal }: Pick<Deployment, 'oauth' | 'management_api' | 'portal'>,
  mistake: (finding: Finding) => void,
): void {
  if (oauth === undefined) return
  for (const [index, { audience }] of oauth.serviceProviders.entries()) {
    if (audience !== managementAudience && audience !== management_api.token.audience) continue
    const rule = 'must not name the management API: OAuth tokens never open it'
    mistake({ path: ['oauth', 'service_provider', index, 'audience'], rule })
  }
  for (const name of Object.keys(providerOfPortal)) {
    const callback = portal.named.get(name)?.callback
    if (callback === undefined) continue
    const { error } = redirectUri.safeParse(callback)
    if (error !== undefined) mistake({ path: ['portal', name, 'callback'], rule: error.issues[0]!.message })
  }
}

/** Puts the configuration together: with the service providers of the portals, and how long people stay signed in. */
export function oauthOf(
  oauth: OauthTable | undefined,
  portals: readonly PortalConfig[],
  idleSeconds: number,
  cookiePrefix: string,
): OauthConfig | undefined {
  if (oauth === undefined) return undefined
  const sharing = portals.filter(({ name }) => name !== managementConsole)
  const added = Object.entries(providerOfPortal).flatMap(([portal, clientId]): ServiceProviderConfig[] => {
    const config = portals.find(({ name }) => name === portal)
    const isWritten = oauth.serviceProviders.some((provider) => provider.clientId === clientId)
    return config?.callback === undefined || isWritten ? [] : [portalProvider(clientId, config, config.callback)]
  })
  return {
    ...oauth,
    cookiePrefix,
    serviceProviders: [...oauth.serviceProviders, ...added],
    signOnIdleMs: Math.round(idleSeconds * 1000),
    // No portal's session ends by it before its own time.
    signOnAbsoluteMs: Math.max(...sharing.map(({ absoluteTimeoutMs }) => absoluteTimeoutMs)),
  }
}

/**
 * A public client as WSO2's portals register themselves, with both flags of the console: they refresh their tokens, and come back
 * from a sign-out beside where they come back from a sign-in.
 */
function portalProvider(clientId: string, { name, roles }: PortalConfig, callback: string): ServiceProviderConfig {
  return {
    clientId,
    redirectUris: [callback],
    postLogoutRedirectUris: [...new Set([new URL('logout', callback).href, callback])],
    secretHash: undefined,
    audience: undefined,
    scopes: apimScopes[name] ?? [],
    scopeRoles: roles,
    adminScopes: [apimAdminScope],
    claimsIn: ['id_token'],
    hasRefreshTokens: true,
  }
}
