/**
 * Placeholders in the values that are read, and in no others.
 *
 * @module
 */

import type { Finding } from './findings.js'
import { isWithin, type KeyPath } from './key-path.js'
import { childNamed, type KnownKey } from './known-keys/known-key.js'
import { defaultValues, knownKeys } from './known-keys/known-keys.js'
import { brokenPlaceholder, type Expand, expandKey, hasPlaceholder } from './placeholders.js'
import { isTree, type Tree, type TreeValue } from './tree.js'
import { usesUserStore } from './user-stores/carbon-database.js'
import { namedDatasources } from './user-stores/datasource-id.js'

/** Tables that are read only when the users do not come from the file. */
const userTables = ['user_store', 'realm_manager', 'super_admin', 'datasource']

/** Tables of key stores, which are opened only when something uses them. */
const keyStoreTables: readonly KeyPath[] = [
  ['keystore'],
  ['custom_keystore'],
  ['truststore'],
  ['internal_api_ssl_config', 'key_store'],
  ['internal_api_ssl_config', 'trust_store'],
]

/**
 * Expands the values that are read: a variable that is missing must not stop a start that does not need it. So tables of
 * users are left out while the users come from the file, and databases that no user store names are left out always. What
 * is wrong in a key store goes to `inKeyStore`.
 */
export function expandValues(
  values: Tree,
  expand: Expand,
  mistake: (finding: Finding) => void,
  inKeyStore: (finding: Finding) => void = mistake,
): void {
  const expandRead = (value: TreeValue, known: KnownKey, path: KeyPath): void => {
    if (Array.isArray(value)) for (const [index, entry] of value.entries()) expandRead(entry, known, [...path, index])
    if (!isTree(value)) return
    for (const name of Object.keys(value)) {
      const child = childNamed(known, name)
      const at = [...path, name]
      if (child?.isRead !== true || (path.length === 0 && userTables.includes(name))) continue
      if (child.children.size > 0) expandRead(value[name], child, at)
      else {
        const report = keyStoreTables.some((table) => isWithin(at, table)) ? inKeyStore : mistake
        expandKey(value, at, expand, report)
      }
    }
  }
  expandRead(values, knownKeys, [])

  if (usesUserStore(values)) {
    for (const name of userTables.slice(0, -1)) expandRead(values[name], childNamed(knownKeys, name)!, [name])
    const named = namedDatasources(values, defaultValues.get('realm_manager.data_source'))
    const isNamed = (entry: Tree): boolean => typeof entry['id'] === 'string' && named.has(entry['id'])
    const entries = Array.isArray(values['datasource']) ? values['datasource'] : []
    for (const [index, entry] of entries.entries()) {
      if (!isTree(entry)) continue
      if (isNamed(entry)) expandRead(entry, childNamed(knownKeys, 'datasource')!, ['datasource', index])
      else dropPlaceholders(entry, ['datasource', index], mistake)
    }
  } else for (const name of userTables) dropPlaceholders(values[name], [name], mistake)
}

/** A placeholder that is broken is a mistake even where it is not expanded. */
function dropPlaceholders(value: TreeValue, path: KeyPath, mistake: (finding: Finding) => void): void {
  if (Array.isArray(value))
    for (const [index, entry] of value.entries()) dropPlaceholders(entry, [...path, index], mistake)
  if (!isTree(value)) return
  for (const [name, inner] of Object.entries(value)) {
    const at = [...path, name]
    if (typeof inner !== 'string') dropPlaceholders(inner, at, mistake)
    else {
      const broken = brokenPlaceholder(inner)
      if (broken !== undefined) mistake({ path: at, rule: broken })
      if (broken !== undefined || hasPlaceholder(inner)) delete value[name]
    }
  }
}
