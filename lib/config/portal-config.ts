/**
 * What the configuration says of portals, of who may call them, and of the authorization server.
 *
 * @module
 */

import type { Origin } from '../core/errors.js'
import type { Language } from '../core/languages.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import type { SigningAlgorithm } from './store-config.js'

/** `[portal]`: what holds for every portal. */
export interface PortalDefaults {
  /** `origins`: further origins that the portals are reached by, where a proxy rewrites `Host`. @defaultValue none */
  readonly origins: readonly string[]
  /** `allow_insecure_http`: whether people may sign in over plain HTTP. @defaultValue `false` */
  readonly allowInsecureHttp: boolean
  /** `cookie_prefix`: what the names of the cookies begin with, after `__Host-`. @defaultValue `'sallyport'` */
  readonly cookiePrefix: string
  /** `languages` of the built-in pages; the first one is for browsers that ask for none of them. @defaultValue `['en', 'de']` */
  readonly languages: readonly Language[]
  /** `max_sessions`: sessions of all portals together that are kept at the same time. @defaultValue 10 000 */
  readonly maxSessions: number
}

/** `[second_factor]` */
export interface SecondFactorConfig {
  /** `key`, as 32 bytes in hex: seals the seeds of users in a database. */
  readonly key: string | undefined
  /** `issuer`: name of the entry in the authenticator app. @defaultValue `'Sallyport'` */
  readonly issuer: string
}

/** One portal: `[portal.<name>]`, with the time-outs of `[tomcat]`. */
export interface PortalConfig {
  /** The argument of `security.portal`: up to 64 letters, digits, `_` and `-`. */
  readonly name: string
  /**
   * `session_timeout`: how long a session may be idle. @defaultValue that of `[tomcat]`: 15 minutes for the console, else 30
   */
  readonly sessionTimeoutMs: number
  /**
   * `absolute_timeout`: when a busy session ends. @defaultValue that of `[portal]`, or 12 hours, or `sessionTimeoutMs` if
   * longer
   */
  readonly absoluteTimeoutMs: number
  /** `roles`: any one lets a user in, and administrators enter; `undefined`: everybody. @defaultValue `[]` for the console */
  readonly roles: readonly string[] | undefined
  /** `title`: what the login page calls it. @defaultValue made of the name */
  readonly title: string | undefined
  /** `support`: where people find help, shown on its pages. @defaultValue not shown */
  readonly support: string | undefined
  /** `logo`: the picture of its pages, as a `data:` URL. @defaultValue none */
  readonly logo: string | undefined
  /** `callback`: where the authorization server sends users back to. */
  readonly callback: string | undefined
  /** `second_factor`: who has to show one. @defaultValue that of `[portal]`, or `'optional'` */
  readonly secondFactor: SecondFactorPolicy
  /** `sign_in`: `local`, and names of identity providers. @defaultValue `['local']` */
  readonly signIn: readonly string[]
  /** `allow`: addresses that may call this portal, besides the other rules by address; `undefined`: all. */
  readonly allow: readonly string[] | undefined
  /** The table of the portal. */
  readonly origin: Origin
}

/** One `[[servlet_access_control_filter]]`. Items are addresses, CIDR blocks or regular expressions, in the syntax of Java. */
export interface ServletFilterConfig {
  /** `filter_name`, which no other filter has. */
  readonly name: string
  /** `url_pattern`, from the root of the server: `/a/path`, `/a/path/*`, `*.extension` or `/`. */
  readonly urlPattern: string
  /** `allow_ip_regex`; `undefined` when it is empty or absent. */
  readonly allow: readonly string[] | undefined
  /** `deny_ip_regex`, which goes before; `undefined` when it is empty or absent. */
  readonly deny: readonly string[] | undefined
  /** `deny_status`. @defaultValue 403 */
  readonly denyStatus: number
  /** The entry of the list. */
  readonly origin: Origin
}

/** `[oauth]`: the authorization server. */
export interface OauthConfig {
  /** `issuer`: an https URL with a path, without a slash at its end; http on this machine, for development. */
  readonly issuer: string
  /** `max_tokens`: live access tokens, and separately sign-ins with all that belongs to them. @defaultValue 10 000 */
  readonly maxTokens: number
  /** `algorithm` of access tokens and ID tokens. @defaultValue `'RS256'` */
  readonly algorithm: SigningAlgorithm
  /** `second_factor`: who has to show one. @defaultValue the strictest of all portals */
  readonly secondFactor: SecondFactorPolicy
  /** `access_token_expiry`. @defaultValue 900_000 (15 minutes) */
  readonly accessTokenMs: number
  /** `refresh_token_expiry`: counted from the sign-in; no refresh extends it. @defaultValue 28_000 800 (8 hours) */
  readonly refreshTokenMs: number
  /** `refresh_reuse_window`: how long a used refresh token gives its client the same successor once more. @defaultValue 0: never */
  readonly refreshReuseMs: number
  /** `backchannel_logout_allow`: addresses that are not public, and that service providers may be told of sign-outs at. @defaultValue none */
  readonly backchannelLogoutAllow: readonly string[]
  /** `[[oauth.service_provider]]`, and those of the portals that have a callback. */
  readonly serviceProviders: readonly ServiceProviderConfig[]
  /** `sign_in`: `local`, and names of identity providers. @defaultValue `['local']` */
  readonly signIn: readonly string[]
  /** `[tomcat.global] session_timeout`: how long after a sign-in the next one needs no password. @defaultValue 1 800 000 */
  readonly signOnIdleMs: number
  /** `[portal] cookie_prefix`: what the names of the cookies begin with. @defaultValue `'sallyport'` */
  readonly cookiePrefix: string
  /** How long a sign-on lasts at the most, with all sessions and grants of it: as long as the longest session of a portal. */
  readonly signOnAbsoluteMs: number
}

/** How a service provider gets tokens: with a user who signs in, or in its own name. */
export type OauthGrant = 'authorization_code' | 'client_credentials'

/** A token that can tell of the user. */
export type ClaimsToken = 'id_token' | 'access_token'

/** How a code comes to a client: in the query or the fragment of its redirect URI, or in a form. */
export type ResponseMode = 'query' | 'fragment' | 'form_post'

/** One `[[oauth.service_provider]]`. PKCE with S256 is mandatory for each. */
export interface ServiceProviderConfig {
  /** `name`: the app, for people. */
  readonly name: string
  /** `client_id`, or `name` without it. */
  readonly clientId: string
  /** `redirect_uris`: compared character by character. */
  readonly redirectUris: readonly string[]
  /** `post_logout_redirect_uris`. @defaultValue none */
  readonly postLogoutRedirectUris: readonly string[]
  /** `client_secret`: PHC or bcrypt hashes, two while a secret is exchanged; none for a public client (`allow_without_client_secret`). */
  readonly secretHashes: readonly string[]
  /** `grants`: how it gets tokens. @defaultValue `['authorization_code']` */
  readonly grants: readonly OauthGrant[]
  /** `audience`, or `resource`: `aud` of its access tokens. @defaultValue the issuer */
  readonly audience: string | undefined
  /** `scopes` it may ask for besides `openid`, `profile` and `roles`. @defaultValue none */
  readonly scopes: readonly string[]
  /**
   * Users with any of these roles, and administrators, get `scopes`; `undefined`: everybody. For WSO2's portals: its `roles`.
   */
  readonly scopeRoles: readonly string[] | undefined
  /** Those of `scopes` that administrators alone get: `apim:admin` for the portals of WSO2. */
  readonly adminScopes: readonly string[]
  /** `claims`: the tokens that tell of the user what the scopes allow, beside `/userinfo`. @defaultValue the ID token */
  readonly claimsIn: readonly ClaimsToken[]
  /** `refresh_tokens`: whether it gets refresh tokens. @defaultValue `false` */
  readonly issueRefreshTokens: boolean
  /** `native`: whether its redirect URIs at an address of this machine are good with any port. @defaultValue `false` */
  readonly isNative: boolean
  /** `response_modes` it may ask for; without asking it asks for `query`. @defaultValue `query` alone */
  readonly responseModes: readonly ResponseMode[]
  /** `backchannel_logout_uri`: told of sign-outs; `undefined`: it is not. */
  readonly backchannelLogoutUri: string | undefined
}
