/**
 * What the configuration says of TLS, key stores, user stores and the shared store.
 *
 * @module
 */

import type { ConfigProblem } from '../core/errors.js'
import type { LdapUserStoreOptions } from '../users/ldap/ldap-store-options.js'
import type { SqlUserStoreOptions } from '../users/sql/sql-user-store.js'

/** JWS algorithms that tokens can be signed with. */
export type SigningAlgorithm = 'RS256' | 'ES256' | 'EdDSA'

/** Whether clients have to show a certificate. */
export type ClientCertificates = 'none' | 'optional' | 'required'

/** Versions and cipher suites after narrowing to what is safe, and what clients have to show. */
export interface TlsConfig {
  /** `httpsProtocols`, or that of `[transport.https]`. @defaultValue `'TLSv1.2'` */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  /** As above. @defaultValue `'TLSv1.3'` */
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  /** `preferredCiphers`, or that of `[transport.https]`, by OpenSSL's names. @defaultValue every suite that is safe */
  readonly cipherSuites: readonly string[]
  /** `sslVerifyClient`, or that of `[transport.https]`. @defaultValue `'none'` */
  readonly clientCertificates: ClientCertificates
  /** `[server] hostname`, for the self-signed certificate for development. @defaultValue `'localhost'` */
  readonly hostName: string
}

/** The key stores of a configuration. What one of them does not say it takes from another, as WSO2 has it. */
export interface KeyStoresConfig {
  /** `[keystore.primary]`; WSO2's own store when it is not written. */
  readonly primary: KeyStoreConfig
  /** `[keystore.internal]`; the primary one when it is not written. */
  readonly internal: KeyStoreConfig
  /** `[keystore.tls]`; `undefined` when it is not written. */
  readonly tls: KeyStoreConfig | undefined
  /** `[internal_api_ssl_config] key_store`, the primary one without it; `undefined` when the table is not written. */
  readonly internalApi: KeyStoreConfig | undefined
  /** `[truststore]`; WSO2's own when it is not written. */
  readonly trust: KeyStoreConfig
  /** `[internal_api_ssl_config] trust_store`; `[truststore]` when it is not written. */
  readonly internalApiTrust: KeyStoreConfig
  /** `[custom_keystore.<name>]`, by name. */
  readonly custom: Readonly<Record<string, KeyStoreConfig>>
}

/** One key store. */
export interface KeyStoreConfig {
  /** The table it comes from, for messages: `keystore.primary`. */
  readonly key: string
  /** Names of the keys in its table, for messages. */
  readonly keyNames: Readonly<Record<'file' | 'keyFile' | 'password' | 'alias' | 'keyPassword', string>>
  /** `file_name`, or `location`. */
  readonly fileName: string
  /** Whether the configuration names a file for it; else `fileName` is WSO2's own. */
  readonly isFileGiven: boolean
  /** Whether `fileName` is where WSO2's products have the store they come with. */
  readonly isWso2Default: boolean
  /** `key_file`: the private key, where a PEM file of `fileName` has only certificates. */
  readonly keyFileName: string | undefined
  /** Where relative names are looked for, in this order, and then in `repository/resources/security` below each. */
  readonly folders: readonly string[]
  /** `type`, as declared: the content tells the real one. */
  readonly type: string | undefined
  /** `password`. @defaultValue `'wso2carbon'`, as in WSO2 */
  readonly password: string
  /** Whether the configuration gives the password; else `password` is WSO2's. */
  readonly isPasswordGiven: boolean
  /** `alias`; `undefined`: the only key of the store, or the one named `wso2carbon`. */
  readonly alias: string | undefined
  /** `key_password`; `undefined`: the password of the store. */
  readonly keyPassword: string | undefined
  /** Values that could not be expanded; a mistake for whatever opens this store, and for nothing else. */
  readonly problems: readonly ConfigProblem[]
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
  /** `totp`: the seed of the user's authenticator app, in base32. @defaultValue none */
  readonly totp?: string | undefined
}

/** `[user_store]` or a `[[user_store.secondary]]`, with the values that WSO2 infers for keys that are not written. */
export type UserStoreConfig = DatabaseConfig | DirectoryConfig | UnavailableStoreConfig

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
  /** The table of the database, for messages: `datasource[0]`. */
  readonly datasourceKey: string
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

/** A user store that nothing here can open: the server starts, and every login answers 503. */
export interface UnavailableStoreConfig extends NamedStoreConfig {
  /** What stands for the `type` of the table. */
  readonly type: 'unavailable'
  /** Why, for the log. */
  readonly reason: string
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

/** `[shared_store]`: where processes share tokens, sessions and login counters. */
export type SharedStoreConfig = RedisSharedStoreConfig | SqlSharedStoreConfig

/** What `[shared_store]` has of each type. */
export interface CommonSharedStoreConfig {
  /** `key_prefix`: which of the data in the store is meant. @defaultValue `'sallyport'` */
  readonly keyPrefix: string
  /**
   * `max_staleness`: how long after a logout another process may take the token.
   *
   * @defaultValue 1000; 0 with `type = "sql"`
   */
  readonly maxStalenessMs: number
  /** `max_staleness_on_failure`: how long checked tokens pass while the store is down; 0 for `on_store_failure = "deny"`. */
  readonly maxStalenessOnFailureMs: number
}

/** `[shared_store] type = "sql"`: a database. */
export interface SqlSharedStoreConfig extends CommonSharedStoreConfig {
  /** `type` */
  readonly type: 'sql'
  /** The table of the database, for messages: `datasource[0]`. */
  readonly datasourceKey: string
  /** The `[[datasource]]` that `data_source` names. */
  readonly datasource: SqlDatasourceConfig
}

/** `[shared_store] type = "redis"` */
export interface RedisSharedStoreConfig extends CommonSharedStoreConfig {
  /** `type` */
  readonly type: 'redis'
  /** `redis://` or `rediss://`. It may have a password in it. */
  readonly url: string
  /** Absolute path of a PEM file. */
  readonly caFile: string | undefined
  /** `user` */
  readonly username: string | undefined
  /** `password` */
  readonly password: string | undefined
  /** `replicas_to_confirm`: how many replicas have a revocation before it is answered. @defaultValue 0 */
  readonly replicasToConfirm: number
  /** `[shared_store.sentinel]` */
  readonly sentinel:
    | {
        /** `master_name` */
        readonly name: string
        /** `host:port` of each */
        readonly nodes: readonly string[]
        /** `user` */
        readonly username: string | undefined
        /** `password` */
        readonly password: string | undefined
      }
    | undefined
}
