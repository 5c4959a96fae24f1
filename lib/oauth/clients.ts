/**
 * Service providers as `oidc-provider` has them: clients.
 *
 * @module
 */

import type { ClientMetadata } from 'oidc-provider'
import type { ClaimsToken, OauthConfig, ServiceProviderConfig } from '../config/config.js'
import { claimsOfScope } from './user-claims.js'

/** Scopes that every client may ask for: the sign-in itself, and what is known of the user. */
export const commonScopes: readonly string[] = Object.keys(claimsOfScope)

/** Every scope that some client may ask for. */
export function allScopesOf({ serviceProviders }: OauthConfig): readonly string[] {
  return [...new Set([...commonScopes, ...serviceProviders.flatMap(({ scopes }) => scopes)])]
}

/** What the provider is told about a client. */
export function clientMetadataOf(
  provider: ServiceProviderConfig,
  { algorithm }: OauthConfig,
  provenSecret: string,
): ClientMetadata {
  const { clientId, secretHash, hasRefreshTokens } = provider
  return {
    client_id: clientId,
    // Not `native`: those match any port of this machine (RFC 8252 section 7.3), and every URI is exact here.
    application_type: 'web',
    redirect_uris: [...provider.redirectUris],
    post_logout_redirect_uris: [...provider.postLogoutRedirectUris],
    response_types: ['code'],
    grant_types: ['authorization_code', ...(hasRefreshTokens ? ['refresh_token'] : [])],
    scope: [...new Set([...commonScopes, ...provider.scopes])].join(' '),
    id_token_signed_response_alg: algorithm,
    token_endpoint_auth_method: secretHash === undefined ? 'none' : 'client_secret_basic',
    // The real one is known by its hash only, and checked before.
    ...(secretHash !== undefined && { client_secret: provenSecret }),
  }
}

/** The hash of the secret of each confidential client. */
export function secretHashesOf({ serviceProviders }: OauthConfig): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>()
  for (const { clientId, secretHash } of serviceProviders) {
    if (secretHash !== undefined) hashes.set(clientId, secretHash)
  }
  return hashes
}

/** The clients that learn of a user in this token. */
export function clientsWithClaimsIn({ serviceProviders }: OauthConfig, token: ClaimsToken): ReadonlySet<string> {
  return new Set(serviceProviders.filter(({ claimsIn }) => claimsIn.includes(token)).map(({ clientId }) => clientId))
}

/** Origins that a client's pages are at: they alone may call the endpoints across origins. */
export function originsOf({ redirectUris, postLogoutRedirectUris }: ServiceProviderConfig): readonly string[] {
  return [...new Set([...redirectUris, ...postLogoutRedirectUris].map((uri) => new URL(uri).origin))]
}
