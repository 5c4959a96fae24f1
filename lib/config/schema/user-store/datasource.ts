/**
 * `[[datasource]]`, `[realm_manager]` and `[super_admin]`: what user stores share.
 *
 * @module
 */

import type * as z from 'zod'
import type { Finding } from '../../checks/findings.js'
import type { KeyPath } from '../../values/key-path.js'
import { isTree, type Tree, type TreeValue, valueAt } from '../../values/tree.js'
import { type Field, integer, table, text, textOrNone } from '../fields.js'

export type DatasourceTable = z.output<typeof datasourceTable>

/** One database. Which of its keys are needed depends on whether it is used. */
export const datasourceTable = table({
  id: text.optional().describe('name of the database, for `data_source`').meta({ absent: 'required when used' }),
  url: text
    .optional()
    .describe('`jdbc:postgresql:`, `jdbc:mysql:`, `jdbc:mariadb:` or `jdbc:sqlite:` URL')
    .meta({ absent: 'required when used' }),
  username: text.optional().describe('user of the database').meta({ absent: 'that of the URL' }),
  password: text.optional().describe('password of that user').meta({ absent: 'that of the URL' }),
  pool_options: table({
    maxActive: integer(-1, 10_000).optional().describe('most connections at a time').meta({ absent: '`10`' }),
  }).prefault({}),
}).transform(({ id, url, username, password, pool_options: { maxActive = 0 } }) => ({
  id,
  url: url?.replaceAll('&amp;', '&'),
  username,
  password,
  maxConnections: maxActive > 0 ? maxActive : undefined,
}))

function name(byDefault: string): Field<string> {
  return textOrNone.prefault(byDefault).transform((name = byDefault) => name)
}

/** Whom nobody removes, and the role of administrators. The password is not read: no account is made of it. */
export const superAdminTable = table({
  username: name('admin').describe('the user that cannot be removed'),
  admin_role: name('admin').describe('its members are administrators'),
})

export const realmManagerTable = table({
  data_source: name('WSO2CarbonDB').describe('`id` of the `[[datasource]]` with the users'),
})

/** Java's names have `jdbc/` before the id. */
export function datasourceId(name: string): string {
  return name.replace(/^jdbc\//, '')
}

const knownUrl = /^\s*jdbc:(?:postgresql|mysql|mariadb|sqlite):/i

/** The tables with an id, and their places. */
export function findDatasources(
  datasource: readonly (DatasourceTable | undefined)[],
  id: string,
): [index: number, table: DatasourceTable | undefined][] {
  return [...datasource.entries()].filter(([, entry]) => entry?.id === id)
}

/** The database with an id; `undefined` after a mistake. `path`: of the key that names it. */
export function checkDatasource(
  datasource: readonly (DatasourceTable | undefined)[],
  id: string,
  path: KeyPath,
  mistake: (finding: Finding) => void,
): DatasourceTable | undefined {
  const [first, second] = findDatasources(datasource, id)
  const [index, entry] = first ?? []
  if (index === undefined || entry === undefined) {
    const written = datasource.map((entry) => entry?.id).filter((id) => id !== undefined)
    const others = written.length === 0 ? '' : `; the ids in this file are ${written.join(', ')}`
    const rule =
      `needs a [[datasource]] with id = ${JSON.stringify(id)}, which is not there: write one with this id, ` +
      `url (such as "jdbc:postgresql://localhost/users"), username and password${others}`
    mistake({ path, rule })
    return undefined
  }
  if (second !== undefined)
    mistake({ path: ['datasource', second[0], 'id'], rule: 'must not be the id of two databases' })
  if (entry.url !== undefined && knownUrl.test(entry.url)) return entry
  const rule = 'must begin with jdbc:postgresql:, jdbc:mysql:, jdbc:mariadb: or jdbc:sqlite:'
  mistake({ path: ['datasource', index, 'url'], rule })
  return undefined
}

/** The ids that the tables name, those of user stores where `usesUserStore`. `defaultId` is that of a file that names none. */
export function namedDatasources(values: Tree, usesUserStore: boolean, defaultId: TreeValue): ReadonlySet<string> {
  const secondaries = valueAt(values, ['user_store', 'secondary'])
  const stores = [values['user_store'], ...(Array.isArray(secondaries) ? secondaries : [])].filter(isTree)
  const ofUsers = [
    valueAt(values, ['realm_manager', 'data_source']) ?? defaultId,
    ...stores.flatMap((store) => [store['data_source'], valueAt(store, ['properties', 'dataSource'])]),
  ]
  const names = [valueAt(values, ['shared_store', 'data_source']), ...(usesUserStore ? ofUsers : [])]
  return new Set(names.filter((name) => typeof name === 'string').map(datasourceId))
}

interface ListedDatasources {
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
  return {
    document: { ...source, datasource: list },
    asWritten: (path) =>
      path[0] === 'datasource' && typeof path[1] === 'number' ? path.with(1, tables[path[1]]![0]) : path,
  }
}
