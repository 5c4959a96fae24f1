/**
 * Values that WSO2 infers for keys of `[user_store]` that are not written, by kind of store.
 *
 * @module
 */

import type { StoreKind } from './user-store.js'
import type { UserStoreValues } from './user-store-keys.js'

const name = '[a-zA-Z0-9._\\-|//]{3,30}$'

const anyStore: UserStoreValues = {
  password_java_regex: '^[\\S]{5,30}$',
  max_user_name_list_length: 100,
  max_role_name_list_length: 100,
}

const directory: UserStoreValues = {
  ...anyStore,
  connection_url: 'ldap://localhost:10389',
  user_name_attribute: 'uid',
  user_name_search_filter: '(&(objectClass=person)(uid=?))',
  user_name_list_filter: '(objectClass=person)',
  group_name_attribute: 'cn',
  group_name_search_filter: '(&(objectClass=groupOfNames)(cn=?))',
  group_name_list_filter: '(objectClass=groupOfNames)',
  membership_attribute: 'member',
  username_java_regex: name,
  rolename_java_regex: name,
  password_hash_method: 'PLAIN_TEXT',
  ldap_connection_timeout: 5000,
}

const writableDirectory: UserStoreValues = {
  ...directory,
  user_entry_object_class: 'identityPerson',
  group_entry_object_class: 'groupOfNames',
  write_groups: true,
  start_tls_enabled: false,
}

const activeDirectory: UserStoreValues = {
  ...writableDirectory,
  user_name_attribute: 'cn',
  user_name_search_filter: '(&(objectClass=user)(cn=?))',
  user_name_list_filter: '(objectClass=user)',
  user_entry_object_class: 'user',
  group_name_search_filter: '(&(objectClass=group)(cn=?))',
  group_name_list_filter: '(objectCategory=group)',
  group_entry_object_class: 'group',
  member_of_attribute: 'memberOf',
}

const database: UserStoreValues = {
  ...anyStore,
  username_java_regex: '^[\\S]{3,30}$',
  rolename_java_regex: '^[\\S]{3,30}$',
  read_groups: true,
  write_groups: true,
  read_only: false,
  case_insensitive_username: true,
  password_digest: 'SHA-256',
  store_salted_password: true,
}

const inferredByKind: Readonly<Record<StoreKind, UserStoreValues>> = {
  read_only_ldap: directory,
  read_write_ldap: writableDirectory,
  active_directory: activeDirectory,
  database,
}

const defaultBaseDn = 'dc=wso2,dc=org'

/** What is written, and for the rest what WSO2 infers. Search bases are inferred below `base_dn`. */
export function effectiveValues(kind: StoreKind, written: UserStoreValues): UserStoreValues {
  const own = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined)) as UserStoreValues
  if (kind === 'database') return { ...inferredByKind[kind], ...own }
  const baseDn = own.base_dn || defaultBaseDn
  const bases = { user_search_base: `ou=Users,${baseDn}`, group_search_base: `ou=Groups,${baseDn}` }
  return { ...inferredByKind[kind], ...bases, ...own }
}
