/**
 * The configuration after parsing: frozen, typed, every default filled in. Nothing behind this type knows TOML.
 *
 * @module
 */

import type { ConfigProblem } from '../errors.js'
import type { LdapUserStoreOptions } from '../users/ldap/ldap-store-options.js'
import type { SqlUserStoreOptions } from '../users/sql/sql-user-store.js'

/** JWS algorithms that tokens can be signed with. */
export type SigningAlgorithm = 'RS256' | 'ES256' | 'EdDSA'

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
  readonly recheckIntervalSeconds: number
  /** `[user_store] recheck_grace`: how long the last verdict holds while the user store is down. */
  readonly recheckGraceSeconds: number
  /** Controls that the file switches on and the facet that enforces each; see {@link EnabledControl}. */
  readonly enabledControls: readonly EnabledControl[]
  /** Tables whose key material a server would need: `['keystore.tls']`, for example. */
  readonly tlsTables: readonly string[]
}

/** A control that the file switches on. `createServer` refuses to start while the facet that enforces it is not mounted. */
export interface EnabledControl {
  /** Key that switches it on, for example `management_api.control_access.enable`. */
  readonly key: string
  /** What has to be mounted for it. */
  readonly facet: 'managementApi' | 'portal' | 'webApps' | 'oauth' | 'console'
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
  readonly afterSeconds: number
  /** Life of its tokens at the most. */
  readonly maxTokenAgeSeconds: number
}

/** `[management_api.jwt_token_security_handler] token_store_config.*` */
export interface TokenStoreConfig {
  /** `max_size`: tokens that are kept at the same time. @defaultValue 200 */
  readonly maxSize: number
  /** `clean_up_interval`: how often expired tokens are removed. @defaultValue 600 (10 minutes) */
  readonly cleanUpIntervalSeconds: number
  /**
   * `remove_oldest_token_on_overflow`: a new token puts another one out of a full store; `false`: it is refused with 503.
   *
   * @defaultValue `true`
   */
  readonly removeOldestOnOverflow: boolean
  /** `undefined`: no cap for one user. */
  readonly maxPerUser: number | undefined
}

/** `[management_api.jwt_token_security_handler] token_config.*` */
export interface TokenConfig {
  /** `expiry`: life of a token. @defaultValue 3600 (1 hour) */
  readonly expirySeconds: number
  /** Bits of the RSA key; not used by the other algorithms. */
  readonly rsaBits: number
  /** `algorithm` (RFC 7518 section 3.1; EdDSA: RFC 8037). @defaultValue `'RS256'` */
  readonly algorithm: SigningAlgorithm
  /** `issuer`: `iss` of the tokens (RFC 7519 section 4.1.1). @defaultValue `'urn:sallyport:management'` */
  readonly issuer: string
  /** `audience`: `aud` of the tokens (RFC 7519 section 4.1.3). @defaultValue `'management-api'` */
  readonly audience: string
  /** Absolute path of a private key (PKCS#8 PEM or JWK) that restarts and several processes share. */
  readonly keyFile: string | undefined
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
  readonly appliesToFileUsers: boolean
}

/** `[[management_api.authorization_handler.resources]]` */
export interface ProtectedResource {
  /** Path relative to the mount, with everything below it. */
  readonly path: string
  /** The methods the rule binds; `undefined`: all. GET includes HEAD. */
  readonly methods: readonly string[] | undefined
  /** Any one of these roles opens the path; `undefined`: only administrators. Administrators always may. */
  readonly roles: readonly string[] | undefined
}

/** `[management_api.cors]` */
export interface CorsConfig {
  /** `enable`, or `enabled` as the documentation of WSO2 spells it. @defaultValue `true` */
  readonly isEnabled: boolean
  /** `['*']`: every origin. */
  readonly allowedOrigins: readonly string[]
  /** Value of `Access-Control-Allow-Headers`, as the operator wrote it. */
  readonly allowedHeaders: string
}

/** `[management_api.login_throttle]` */
export interface LoginThrottleConfig {
  /** `enable`. `false`: guesses are not limited. @defaultValue `true` */
  readonly isEnabled: boolean
  /** Failures of one user from one source within the window that lock the pair. */
  readonly maxFailures: number
  /** `window`: how long a failure counts. @defaultValue 900 (15 minutes) */
  readonly windowSeconds: number
  /** First lock; each further one doubles, up to the window. */
  readonly lockoutSeconds: number
}

/** `[internal_apis]` */
export interface FileUsersConfig {
  /** `file_user_store.enable`: the users below are the user store. */
  readonly isEnabled: boolean
  /** `allow_default_credentials` */
  readonly allowDefaultCredentials: boolean
  /** `[[internal_apis.users]]` */
  readonly users: readonly FileUserConfig[]
}

/** One `[[internal_apis.users]]`. */
export interface FileUserConfig {
  /** `name`, in NFC: 1 to 255 characters, without colons and control characters. */
  readonly name: string
  /** A PHC or bcrypt hash, or a plain password. */
  readonly password: string
  /** `is_admin`. @defaultValue `false` */
  readonly isAdmin: boolean
  /** `roles`, for the rules of `authorization_handler`. @defaultValue none */
  readonly roles: readonly string[]
}

/** `[user_store]` or a `[[user_store.secondary]]`, with the values that WSO2 infers for keys that are not written. */
export type UserStoreConfig = DatabaseConfig | DirectoryConfig

/** What both kinds of user stores have. */
export interface NamedStoreConfig {
  /** The table it comes from, for messages: `user_store` or `user_store.secondary[0]`. */
  readonly key: string
  /** `domain_name`, in capitals: what stands before its users, as in `SALES/alice`. `PRIMARY` unless it is written. */
  readonly domain: string
}

/** A user store in a database. */
export interface DatabaseConfig extends NamedStoreConfig {
  /** `type` of the table; it tells which options are there: here `sql`. */
  readonly type: 'database'
  /** Options of `sqlUserStore`. */
  readonly sql: SqlUserStoreConfig
}

/** A user store in a directory, an Active Directory too. */
export interface DirectoryConfig extends NamedStoreConfig {
  /** `type` of the table; with `read_only_ldap`, users and roles cannot be changed. */
  readonly type: 'read_only_ldap' | 'read_write_ldap'
  /** Options of `ldapUserStore`. */
  readonly ldap: LdapUserStoreConfig
}

/** What the configuration says of a user store in a database: options of `sqlUserStore`. */
export interface SqlUserStoreConfig extends Omit<SqlUserStoreOptions, 'datasource' | 'hashQueue' | 'logger' | 'clock'> {
  /** The `[[datasource]]`. */
  readonly datasource: SqlDatasourceConfig
}

/** `[[datasource]]` */
export interface SqlDatasourceConfig {
  /** `url`, which may hold a password. */
  readonly url: string
  /** `username`; the URL's `user` when absent. */
  readonly username: string | undefined
  /** `password`; the URL's when absent. */
  readonly password: string | undefined
  /** `pool_options.maxActive` */
  readonly maxConnections: number | undefined
  /** Folder that relative file names in the URL start from. */
  readonly home: string
}

/** What the configuration says of a user store in a directory: options of `ldapUserStore`. */
export interface LdapUserStoreConfig extends Omit<LdapUserStoreOptions, 'now'> {}
