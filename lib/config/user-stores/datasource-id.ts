/**
 * Databases by their ids: which user stores name, and how a file lists them.
 *
 * @module
 */

import type { KeyPath } from '../key-path.js'
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

/** A document whose databases are an array of tables, and where in the file a place of it is written. */
export interface ListedDatasources {
  readonly document: Tree
  readonly asWritten: (path: KeyPath) => KeyPath
}

/** Identity Server writes `[datasource.NAME]` for what others write as `[[datasource]]` with `id = "NAME"`. */
export function listDatasources(source: Tree): ListedDatasources {
  const { datasource } = source
  const tables = isTree(datasource) ? Object.entries(datasource) : []
  if (tables.length === 0 || !tables.every(([, table]) => isTree(table))) {
    return { document: source, asWritten: (path) => path }
  }
  const list = tables.map(([id, table]): Tree => ({ id, ...(table as Tree) }))
  const names = tables.map(([name]) => name)
  return {
    document: { ...source, datasource: list },
    asWritten: ([root, index, ...rest]) =>
      root === 'datasource' && typeof index === 'number'
        ? [root, names[index]!, ...rest]
        : [root, index, ...rest].filter((step) => step !== undefined),
  }
}
