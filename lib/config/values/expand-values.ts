/**
 * Placeholders in the values that are read, and in no others.
 *
 * @module
 */

import type { Finding } from '../checks/findings.js'
import { childNamed, defaultValues, type KnownKey, knownKeys } from '../checks/known-keys.js'
import { usesUserStore } from '../schema/user-store/carbon-database.js'
import { namedDatasources } from '../schema/user-store/datasource.js'
import { isWithin, type KeyPath } from './key-path.js'
import { brokenPlaceholder, type Expand, expandKey, hasPlaceholder } from './placeholders.js'
import { isTree, type Tree, type TreeValue } from './tree.js'

/** Tables that are read only when the users do not come from the file. */
const userTables = ['user_store', 'realm_manager', 'super_admin']

/** Tables of key stores, which are opened only when something uses them. */
const keyStoreTables: readonly KeyPath[] = [
  ['keystore'],
  ['custom_keystore'],
  ['truststore'],
  ['internal_api_ssl_config', 'key_store'],
  ['internal_api_ssl_config', 'trust_store'],
]

/**
 * Expands the values that are read: a variable that is missing must not stop a start that does not need it. What is wrong in
 * a key store goes to `inKeyStore`.
 */
export function expandValues(
  values: Tree,
  expand: Expand,
  mistake: (finding: Finding) => void,
  inKeyStore: (finding: Finding) => void,
): void {
  const known = knownKeys()
  const expandRead = (value: TreeValue, key: KnownKey, path: KeyPath): void => {
    if (Array.isArray(value)) for (const [index, entry] of value.entries()) expandRead(entry, key, [...path, index])
    if (!isTree(value)) return
    for (const name of Object.keys(value)) {
      const child = childNamed(key, name)
      const at = [...path, name]
      if (child?.isRead !== true || (path.length === 0 && (name === 'datasource' || userTables.includes(name))))
        continue
      if (child.children.size > 0) expandRead(value[name], child, at)
      else {
        const report = keyStoreTables.some((table) => isWithin(at, table)) ? inKeyStore : mistake
        expandKey(value, at, expand, report)
      }
    }
  }
  expandRead(values, known, [])

  const isUsed = usesUserStore(values)
  for (const name of userTables) {
    if (isUsed) expandRead(values[name], childNamed(known, name)!, [name])
    else dropPlaceholders(values[name], [name], mistake)
  }
  const named = namedDatasources(values, isUsed, defaultValues().get('realm_manager.data_source'))
  const isNamed = (entry: Tree): boolean => typeof entry['id'] === 'string' && named.has(entry['id'])
  const entries = Array.isArray(values['datasource']) ? values['datasource'] : []
  for (const [index, entry] of entries.entries()) {
    if (!isTree(entry)) continue
    if (isNamed(entry)) expandRead(entry, childNamed(known, 'datasource')!, ['datasource', index])
    else dropPlaceholders(entry, ['datasource', index], mistake)
  }
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
