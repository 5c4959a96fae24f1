/**
 * `sallyport/ldap`: users from an LDAP directory.
 *
 * @module
 */

export type { ObserveQuery } from './core/query-observer.js'
export { LdapError, type LdapErrorKind } from './users/ldap/ldap-error.js'
export type { LdapUserStoreOptions } from './users/ldap/ldap-store-options.js'
export type { LdapStoreWarning } from './users/ldap/ldap-store-settings.js'
export { type LdapUserStore, ldapUserStore } from './users/ldap/ldap-user-store.js'
export type { StorePatterns } from './users/store-rules.js'
