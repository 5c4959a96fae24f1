/**
 * The database of users of API Manager and Identity Server: `[database.user]`, else `[database.shared_db]`.
 *
 * @module
 */

import { isIPv6 } from 'node:net'
import type { Finding } from '../../checks/findings.js'
import type { KeyPath } from '../../values/key-path.js'
import { type Expand, expandKey } from '../../values/placeholders.js'
import { copyTree, isTree, type Tree, type TreeValue, valueAt } from '../../values/tree.js'
import type { DatasourceTable } from './datasource.js'
import { isKnownClass, type StoreTable } from './user-store.js'

type Database =
  | { readonly datasource: DatasourceTable; readonly reason?: never }
  | { readonly datasource?: never; readonly reason: string }

/** The database, or why it cannot be used: the end of a sentence that begins with its key. */
export type CarbonDatabase = Database & { readonly path: KeyPath }

/** Whether a file is one of API Manager or Identity Server, without `[internal_apis]`, which is Micro Integrator's. */
export function isCarbonFile(source: Tree): boolean {
  const { internal_apis, database } = source
  return internal_apis === undefined && isTree(database) && Object.values(database).some(isTree)
}

export function usesUserStore(values: Tree): boolean {
  const enable = valueAt(values, ['internal_apis', 'file_user_store', 'enable'])
  return String(enable).toLowerCase() === 'false' || isCarbonFile(values)
}

const remedy =
  'every login answers 503 until [database.user] or [database.shared_db] is a PostgreSQL, MySQL, MariaDB or SQLite database, ' +
  'or the users stand as [[internal_apis.users]]'

/** Products without a driver, as `type` and JDBC URLs name them. */
const otherProducts = new Map([
  ['db2', 'IBM DB2'],
  ['derby', 'Derby'],
  ['h2', 'H2'],
  ['informix', 'Informix'],
  ['jtds', 'Microsoft SQL Server'],
  ['mssql', 'Microsoft SQL Server'],
  ['oracle', 'Oracle'],
  ['sqlserver', 'Microsoft SQL Server'],
])

/** Products with a driver: the JDBC URL's name by `type`. */
const products = new Map([
  ['mariadb', 'mariadb'],
  ['mysql', 'mysql'],
  ['postgre', 'postgresql'],
  ['postgres', 'postgresql'],
  ['postgresql', 'postgresql'],
  ['sqlite', 'sqlite'],
])

const keys = ['type', 'url', 'hostname', 'port', 'name', 'username', 'password', 'pool_options']

/** Reads the database of users. A value that cannot be expanded is a reason, not a mistake: it does not stop the start. */
export function readCarbonDatabase(source: Tree, expand: Expand, { kind, values }: StoreTable): CarbonDatabase {
  if (values.class && (kind === undefined || !isKnownClass(values.class))) {
    return { path: ['user_store', 'class'], reason: `is a class in Java, which does not run here: ${remedy}` }
  }
  const name = ['user', 'shared_db'].find((name) => isTree(valueAt(source, ['database', name])))
  if (name === undefined) {
    const reason = `has neither [database.user] nor [database.shared_db], which would have the users: ${remedy}`
    return { path: ['database'], reason }
  }
  const path = ['database', name]
  const table = copyTree(valueAt(source, path) as Tree, () => {})
  const findings: Finding[] = []
  for (const key of keys.filter((key) => table[key] !== undefined)) {
    expandKey(table, [...path, key], expand, (finding) => findings.push(finding))
  }
  const [first] = findings
  return first === undefined
    ? { path, ...readDatabase(table) }
    : { path: first.path, reason: `${first.rule}: ${remedy}` }
}

function readDatabase(table: Tree): Database {
  const textAt = (name: string): string | undefined => asText(table[name]) || undefined
  const type = textAt('type')?.toLowerCase() ?? ''
  const url = textAt('url')?.replaceAll('&amp;', '&') ?? createUrl(products.get(type), textAt)
  const kind = /^\s*jdbc:([a-z0-9]+):/i.exec(url ?? '')?.[1]?.toLowerCase()
  if (url === undefined || !products.has(kind ?? '')) {
    const product = otherProducts.get(kind ?? type)
    const what =
      product === undefined ? 'names no database that there is a driver for' : `is ${product}, which has no driver here`
    return { reason: `${what}: ${remedy}` }
  }
  const pool = table['pool_options']
  const most = isTree(pool) ? Number(asText(pool['maxActive'] ?? pool['max_active'])) : 0
  const maxConnections = Number.isInteger(most) && most > 0 ? most : undefined
  const datasource = { id: undefined, url, username: textAt('username'), password: textAt('password'), maxConnections }
  return { datasource }
}

function createUrl(kind: string | undefined, textAt: (name: string) => string | undefined): string | undefined {
  const name = textAt('name')
  if (kind === undefined || kind === 'sqlite' || name === undefined) return undefined
  const host = textAt('hostname') ?? 'localhost'
  const port = textAt('port')
  const address = `${isIPv6(host) ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`
  return `jdbc:${kind}://${address}/${encodeURIComponent(name)}`
}

function asText(value: TreeValue): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
