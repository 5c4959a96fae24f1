/**
 * Which databases user stores name.
 *
 * @module
 */

import { isTree, type Tree, type TreeValue, valueAt } from '../tree.js'

/** The `id` of a `[[datasource]]` that is named; Java's names have `jdbc/` before it. */
export function datasourceId(name: string): string {
  return name.replace(/^jdbc\//, '')
}

/** The ids that the tables name. `defaultId` is that of a file that names none. */
export function namedDatasources(values: Tree, defaultId: TreeValue): ReadonlySet<string> {
  const secondaries = valueAt(values, ['user_store', 'secondary'])
  const stores = [values['user_store'], ...(Array.isArray(secondaries) ? secondaries : [])].filter(isTree)
  const names = [
    valueAt(values, ['realm_manager', 'data_source']) ?? defaultId,
    ...stores.flatMap((store) => [store['data_source'], valueAt(store, ['properties', 'dataSource'])]),
  ]
  return new Set(names.filter((name) => typeof name === 'string').map(datasourceId))
}
