/**
 * A `[user_store]` of a directory.
 *
 * @module
 */

import { resolve } from 'node:path'
import type { LdapUserStoreConfig } from '../config.js'
import type { SuperAdminTable } from '../tables/datasource.js'
import type { StoreTable } from '../tables/user-store.js'
import { effectiveValues } from './inferred-values.js'
import { ldapOptionsOf } from './ldap-properties.js'

/** What WSO2 binds with where the file has nothing: the account of the directory that it used to be shipped with. */
const inferredAccount = { connection_name: 'uid=admin,ou=system', connection_password: 'admin' }

/** Turns the keys of a directory into options of its store. Relative file names start from `home`. */
export function ldapStore(
  { values: written, properties, index }: StoreTable,
  kind: 'read_only_ldap' | 'read_write_ldap' | 'active_directory',
  { home, superAdmin }: { readonly home: string; readonly superAdmin: SuperAdminTable },
): LdapUserStoreConfig {
  const namesAccount = written.connection_name !== undefined || written.connection_password !== undefined
  const account = namesAccount || written.anonymous_bind === true ? written : inferredAccount
  const values = effectiveValues(kind, written)
  const isReadOnly = kind === 'read_only_ldap' || (values.read_only ?? false)
  const writesGroups = !isReadOnly && (values.write_groups ?? true)

  return {
    ...ldapOptionsOf(properties),
    connectionUrl: values.connection_url!,
    connectionName: account.connection_name,
    connectionPassword:
      account.connection_password ?? (account.connection_name ? inferredAccount.connection_password : undefined),
    isAnonymous: values.anonymous_bind ?? false,
    startTls: values.start_tls_enabled ?? false,
    caFile: values.ca_file ? resolve(home, values.ca_file) : undefined,
    verifiesCertificate: values.ssl_certificate_validation_enabled,
    connectTimeoutMs: values.ldap_connection_timeout,
    readTimeoutMs: values.read_timeout,
    connectionRetryDelayMs: values.connection_retry_delay,
    keepsConnections: values.connection_pooling_enabled,
    baseDn: written.base_dn || undefined,
    userSearchBase: values.user_search_base!,
    userNameAttribute: values.user_name_attribute,
    userNameSearchFilter: values.user_name_search_filter,
    userNameListFilter: values.user_name_list_filter,
    userDnPattern: values.user_dn_pattern,
    userEntryObjectClass: values.user_entry_object_class,
    ignoresCase: values.case_insensitive_username,
    maxUsers: values.max_user_name_list_length,
    isActiveDirectory: kind === 'active_directory',
    // Who writes groups reads them. Left open for others, so that the store can say what WSO2 would do.
    readsGroups: writesGroups ? true : values.read_groups,
    writesGroups,
    groupSearchBase: values.group_search_base,
    groupNameAttribute: values.group_name_attribute,
    groupNameSearchFilter: values.group_name_search_filter,
    groupNameListFilter: values.group_name_list_filter,
    groupEntryObjectClass: values.group_entry_object_class,
    membershipAttribute: values.membership_attribute,
    memberOfAttribute: values.member_of_attribute,
    nestedGroupDepth: values.nested_group_depth,
    maxRoles: values.max_role_name_list_length,
    passwordHashMethod: values.password_hash_method,
    userNamePattern: values.username_java_regex,
    passwordPattern: values.password_java_regex,
    roleNamePattern: values.rolename_java_regex,
    isReadOnly,
    domain: values.domain_name!,
    adminRole: superAdmin.admin_role,
    superAdmin: index === undefined ? superAdmin.username : undefined,
  }
}
