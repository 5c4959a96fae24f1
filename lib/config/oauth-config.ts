/**
 * What the configuration says of the authorization server.
 *
 * @module
 */

import type { SigningAlgorithm } from './token-config.js'

/** `[oauth]`: the authorization server. */
export interface OauthConfig {
  /** `issuer`: an https URL with a path, without a slash at its end; http on this machine, for development. */
  readonly issuer: string
  /** `max_tokens`: live access tokens, and separately sign-ins with all that belongs to them. @defaultValue 10 000 */
  readonly maxTokens: number
  /** `algorithm` of access tokens and ID tokens. @defaultValue `'RS256'` */
  readonly algorithm: SigningAlgorithm
  /** `access_token_expiry`. @defaultValue 900 (15 minutes) */
  readonly accessTokenSeconds: number
  /** `refresh_token_expiry`: counted from the sign-in; no refresh extends it. @defaultValue 28 800 (8 hours) */
  readonly refreshTokenSeconds: number
  /** `[[oauth.service_provider]]`, and those of the portals that have a callback. */
  readonly serviceProviders: readonly ServiceProviderConfig[]
  /**
   * `[tomcat.global] session_timeout`: how long after a sign-in the next one needs no password.
   *
   * @defaultValue 1 800 000 (30 minutes)
   */
  readonly signOnIdleMs: number
  /** `[portal] cookie_prefix`: what the names of the cookies begin with. @defaultValue `'sallyport'` */
  readonly cookiePrefix: string
  /** How long a sign-on lasts at the most, with all that was begun by it: as long as the longest session of a portal. */
  readonly signOnAbsoluteMs: number
}

/** A token that can tell of the user. */
export type ClaimsToken = 'id_token' | 'access_token'

/** One `[[oauth.service_provider]]`. PKCE with S256 is mandatory for each. */
export interface ServiceProviderConfig {
  /** `client_id`, or `name` without it. */
  readonly clientId: string
  /** `redirect_uris`: compared character by character. */
  readonly redirectUris: readonly string[]
  /** `post_logout_redirect_uris`. @defaultValue none */
  readonly postLogoutRedirectUris: readonly string[]
  /** `client_secret`: a PHC or bcrypt hash; `undefined` for a public client (`allow_without_client_secret`). */
  readonly secretHash: string | undefined
  /** `audience`, or `resource`: `aud` of its access tokens. @defaultValue the issuer */
  readonly audience: string | undefined
  /** `scopes` it may ask for besides `openid`, `profile` and `roles`. @defaultValue none */
  readonly scopes: readonly string[]
  /**
   * Who gets `scopes`: users with any of these roles, and administrators; `undefined`: everybody. For the portals of WSO2 it is
   * `roles` of the portal.
   */
  readonly scopeRoles: readonly string[] | undefined
  /** Those of `scopes` that administrators alone get: `apim:admin` for the portals of WSO2. */
  readonly adminScopes: readonly string[]
  /** `claims`: the tokens that tell of the user what the scopes allow, beside `/userinfo`. @defaultValue the ID token */
  readonly claimsIn: readonly ClaimsToken[]
  /** `refresh_tokens`: whether it gets refresh tokens. @defaultValue `false` */
  readonly hasRefreshTokens: boolean
}
