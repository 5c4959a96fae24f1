/**
 * The whole `deployment.toml`: every table that is read, and nothing else.
 *
 * @module
 */

import type { FileUsersConfig, ManagementApiConfig } from '../config.js'
import { duration, type Field, flag, integer, table, tables, text } from '../fields.js'
import { type PortalAccessTable, portalAccessTable } from './control-access.js'
import {
  type DatasourceTable,
  datasourceTable,
  type RealmManagerTable,
  realmManagerTable,
  type SuperAdminTable,
  superAdminTable,
} from './datasource.js'
import { internalApisTable } from './internal-apis.js'
import { managementApiTable } from './management-api.js'
import { type UserStoreTable, userStoreTable } from './user-store.js'

/** What the tables of the file say, each value read and every default filled in. */
export interface Deployment {
  readonly management_api: ManagementApiConfig
  readonly internal_apis: FileUsersConfig
  readonly user_access: { readonly make_non_admin_users_read_only: boolean }
  readonly user_store: UserStoreTable
  readonly datasource: readonly (DatasourceTable | undefined)[]
  readonly realm_manager: RealmManagerTable
  readonly super_admin: SuperAdminTable
  readonly admin_console: { readonly control_access: PortalAccessTable }
  readonly web_app: { readonly control_access: PortalAccessTable }
  readonly servlet_access_control_filter: readonly unknown[]
  readonly tomcat: unknown
  readonly oauth: { readonly enable: boolean }
}

/** WSO2 takes a bare number as minutes. */
const sessionTable = table({ session_timeout: duration('m').optional() }).prefault({})

const servletFilter = table({
  filter_name: text.optional(),
  url_pattern: text.optional(),
  allow_ip_regex: text.optional(),
  deny_ip_regex: text.optional(),
  deny_status: integer(400, 599).optional(),
})

/** Reads the tables. */
export const deploymentTable: Field<Deployment> = table({
  management_api: managementApiTable.prefault({}),
  internal_apis: internalApisTable.prefault({}),
  user_access: table({ make_non_admin_users_read_only: flag.prefault(false) }).prefault({}),
  user_store: userStoreTable.prefault({}),
  datasource: tables(datasourceTable).prefault([]),
  realm_manager: realmManagerTable.prefault({}),
  super_admin: superAdminTable.prefault({}),
  admin_console: table({ control_access: portalAccessTable.prefault({}) }).prefault({}),
  web_app: table({ control_access: portalAccessTable.prefault({}) }).prefault({}),
  servlet_access_control_filter: tables(servletFilter).prefault([]),
  tomcat: table({ management_console: sessionTable, global: sessionTable }).prefault({}),
  oauth: table({ enable: flag.prefault(false), max_tokens: integer(1, 10_000_000).optional() }).prefault({}),
})
