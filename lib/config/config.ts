/**
 * The configuration after parsing: frozen, typed, every default filled in. Nothing behind this type knows TOML.
 *
 * @module
 */

import type { ConfigProblem, Origin } from '../core/errors.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import type { AuditTrailConfig } from './audit-config.js'
import type { IdentityProviderConfig } from './identity-provider-config.js'
import type { ApiTokenConfig, IcpConfig, TrustedIssuerConfig } from './machine-config.js'
import type {
  OauthConfig,
  PortalConfig,
  PortalDefaults,
  SecondFactorConfig,
  ServletFilterConfig,
} from './portal-config.js'
import type {
  FileUsersConfig,
  KeyStoresConfig,
  SharedStoreConfig,
  SigningAlgorithm,
  TlsConfig,
  UserStoreConfig,
} from './store-config.js'

export type * from './audit-config.js'
export type * from './identity-provider-config.js'
export type * from './machine-config.js'
export type * from './portal-config.js'
export type * from './store-config.js'

/** What holds for a path of the management API that no rule names. */
export type DefaultPolicy = 'authenticated' | 'admin' | 'deny'

/** A parsed `deployment.toml`. Each field names the table it comes from. */
export interface Config {
  /** The file the configuration was read from; `undefined` for an object. */
  readonly path: string | undefined
  /** What does not stop the start but should be put right, in the order of the file. */
  readonly warnings: readonly ConfigProblem[]
  /** `[management_api]` */
  readonly managementApi: ManagementApiConfig
  /** `[user_access] make_non_admin_users_read_only` */
  readonly makeNonAdminUsersReadOnly: boolean
  /** `[internal_apis]` */
  readonly fileUsers: FileUsersConfig
  /** `[user_store]`; `undefined` while the users come from the file, or from a store of the app's own. */
  readonly userStore: UserStoreConfig | undefined
  /** `[[user_store.secondary]]` in the order of the file, without those that have `disable = true`; none as above. */
  readonly secondaryUserStores: readonly UserStoreConfig[]
  /** `[user_store] recheck_interval`: how old the rights of a token may get before the account is read again. */
  readonly recheckIntervalMs: number
  /** `[user_store] recheck_grace`: how long the last verdict holds while the user store is down. */
  readonly recheckGraceMs: number
  /** `[admin_console.control_access]`: who may call the management console; `undefined` when it is not enabled. */
  readonly adminConsoleAddresses: readonly string[] | undefined
  /** `[web_app.control_access]`: who may call portals and web apps; `undefined` when it is not enabled. */
  readonly webAppAddresses: readonly string[] | undefined
  /** `[[servlet_access_control_filter]]` in the order of the file. */
  readonly servletFilters: readonly ServletFilterConfig[]
  /** The portals of WSO2's products, and one for each further `[portal.<name>]`. */
  readonly portals: readonly PortalConfig[]
  /** `[portal]` */
  readonly portalDefaults: PortalDefaults
  /** `[[identity_provider]]`, and `[sso]` where a portal names it. */
  readonly identityProviders: readonly IdentityProviderConfig[]
  /** `[oauth]`; `undefined` when it is not enabled. */
  readonly oauth: OauthConfig | undefined
  /** `[second_factor]`; `undefined`: nothing in the file asks for one, and no login looks for one. */
  readonly secondFactor: SecondFactorConfig | undefined
  /** `[shared_store]`; `undefined`: this process shares nothing. */
  readonly sharedStore: SharedStoreConfig | undefined
  /** `[health]` */
  readonly health: HealthConfig
  /** `[metrics]` */
  readonly metrics: MetricsConfig
  /** `[audit_trail]` */
  readonly auditTrail: AuditTrailConfig
  /** `[icp_config]`; `undefined` when it is not enabled. */
  readonly icp: IcpConfig | undefined
  /** `[operator_console] enable`: whether the app may mount the operators' page. */
  readonly isOperatorConsoleEnabled: boolean
  /** Controls that the file switches on and the mount that enforces each; see {@link EnabledControl}. */
  readonly enabledControls: readonly EnabledControl[]
  /** Tables whose key material a server would need: `['keystore.tls']`, for example. */
  readonly tlsTables: readonly string[]
  /** `[keystore.*]` and the other key stores. None is opened before something uses it. */
  readonly keyStores: KeyStoresConfig
  /** What a server speaks over TLS. */
  readonly tls: TlsConfig
}

/** A control that the file switches on. `createServer` refuses to start while the mount that enforces it is missing. */
export interface EnabledControl {
  /** Key that switches it on, for example `management_api.control_access.enable`. */
  readonly key: string
  /** What has to be mounted for it. */
  readonly mount: 'managementApi' | 'portal' | 'webApps' | 'oauth' | 'console'
  /** Another mount that enforces it too: either will do. */
  readonly orMount?: EnabledControl['mount']
  /** The one portal that enforces it, where `mount` is `portal` and no other portal will do. */
  readonly portal?: string
}

/** `[health]` */
export interface HealthConfig {
  /** `allow`: who may ask `/health/live` and `/health/ready`; `undefined`: everybody. */
  readonly allowedNetworks: readonly string[] | undefined
}

/** `[metrics]` */
export interface MetricsConfig {
  /** `allow`: who may read `/metrics` without a login. */
  readonly allowedNetworks: readonly string[]
}

/** `[management_api]` */
export interface ManagementApiConfig {
  /** `protocols` */
  readonly protocols: readonly ('http' | 'https')[]
  /** Whether `protocols` is written in the file: then plain HTTP is what the operator asked for. */
  readonly areProtocolsExplicit: boolean
  /** `jwt_token_security_handler.enable` */
  readonly isJwtEnabled: boolean
  /** `basic_security_handler.enable` */
  readonly isBasicEnabled: boolean
  /** `jwt_token_security_handler.token_store_config` */
  readonly tokenStore: TokenStoreConfig
  /** `jwt_token_security_handler.token_config` */
  readonly token: TokenConfig
  /** `authorization_handler` */
  readonly authorization: AuthorizationConfig
  /** `public_paths`: paths that need no authentication for GET and HEAD, exactly as spelled. */
  readonly publicPaths: readonly string[]
  /** `cors` */
  readonly cors: CorsConfig
  /** `control_access`; `undefined` when it is not enabled. */
  readonly allowedNetworks: readonly string[] | undefined
  /** `login_throttle` */
  readonly loginThrottle: LoginThrottleConfig
  /** `break_glass`; `undefined` when it is not enabled. */
  readonly breakGlass: BreakGlassConfig | undefined
  /** `second_factor`: who has to show one; `undefined`: users who have one. */
  readonly secondFactor: SecondFactorPolicy | undefined
  /** `otp_separator`: what stands between password and code; `undefined`: codes are taken from `X-OTP` alone. */
  readonly otpSeparator: string | undefined
  /** `trusted_issuer`; `undefined`: only tokens of our own. */
  readonly trustedIssuer: TrustedIssuerConfig | undefined
  /** `[[management_api.api_tokens]]` */
  readonly apiTokens: readonly ApiTokenConfig[]
}

/** `[management_api.break_glass]`: an account for the time when the user store cannot be reached. */
export interface BreakGlassConfig {
  /** `user`: a name without colons and slashes, in no domain. */
  readonly userName: string
  /** A PHC or bcrypt hash, never a plain password. */
  readonly passwordHash: string
  /** The addresses and networks it may be used from. */
  readonly allowedNetworks: readonly string[]
  /** How long the user store must have been unreachable. */
  readonly afterMs: number
  /** Life of its tokens at the most. */
  readonly maxTokenAgeMs: number
}

/** `[management_api.authorization_handler]` */
export interface AuthorizationConfig {
  /** `enable`. `false`: no path needs an administrator or a role. @defaultValue `true` */
  readonly isEnabled: boolean
  /** `resources`; `/roles` has those of `/users` unless it has its own. @defaultValue `/users`, `/roles`, `/configs` */
  readonly resources: readonly ProtectedResource[]
  /** `default_policy`: what holds for a path that no rule names. @defaultValue `'authenticated'` */
  readonly defaultPolicy: DefaultPolicy
  /** `apply_to_file_users`. `false`: none of these rules binds users from the file. @defaultValue `true` */
  readonly applyToFileUsers: boolean
}

/** `[[management_api.authorization_handler.resources]]` */
export interface ProtectedResource {
  /** Path relative to the mount, with everything below it. */
  readonly path: string
  /** The methods the rule binds; `undefined`: all. GET includes HEAD. */
  readonly methods: readonly string[] | undefined
  /** Any one of these roles opens the path; `undefined`: only administrators. Administrators always may. */
  readonly roles: readonly string[] | undefined
  /** The entry of the list, or the list for a default. */
  readonly origin: Origin
}

/** `[management_api.cors]` */
export interface CorsConfig {
  /** `enable`, or `enabled` as the documentation of WSO2 spells it. @defaultValue `true` */
  readonly isEnabled: boolean
  /** `['*']`: every origin. */
  readonly allowedOrigins: readonly string[]
  /** Value of `Access-Control-Allow-Headers`, as the operator wrote it. */
  readonly allowedHeaders: string
  /** The table. */
  readonly origin: Origin
}

/** `[management_api.login_throttle]` */
export interface LoginThrottleConfig {
  /** `enable`. `false`: guesses are not limited. @defaultValue `true` */
  readonly isEnabled: boolean
  /** Failures of one user from one source within the window that lock the pair. */
  readonly maxFailures: number
  /** `window`: how long a failure counts. @defaultValue 900_000 (15 minutes) */
  readonly windowMs: number
  /** First lock; each further one doubles, up to the window. */
  readonly lockoutMs: number
}

/** `[management_api.jwt_token_security_handler] token_store_config.*` */
export interface TokenStoreConfig {
  /** `max_size`: tokens that are kept at the same time. @defaultValue 200 */
  readonly maxSize: number
  /** `clean_up_interval`: how often expired tokens are removed. @defaultValue 600_000 (10 minutes) */
  readonly cleanUpIntervalMs: number
  /** `remove_oldest_token_on_overflow`; `false`: a full store refuses a new token with 503. @defaultValue `true` */
  readonly removeOldestOnOverflow: boolean
  /** `undefined`: no cap for one user. */
  readonly maxPerUser: number | undefined
  /** `undefined`: tokens, sessions and grants end with the process. */
  readonly snapshot: SnapshotConfig | undefined
}

/** `[management_api.jwt_token_security_handler] token_store_config.snapshot_*` */
export interface SnapshotConfig {
  /** `snapshot_file`: absolute path. */
  readonly file: string
  /** `snapshot_interval` @defaultValue 5000 (5 seconds) */
  readonly intervalMs: number
  /** `snapshot_max_age`: of an older one nothing is taken. @defaultValue 600_000 (10 minutes) */
  readonly maxAgeMs: number
}

/** `[management_api.jwt_token_security_handler] token_config.*` */
export interface TokenConfig {
  /** `expiry`: life of a token. @defaultValue 3_600_000 (1 hour) */
  readonly expiryMs: number
  /** Bits of the RSA key; not used by the other algorithms. */
  readonly rsaBits: number
  /** `algorithm` (RFC 7518, RFC 8037); `undefined`: the key of `keyFile` or `keyStore` decides. @defaultValue `'RS256'` */
  readonly algorithm: SigningAlgorithm | undefined
  /** `issuer`: `iss` of the tokens (RFC 7519 section 4.1.1). @defaultValue `'urn:sallyport:management'` */
  readonly issuer: string
  /** `audience`: `aud` of the tokens (RFC 7519 section 4.1.3). @defaultValue `'management-api'` */
  readonly audience: string
  /** Absolute path of a private key (PKCS#8 PEM or JWK) that restarts and several processes share. */
  readonly keyFile: string | undefined
  /** `keystore`: name of the key store whose key signs: `primary`, `internal`, `tls`, or that of a `[custom_keystore.*]`. */
  readonly keyStore: string | undefined
  /** The key before it, which verifies until its time is up. */
  readonly previousKeyStore: PreviousKeyStore | undefined
}

/** `token_config.previous_keystore` and `previous_until` */
export interface PreviousKeyStore {
  /** Name of a key store, as in {@link TokenConfig.keyStore}. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly verifyUntil: number
}
