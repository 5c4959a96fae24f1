/**
 * `[[datasource]]`, `[realm_manager]` and `[super_admin]`: what user stores share.
 *
 * @module
 */

import { type Field, integer, table, text, textOrNone } from '../fields.js'

/** One `[[datasource]]`. */
export interface DatasourceTable {
  readonly id: string | undefined
  readonly url: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  /** `pool_options.maxActive`; `undefined` for what is not a limit. */
  readonly maxConnections: number | undefined
}

/** One database. Which of its keys are needed depends on whether it is used. */
export const datasourceTable: Field<DatasourceTable> = table({
  id: text.optional(),
  url: text.optional(),
  username: text.optional(),
  password: text.optional(),
  pool_options: table({ maxActive: integer(-1, 10_000).optional() }).prefault({}),
}).transform(
  ({ id, url, username, password, pool_options: { maxActive = 0 } }): DatasourceTable => ({
    id,
    url: url?.replaceAll('&amp;', '&'),
    username,
    password,
    maxConnections: maxActive > 0 ? maxActive : undefined,
  }),
)

/** What `[super_admin]` says. */
export interface SuperAdminTable {
  readonly username: string
  readonly admin_role: string
}

/** Whom nobody removes, and the role of administrators. The password is not read: no account is made of it. */
export const superAdminTable: Field<SuperAdminTable> = table({
  username: textOrNone.prefault('admin').transform((name = 'admin') => name),
  admin_role: textOrNone.prefault('admin').transform((name = 'admin') => name),
})

/** What `[realm_manager]` says. */
export interface RealmManagerTable {
  /** `id` of the `[[datasource]]` with the users. */
  readonly data_source: string
}

/** The database of users. */
export const realmManagerTable: Field<RealmManagerTable> = table({
  data_source: textOrNone.prefault('WSO2CarbonDB').transform((id = 'WSO2CarbonDB') => id),
})
