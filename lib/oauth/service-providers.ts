/**
 * Service providers, which `oidc-provider` calls clients: what they are, what they may ask for, and what they learn of a user.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { ClientMetadata } from 'oidc-provider'
import type { OauthConfig, ServiceProviderConfig } from '../config/config.js'
import { withoutPort } from '../core/safe-url.js'
import type { UserProfile } from '../users/user-store.js'

/** The claims that each scope gives (OpenID Connect Core 1.0 section 5.4). Every client may ask for these scopes. */
export const claimsOfScope: Record<string, string[]> = {
  openid: ['sub'],
  profile: ['name', 'preferred_username'],
  email: ['email'],
  roles: ['roles'],
}

const commonScopes: readonly string[] = Object.keys(claimsOfScope)

export interface ServiceProviders {
  get(clientId: string | undefined): ServiceProviderConfig | undefined
  /** `aud` of the access tokens of a client. */
  audience(clientId: string | undefined): string
  /** Every scope that some client may ask for. */
  readonly scopes: readonly string[]
  /** The origins of the pages of all clients. */
  readonly origins: ReadonlySet<string>
}

export function createServiceProviders({ serviceProviders, issuer }: OauthConfig): ServiceProviders {
  const byId = new Map(serviceProviders.map((provider) => [provider.clientId, provider]))
  return {
    get: (clientId = '') => byId.get(clientId),
    audience: (clientId = '') => byId.get(clientId)?.audience ?? issuer,
    scopes: [...new Set([...commonScopes, ...serviceProviders.flatMap(({ scopes }) => scopes)])],
    origins: new Set(serviceProviders.flatMap(pageOrigins)),
  }
}

/** Whether a client asks for its own resource. Some write `https://host` as `https://host/`. */
export function isSameResource(own: string, asked: string): boolean {
  return asked === own || (URL.canParse(own) && URL.canParse(asked) && new URL(asked).href === new URL(own).href)
}

/** The origins that a client's pages are at: they alone may call the endpoints across origins. */
export function pageOrigins({ redirectUris, postLogoutRedirectUris }: ServiceProviderConfig): readonly string[] {
  return [...redirectUris, ...postLogoutRedirectUris].map((uri) => new URL(uri).origin)
}

/** What the provider is told about a client. */
export function clientMetadata({
  clientId,
  secretHashes,
  grants,
  issueRefreshTokens,
  backchannelLogoutUri,
  scopes,
  ...provider
}: ServiceProviderConfig): ClientMetadata {
  return {
    client_id: clientId,
    // Not `native`: those match any port of `localhost` too. See `isRedirectAllowed`.
    application_type: 'web',
    redirect_uris: [...provider.redirectUris],
    post_logout_redirect_uris: [...provider.postLogoutRedirectUris],
    response_types: grants.includes('authorization_code') ? ['code'] : [],
    ...(backchannelLogoutUri !== undefined && {
      backchannel_logout_uri: backchannelLogoutUri,
      // Its ID tokens name the session.
      backchannel_logout_session_required: true,
    }),
    grant_types: [...grants, ...(issueRefreshTokens ? ['refresh_token'] : [])],
    scope: [...new Set([...commonScopes, ...scopes])].join(' '),
    token_endpoint_auth_method: secretHashes.length === 0 ? 'none' : 'client_secret_basic',
    // The provider asks for one. The client's own is known by its hash only, and checked before.
    ...(secretHashes.length > 0 && { client_secret: randomBytes(32).toString('base64url') }),
  }
}

/** Whether a client may be sent back to a URI: one of its own, and for a native app the same at any port of this machine. */
export function isRedirectAllowed({ redirectUris, isNative }: ServiceProviderConfig, uri: string): boolean {
  if (redirectUris.includes(uri)) return true
  const asked = isNative ? withoutPort(uri) : undefined
  return asked !== undefined && redirectUris.some((known) => withoutPort(known) === asked)
}

/** The scopes that a user grants, of those that a client asks for: a portal of WSO2 gets its own for the users that may enter it. */
export function grantedScopes(
  { scopes, scopeRoles, adminScopes }: ServiceProviderConfig,
  asked: readonly string[],
  user: { readonly roles: readonly string[]; readonly isAdmin: boolean } | undefined,
): readonly string[] {
  const isAdmin = user?.isAdmin === true
  const isEntitled = isAdmin || scopeRoles === undefined || user?.roles.some((role) => scopeRoles.includes(role))
  const own = isEntitled ? scopes.filter((scope) => isAdmin || !adminScopes.includes(scope)) : []
  return asked.filter((scope) => commonScopes.includes(scope) || own.includes(scope))
}

/** Whether a scope gives something that the user store has to be asked for. */
export function needsProfile(scope = ''): boolean {
  return /(?:^| )(?:profile|email)(?: |$)/.test(scope)
}

/** Everything that is known of a user. Who has no other name is called by the user name. */
export function userClaims(
  subject: string,
  roles: readonly string[],
  { name = subject, email }: UserProfile = {},
): Record<string, unknown> & { readonly sub: string } {
  return { sub: subject, name, preferred_username: subject, roles: [...roles], ...(email !== undefined && { email }) }
}

/** The claims that the scopes give, without `sub`: every token has that by itself. */
export function grantedClaims(all: Readonly<Record<string, unknown>>, scope: string): Record<string, unknown> {
  const names = new Set(scope.split(' ').flatMap((one) => claimsOfScope[one] ?? []))
  return Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'sub' && names.has(name)))
}
