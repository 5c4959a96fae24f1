/**
 * Properties of a database in `[user_store.properties]` that have no key: what WSO2's JDBC user store does with them is done
 * here as well, or it is a mistake.
 *
 * Harmless, and left alone: `MultiTenantRealmConfigBuilder` and `TenantManager` (only one tenant is served), what caches,
 * claims, SCIM, bulk import and Carbon's own pages use, and `validationQuery` with the other settings of Carbon's pool.
 *
 * @module
 */

import type { Finding } from '../findings.js'
import type { KeyPath } from '../key-path.js'
import type { StoreTable } from '../tables/user-store.js'
import { isOtherStatement } from './jdbc-statements.js'

/** Each with the values that change nothing, and what to write instead of others. */
const refused: Readonly<Record<string, readonly [harmless: RegExp, rule: string]>> = {
  IsEmailUserName: [
    /^(?:false)?$/i,
    'is not followed: the part of a name after "@" names no tenant; take it out, and let username_java_regex say which names are addresses',
  ],
  DomainCalculation: [
    /^(?:default)?$/i,
    'must be "default": the domain of a user is domain_name, and none is computed by a class of Java',
  ],
  url: [/^$/, 'is not followed: write a [[datasource]] with this url, and its id as data_source'],
}

/** Reports what one database's properties ask for that is not done. */
export function checkJdbcProperties(
  { properties, values }: StoreTable,
  path: KeyPath,
  mistake: (finding: Finding) => void,
): void {
  for (const [name, value] of Object.entries(properties)) {
    const at = [...path, 'properties', name]
    const [harmless, rule] = Object.hasOwn(refused, name) ? refused[name]! : []
    // As with WSO2, a data source comes first.
    const isOverruled = name === 'url' && values.data_source !== undefined
    if (rule !== undefined && !harmless!.test(String(value)) && !isOverruled) mistake({ path: at, rule })
    if (!isOtherStatement(name, value)) continue
    const remedy =
      'to let in a part of the users only, give the account of the database a view with the name of the table'
    mistake({ path: at, rule: `is another statement than WSO2's own, and is not run: take it out; ${remedy}` })
  }
}
