/**
 * The user stores that a configuration names, with what each needs from other tables.
 *
 * @module
 */

import type { UserStoreConfig } from '../config.js'
import type { Finding } from '../findings.js'
import { formatKey, type KeyPath } from '../key-path.js'
import type { DatasourceTable, RealmManagerTable, SuperAdminTable } from '../tables/datasource.js'
import { isKnownClass, type StoreTable, type UserStoreTable } from '../tables/user-store.js'
import { type CarbonDatabase, reasonOf } from './carbon-database.js'
import { datasourceId } from './datasource-id.js'
import { checkJdbcProperties } from './jdbc-properties.js'
import { checkLdapProperties } from './ldap-properties.js'
import { ldapStore } from './ldap-store.js'
import { sqlStore } from './sql-store.js'

/** The tables that user stores are made of. */
export interface UserStoreTables {
  readonly user_store: UserStoreTable
  readonly datasource: readonly (DatasourceTable | undefined)[]
  readonly realm_manager: RealmManagerTable
  readonly super_admin: SuperAdminTable
}

/** Databases that there is a driver for. */
const knownUrl = /^\s*jdbc:(?:postgresql|mysql|mariadb|sqlite):/i

/** Lists the stores, the primary one first; those that cannot be made are reported. */
export function userStoresOf(
  { user_store, datasource, realm_manager, super_admin: superAdmin }: UserStoreTables,
  home: string,
  mistake: (finding: Finding) => void,
  carbon?: CarbonDatabase,
): UserStoreConfig[] {
  function databaseOf(store: StoreTable, path: KeyPath): { datasource: DatasourceTable; url: string } | undefined {
    const { data_source } = store.values
    const id = datasourceId(data_source || realm_manager.data_source)
    const named = [...datasource.entries()].filter(([, entry]) => entry?.id === id)
    const [[index, entry] = []] = named
    if (entry === undefined || index === undefined) {
      if (carbon?.datasource !== undefined && store.index === undefined) {
        return { datasource: carbon.datasource, url: carbon.datasource.url }
      }
      const at = [...path, data_source ? 'data_source' : 'type']
      mistake({ path: at, rule: `needs a [[datasource]] with id = ${JSON.stringify(id)}, which is not there` })
      return undefined
    }
    const { url } = entry
    if (named.length > 1) {
      mistake({ path: ['datasource', named[1]![0], 'id'], rule: 'must not be the id of two databases' })
    }
    if (url === undefined || !knownUrl.test(url)) {
      const rule = 'must begin with jdbc:postgresql:, jdbc:mysql:, jdbc:mariadb: or jdbc:sqlite:'
      mistake({ path: ['datasource', index, 'url'], rule })
      return undefined
    }
    return { datasource: entry, url }
  }

  function namesDatasource({ values: { data_source } }: StoreTable): boolean {
    const id = datasourceId(data_source || realm_manager.data_source)
    return datasource.some((entry) => entry?.id === id)
  }

  function checkAccount({ values }: StoreTable, path: KeyPath): void {
    const { connection_name: name = '', connection_password: password } = values
    if (name !== '' && password === '') {
      mistake({ path: [...path, 'connection_password'], rule: 'must not be empty beside connection_name' })
    }
    if (name === '' && password) {
      mistake({ path: [...path, 'connection_name'], rule: 'must be written beside connection_password' })
    }
  }

  /** Whether a class in Java of the operator's own decides who may log in. */
  function isForeign({ values }: Pick<StoreTable, 'values'>): boolean {
    return values.class !== undefined && values.class !== '' && !isKnownClass(values.class)
  }

  /** What would be a store of another kind, or none, with WSO2. */
  function checkUse({ values, index }: StoreTable, path: KeyPath): void {
    if (isForeign({ values })) {
      const rule =
        "names a class that is none of WSO2's user stores, and is not run: take it out, or keep this store with WSO2"
      mistake({ path: [...path, 'class'], rule })
    }
    if (values.disable === true && index === undefined) {
      const rule =
        'must not be true for the store that users come from; to let in those of the file, write [internal_apis.file_user_store] enable = true'
      mistake({ path: [...path, 'disable'], rule })
    }
  }

  function storeOf(store: StoreTable): UserStoreConfig | undefined {
    const isPrimary = store.index === undefined
    const path = isPrimary ? ['user_store'] : ['user_store', 'secondary', store.index!]
    const common = { key: formatKey(path), domain: store.values.domain_name! }
    const kind = store.kind ?? (isPrimary && carbon !== undefined ? 'database' : undefined)
    if (kind === undefined) return undefined
    if (isPrimary && carbon?.reason !== undefined && isForeign(store)) {
      return { ...common, type: 'unavailable', reason: reasonOf(carbon) }
    }
    checkUse(store, path)
    if (kind === 'database') {
      if (isPrimary && carbon?.reason !== undefined && !namesDatasource(store)) {
        return { ...common, type: 'unavailable', reason: reasonOf(carbon) }
      }
      checkJdbcProperties(store, path, mistake)
      const database = databaseOf(store, path)
      if (database === undefined) return undefined
      const { datasource, url } = database
      return { ...common, type: kind, sql: sqlStore(store, datasource, { url, home, superAdmin }) }
    }
    checkAccount(store, path)
    checkLdapProperties(store, path, mistake)
    const ldap = ldapStore(store, kind, { home, superAdmin })
    return { ...common, type: ldap.isReadOnly === true ? 'read_only_ldap' : 'read_write_ldap', ldap }
  }

  return [user_store.primary, ...user_store.secondaries].map(storeOf).filter((store) => store !== undefined)
}
