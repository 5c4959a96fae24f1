/**
 * The whole `deployment.toml`. A new key of the file is added to the schema of its table.
 *
 * @module
 */

import type * as z from 'zod'
import { auditTrailTable } from './audit-trail.js'
import { consoleAccessTable, servletFiltersTable, webAppAccessTable } from './control-access.js'
import { flag, table, tables, text } from './fields.js'
import { healthTable, metricsTable } from './health.js'
import { identityProvidersTable, ssoTable } from './identity-provider.js'
import { internalApisTable } from './internal-apis.js'
import { customKeyStoresTable, internalApiSslTable, keyStoresTable, keyStoreTable } from './key-stores.js'
import { icpConfigTable } from './machines.js'
import { managementApiTable } from './management-api.js'
import { oauthTable } from './oauth.js'
import { operatorConsoleTable } from './operator-console.js'
import { portalTables, tomcatTable } from './portals.js'
import { secondFactorTable } from './second-factor.js'
import { sharedStoreTable } from './shared-store.js'
import { transportTable } from './tls.js'
import { datasourceTable, realmManagerTable, superAdminTable } from './user-store/datasource.js'
import { userStoreTable } from './user-store/user-store.js'

/** What the tables of the file say, each value read and every default filled in. */
export type Deployment = z.output<typeof deploymentTable>

export const deploymentTable = table({
  management_api: managementApiTable.prefault({}),
  internal_apis: internalApisTable.prefault({}),
  user_access: table({
    make_non_admin_users_read_only: flag
      .prefault(false)
      .describe('`true`: a user who is no administrator may only read'),
  }).prefault({}),
  user_store: userStoreTable.prefault({}),
  datasource: tables(datasourceTable).prefault([]),
  realm_manager: realmManagerTable.prefault({}),
  super_admin: superAdminTable.prefault({}),
  admin_console: table({ control_access: consoleAccessTable.prefault({}) }).prefault({}),
  web_app: table({ control_access: webAppAccessTable.prefault({}) }).prefault({}),
  servlet_access_control_filter: servletFiltersTable.prefault([]),
  tomcat: tomcatTable.prefault({}),
  portal: portalTables.prefault({}),
  oauth: oauthTable.prefault({}),
  second_factor: secondFactorTable.prefault({}),
  identity_provider: identityProvidersTable.prefault([]),
  sso: ssoTable.prefault({}),
  shared_store: sharedStoreTable.optional(),
  health: healthTable.prefault({}),
  metrics: metricsTable.prefault({}),
  audit_trail: auditTrailTable.prefault({}),
  icp_config: icpConfigTable.prefault({}),
  operator_console: operatorConsoleTable.prefault({}),
  keystore: keyStoresTable.prefault({}),
  custom_keystore: customKeyStoresTable.prefault({}),
  truststore: keyStoreTable.optional(),
  internal_api_ssl_config: internalApiSslTable.optional(),
  transport: transportTable.optional(),
  server: table({
    hostname: text
      .optional()
      .describe('name in the self-signed certificate for development')
      .meta({ absent: '`"localhost"`' }),
  }).prefault({}),
})
