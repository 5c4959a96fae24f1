/**
 * A `[user_store]` of a directory.
 *
 * @module
 */

import { resolve } from 'node:path'
import type { Finding } from '../../checks/findings.js'
import type { LdapUserStoreConfig } from '../../config.js'
import type { KeyPath } from '../../values/key-path.js'
import type { Deployment } from '../deployment.js'
import { effectiveValues } from './inferred-values.js'
import type { StoreTable } from './user-store.js'

/** What WSO2 binds with where the file has nothing: the account of the directory that it used to be shipped with. */
const inferredAccount = { connection_name: 'uid=admin,ou=system', connection_password: 'admin' }

/** Relative file names start from `home`. */
export function createLdapStore(
  { values: written, properties, index }: StoreTable,
  kind: 'read_only_ldap' | 'read_write_ldap' | 'active_directory',
  { home, superAdmin }: { readonly home: string; readonly superAdmin: Deployment['super_admin'] },
): LdapUserStoreConfig {
  const namesAccount = written.connection_name !== undefined || written.connection_password !== undefined
  const account = namesAccount || written.anonymous_bind === true ? written : inferredAccount
  const values = effectiveValues(kind, written)
  const isReadOnly = kind === 'read_only_ldap' || (values.read_only ?? false)
  const writeGroups = !isReadOnly && (values.write_groups ?? true)

  return {
    refuseReferrals: readWord(properties, 'Referral') === 'throw',
    allowOuterBlanks: readWord(properties, 'LeadingOrTrailingSpaceAllowedInUserName') !== 'false',
    connectionUrl: values.connection_url!,
    connectionName: account.connection_name,
    connectionPassword:
      account.connection_password ?? (account.connection_name ? inferredAccount.connection_password : undefined),
    bindAnonymously: values.anonymous_bind ?? false,
    startTls: values.start_tls_enabled ?? false,
    caFile: values.ca_file ? resolve(home, values.ca_file) : undefined,
    verifyCertificate: values.ssl_certificate_validation_enabled,
    connectTimeoutMs: values.ldap_connection_timeout,
    readTimeoutMs: values.read_timeout,
    connectionRetryDelayMs: values.connection_retry_delay,
    keepConnections: values.connection_pooling_enabled,
    baseDn: written.base_dn || undefined,
    userSearchBase: values.user_search_base!,
    userNameAttribute: values.user_name_attribute,
    userNameSearchFilter: values.user_name_search_filter,
    userNameListFilter: values.user_name_list_filter,
    userDnPattern: values.user_dn_pattern,
    userEntryObjectClass: values.user_entry_object_class,
    ignoreCase: values.case_insensitive_username,
    maxUsers: values.max_user_name_list_length,
    activeDirectory: kind === 'active_directory',
    // Who writes groups reads them. Left open for others, so that the store can say what WSO2 would do.
    readGroups: writeGroups ? true : values.read_groups,
    writeGroups,
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
    readOnly: isReadOnly,
    domain: values.domain_name!,
    adminRole: superAdmin.admin_role,
    superAdmin: index === undefined ? superAdmin.username : undefined,
  }
}

/** Each with the values that are known, in lower case, and what to write instead of others. */
const refused: readonly (readonly [property: string, known: readonly string[], rule: string])[] = [
  [
    'IsEmailUserName',
    ['', 'false'],
    'is not followed: take it out, and name the attribute with the address in user_name_attribute',
  ],
  ['Referral', ['', 'ignore', 'throw', 'follow'], 'must be "ignore", "throw" or "follow"'],
  ['LeadingOrTrailingSpaceAllowedInUserName', ['', 'true', 'false'], 'must be true or false'],
]

/**
 * Reports what one directory's keys and properties ask for that is not done. A property without a key does here what it does
 * with WSO2, or is a mistake.
 *
 * Harmless, and left alone: what caches (`UserDNCacheEnabled`, `UserRolesCacheEnabled`), what chooses Java's library
 * (`LDAPInitialContextFactory`, `java.naming.ldap.attributes.binary`), tenants, claims, SCIM, bulk import and Carbon's own pages.
 * `MembershipAttributeRange` and `MaxSearchQueryTime` need no value: parts of values are asked for as they come, and a search
 * ends at `read_timeout`. `BackLinksEnabled`, `RoleDNPattern`, `EmptyRolesAllowed` and `kdcEnabled` change how WSO2 writes.
 */
export function checkLdapProperties(
  { properties, values }: StoreTable,
  path: KeyPath,
  mistake: (finding: Finding) => void,
): void {
  const { connection_name: name = '', connection_password: password } = values
  if (name !== '' && password === '') {
    mistake({ path: [...path, 'connection_password'], rule: 'must not be empty beside connection_name' })
  }
  if (name === '' && password) {
    mistake({ path: [...path, 'connection_name'], rule: 'must be written beside connection_password' })
  }
  for (const [property, known, rule] of refused) {
    if (!known.includes(readWord(properties, property))) mistake({ path: [...path, 'properties', property], rule })
  }
  if (readWord(properties, 'URLOfDNS') !== '' && !values.connection_url) {
    const rule = 'is not followed: name the servers in connection_url, with a blank between two'
    mistake({ path: [...path, 'properties', 'URLOfDNS'], rule })
  }
}

function readWord(properties: StoreTable['properties'], name: string): string {
  return String(properties[name] ?? '')
    .trim()
    .toLowerCase()
}
