/**
 * A `[user_store]` of a database.
 *
 * @module
 */

import type { SqlUserStoreConfig } from '../config.js'
import type { DatasourceTable, SuperAdminTable } from '../tables/datasource.js'
import type { StoreTable } from '../tables/user-store.js'
import { effectiveValues } from './inferred-values.js'

/** Turns the keys of a database into options of its store. Relative file names start from `home`. */
export function sqlStore(
  { values: written, index }: StoreTable,
  { username, password, maxConnections }: DatasourceTable,
  { url, home, superAdmin }: { readonly url: string; readonly home: string; readonly superAdmin: SuperAdminTable },
): SqlUserStoreConfig {
  const values = effectiveValues('database', written)
  const writesGroups = values.write_groups ?? true

  return {
    datasource: { url, username, password, maxConnections, home },
    domain: values.domain_name!,
    adminRole: superAdmin.admin_role,
    superAdmin: index === undefined ? superAdmin.username : undefined,
    isReadOnly: values.read_only,
    ignoresCase: values.case_insensitive_username,
    // Who writes groups reads them.
    readsGroups: writesGroups || values.read_groups,
    writesGroups,
    passwordDigest: values.password_digest || undefined,
    isSalted: values.store_salted_password,
    userNamePattern: values.username_java_regex,
    // Left open: the store's tables decide on the rule.
    passwordPattern: written.password_java_regex,
    passwordMessage: written.password_java_regex_violation_error_msg,
    roleNamePattern: values.rolename_java_regex,
    maxUsers: values.max_user_name_list_length,
    maxRoles: values.max_role_name_list_length,
  }
}
