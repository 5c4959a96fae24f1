/**
 * The user stores that a configuration names, with what each needs from other tables.
 *
 * @module
 */

import type { Finding } from '../../checks/findings.js'
import type { UserStoreConfig } from '../../config.js'
import { formatKey, type KeyPath } from '../../values/key-path.js'
import type { Deployment } from '../deployment.js'
import type { CarbonDatabase } from './carbon-database.js'
import { checkDatasource, datasourceId, findDatasources } from './datasource.js'
import { checkLdapProperties, createLdapStore } from './ldap-store.js'
import { checkJdbcProperties, createSqlStore } from './sql-store.js'
import { isKnownClass, type StoreTable } from './user-store.js'

/** Lists the stores, the primary one first; those that cannot be made are reported. */
export function createUserStores(
  { user_store, datasource, realm_manager, super_admin: superAdmin }: Deployment,
  home: string,
  mistake: (finding: Finding) => void,
  {
    carbon,
    asWritten,
  }: { readonly carbon: CarbonDatabase | undefined; readonly asWritten: (path: KeyPath) => KeyPath },
): UserStoreConfig[] {
  function createStore(store: StoreTable): UserStoreConfig | undefined {
    const { values, index } = store
    const isPrimary = index === undefined
    const path = isPrimary ? ['user_store'] : ['user_store', 'secondary', index]
    const common = { key: formatKey(path), domain: values.domain_name! }
    const kind = store.kind ?? (isPrimary && carbon !== undefined ? 'database' : undefined)
    if (kind === undefined) return undefined
    const databases = findDatasources(datasource, idFrom(values.data_source))
    const isForeign = !isKnownClass(values.class ?? '')
    const unavailable: UserStoreConfig | undefined =
      isPrimary && carbon?.reason !== undefined
        ? { ...common, type: 'unavailable', reason: `${formatKey(carbon.path)} ${carbon.reason}` }
        : undefined
    if (unavailable !== undefined && isForeign) return unavailable
    checkUse(store, path, isForeign)
    if (kind === 'database') {
      if (unavailable !== undefined && databases.length === 0) return unavailable
      checkJdbcProperties(store, path, mistake)
      const own = isPrimary && databases.length === 0 ? carbon?.datasource : undefined
      const named = [...path, values.data_source ? 'data_source' : 'type']
      const found = own ?? checkDatasource(datasource, idFrom(values.data_source), named, mistake)
      const databasePath = own === undefined ? ['datasource', databases[0]?.[0] ?? 0] : carbon!.path
      const datasourceKey = formatKey(asWritten(databasePath))
      return found && { ...common, type: kind, datasourceKey, sql: createSqlStore(store, found, { home, superAdmin }) }
    }
    checkLdapProperties(store, path, mistake)
    const ldap = createLdapStore(store, kind, { home, superAdmin })
    return { ...common, type: ldap.readOnly === true ? 'read_only_ldap' : 'read_write_ldap', ldap }
  }

  function idFrom(name: string | undefined): string {
    return datasourceId(name || realm_manager.data_source)
  }

  function checkUse({ values, index }: StoreTable, path: KeyPath, isForeign: boolean): void {
    if (isForeign) {
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

  return [user_store.primary, ...user_store.secondaries].map(createStore).filter((store) => store !== undefined)
}
