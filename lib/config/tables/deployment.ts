/**
 * The whole `deployment.toml`: every table that is read, and nothing else.
 *
 * @module
 */

import type { FileUsersConfig, ManagementApiConfig, ServletFilterConfig } from '../config.js'
import { type Field, flag, table, tables, text } from '../fields.js'
import { portalAccessTable } from './control-access.js'
import {
  type DatasourceTable,
  datasourceTable,
  type RealmManagerTable,
  realmManagerTable,
  type SuperAdminTable,
  superAdminTable,
} from './datasource.js'
import { internalApisTable } from './internal-apis.js'
import {
  customKeyStoresTable,
  type InternalApiSslTable,
  internalApiSslTable,
  type KeyStoresTable,
  type KeyStoreTable,
  keyStoresTable,
  trustStoreTable,
} from './key-stores.js'
import { managementApiTable } from './management-api.js'
import { type OauthTable, oauthTable } from './oauth.js'
import { type PortalTables, portalTables, type TomcatTable, tomcatTable } from './portals.js'
import { servletFiltersTable } from './servlet-filters.js'
import { type TlsTable, transportTable } from './tls.js'
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
  readonly admin_console: { readonly control_access: readonly string[] | undefined }
  readonly web_app: { readonly control_access: readonly string[] | undefined }
  readonly servlet_access_control_filter: readonly ServletFilterConfig[]
  readonly tomcat: TomcatTable
  readonly portal: PortalTables
  readonly oauth: OauthTable | undefined
  readonly keystore: KeyStoresTable
  readonly custom_keystore: Readonly<Record<string, KeyStoreTable>>
  readonly truststore?: KeyStoreTable | undefined
  readonly internal_api_ssl_config?: InternalApiSslTable | undefined
  readonly transport?: TlsTable | undefined
  readonly server: { readonly hostname?: string | undefined }
}

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
  servlet_access_control_filter: servletFiltersTable.prefault([]),
  tomcat: tomcatTable.prefault({}),
  portal: portalTables.prefault({}),
  oauth: oauthTable.prefault({}),
  keystore: keyStoresTable.prefault({}),
  custom_keystore: customKeyStoresTable.prefault({}),
  truststore: trustStoreTable.optional(),
  internal_api_ssl_config: internalApiSslTable.optional(),
  transport: transportTable.optional(),
  server: table({ hostname: text.optional() }).prefault({}),
})
