/**
 * The database of users of API Manager and Identity Server: `[database.user]`, else `[database.shared_db]`.
 *
 * @module
 */

import { isIPv6 } from 'node:net'
import type { Finding } from '../findings.js'
import { formatKey, type KeyPath } from '../key-path.js'
import { type Expand, expandKey } from '../placeholders.js'
import type { DatasourceTable } from '../tables/datasource.js'
import { isKnownClass, type StoreTable } from '../tables/user-store.js'
import { copyTree, isTree, type Tree, type TreeValue, valueAt } from '../tree.js'

/** The database, or why it cannot be used: the end of a sentence that begins with its key. */
export type CarbonDatabase = { readonly path: KeyPath } & (
  | { readonly datasource: DatasourceTable & { readonly url: string }; readonly reason?: never }
  | { readonly datasource?: never; readonly reason: string }
)

/**
 * Whether a file is one of API Manager or Identity Server: without `[internal_apis]`, which is Micro Integrator's, and with a
 * `[database.NAME]`. Its users are in a database, or in the directory of its `[user_store]`.
 */
export function isCarbonFile(source: Tree): boolean {
  const { internal_apis, database } = source
  return internal_apis === undefined && isTree(database) && Object.values(database).some(isTree)
}

/** Whether the users come from `[user_store]`. */
export function usesUserStore(values: Tree): boolean {
  const enable = valueAt(values, ['internal_apis', 'file_user_store', 'enable'])
  return String(enable).toLowerCase() === 'false' || isCarbonFile(values)
}

/** What to do about a database that cannot be used. */
const remedy =
  'every login answers 503 until [database.user] or [database.shared_db] is a PostgreSQL, MySQL, MariaDB or SQLite database, ' +
  'or the users stand as [[internal_apis.users]]'

/** Products as `type` and JDBC URLs name them. */
const products: Readonly<Record<string, string>> = {
  db2: 'IBM DB2',
  derby: 'Derby',
  h2: 'H2',
  informix: 'Informix',
  jtds: 'Microsoft SQL Server',
  mssql: 'Microsoft SQL Server',
  oracle: 'Oracle',
  sqlserver: 'Microsoft SQL Server',
}

/** Products that there is a driver for: the JDBC URL's name by `type`. */
const supported: Readonly<Record<string, string>> = {
  mariadb: 'mariadb',
  mysql: 'mysql',
  postgre: 'postgresql',
  postgres: 'postgresql',
  postgresql: 'postgresql',
  sqlite: 'sqlite',
}

/** Reads the database of users. A value that cannot be expanded is a reason, not a mistake: nothing of it stops the start. */
export function carbonDatabase(source: Tree, expand: Expand, { kind, values }: StoreTable): CarbonDatabase {
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
  for (const key of readKeys.filter((key) => table[key] !== undefined)) {
    expandKey(table, [...path, key], expand, (finding) => findings.push(finding))
  }
  const [first] = findings
  return first === undefined
    ? { path, ...databaseFrom(table) }
    : { path: first.path, reason: `${first.rule}: ${remedy}` }
}

const readKeys = ['type', 'url', 'hostname', 'port', 'name', 'username', 'password', 'pool_options']

type Outcome =
  | { readonly datasource: DatasourceTable & { readonly url: string } }
  | { readonly datasource?: never; readonly reason: string }

function databaseFrom(table: Tree): Outcome {
  const textAt = (name: string): string | undefined => textOf(table[name]) || undefined
  const type = textAt('type')?.toLowerCase()
  const url = textAt('url')?.replaceAll('&amp;', '&') ?? urlFrom(type, textAt)
  const kind = /^\s*jdbc:([a-z0-9]+):/i.exec(url ?? '')?.[1]?.toLowerCase()
  if (url === undefined || !Object.hasOwn(supported, kind ?? '')) {
    const product = products[kind ?? type ?? '']
    const what =
      product === undefined ? 'names no database that there is a driver for' : `is ${product}, which has no driver here`
    return { reason: `${what}: ${remedy}` }
  }
  const pool = table['pool_options']
  const most = isTree(pool) ? Number(textOf(pool['maxActive'] ?? pool['max_active'])) : 0
  return {
    datasource: {
      id: undefined,
      url,
      username: textAt('username'),
      password: textAt('password'),
      maxConnections: Number.isInteger(most) && most > 0 ? most : undefined,
    },
  }
}

function urlFrom(type: string | undefined, textAt: (name: string) => string | undefined): string | undefined {
  const kind = supported[type ?? '']
  const name = textAt('name')
  if (kind === undefined || kind === 'sqlite' || name === undefined) return undefined
  const host = textAt('hostname') ?? 'localhost'
  const port = textAt('port')
  const address = `${isIPv6(host) ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`
  return `jdbc:${kind}://${address}/${encodeURIComponent(name)}`
}

/** A text or a number as a text; `undefined` for anything else. */
function textOf(value: TreeValue): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** The reason in full, for the log of each login. */
export function reasonOf({ path, reason }: { readonly path: KeyPath; readonly reason: string }): string {
  return `${formatKey(path)} ${reason}`
}
