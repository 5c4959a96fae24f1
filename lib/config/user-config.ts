/**
 * What the configuration says of users and where they are kept.
 *
 * @module
 */

import type { LdapUserStoreOptions } from '../users/ldap/ldap-store-options.js'
import type { SqlUserStoreOptions } from '../users/sql/sql-user-store.js'

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

/** A user store that nothing here can open: the front starts, and every login answers 503. */
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
