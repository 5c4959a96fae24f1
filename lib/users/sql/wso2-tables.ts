/**
 * WSO2's tables: how names are kept in them, so that look-ups use the indexes there are, and where roles and profiles are.
 *
 * @module
 */

import type { SqlDialect, SqlQuery, SqlRow } from '../../sql/sql-database.js'
import { type RoleName, readRoleName } from '../names.js'
import type { UserProfile } from '../user-store.js'
import type { StoredUser } from './user-schema.js'

/** The column of names in one table. */
export interface NameColumn {
  /** What a value is turned into before it is compared with the column; `?` stands for the value. */
  readonly value: string
  /** Whether names that differ in case alone are equal to the database. */
  readonly ignoreCase: boolean
  /** Whether an index begins with the column. */
  readonly isIndexed: boolean
  /** Whether that index can be walked: see `nameConditions`. */
  readonly canBeWalked: boolean
  /** Whether an index begins with `LOWER()` of the column. */
  readonly isIndexedLower: boolean
  /** Whether names are in the order of their code points. */
  readonly isInCodeOrder: boolean
}

export type NameTable = 'UM_USER' | 'UM_ROLE' | 'UM_HYBRID_ROLE' | 'UM_HYBRID_USER_ROLE' | 'UM_DOMAIN'

export type NameColumns = (table: NameTable) => NameColumn

export const nameColumns: Readonly<Record<NameTable, string>> = {
  UM_USER: 'UM_USER_NAME',
  UM_ROLE: 'UM_ROLE_NAME',
  UM_HYBRID_ROLE: 'UM_ROLE_NAME',
  UM_HYBRID_USER_ROLE: 'UM_USER_NAME',
  UM_DOMAIN: 'UM_DOMAIN_NAME',
}

const unknown: NameColumn = {
  value: '?',
  ignoreCase: false,
  isIndexed: false,
  canBeWalked: false,
  isIndexedLower: false,
  isInCodeOrder: false,
}

const readers: Readonly<Record<SqlDialect, (query: SqlQuery, table: NameTable) => Promise<NameColumn>>> = {
  postgresql: postgresqlColumn,
  mysql: mysqlColumn,
  sqlite: async () => unknown,
}

export async function readNameColumns(query: SqlQuery, dialect: SqlDialect): Promise<NameColumns> {
  const found = new Map<NameTable, NameColumn>()
  for (const table of Object.keys(nameColumns) as NameTable[]) found.set(table, await readers[dialect](query, table))
  return (table) => found.get(table) ?? unknown
}

async function postgresqlColumn(query: SqlQuery, table: NameTable): Promise<NameColumn> {
  const column = nameColumns[table].toLowerCase()
  const indexes = await query(
    `SELECT pg_get_indexdef(i.indexrelid, 1, true) AS begins FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
      WHERE i.indrelid = to_regclass(?) AND i.indisvalid AND i.indpred IS NULL AND a.amname = 'btree'`,
    [table.toLowerCase()],
  )
  const [order] = await query(
    `SELECT CASE WHEN l.collname = 'default' THEN d.datcollate ELSE l.collcollate END AS collation
      FROM pg_attribute t JOIN pg_collation l ON l.oid = t.attcollation, pg_database d
      WHERE t.attrelid = to_regclass(?) AND t.attname = ? AND d.datname = current_database()`,
    [table.toLowerCase(), column],
  )
  const begins = new Set(indexes.map((row) => String(row['begins'])))
  return {
    ...unknown,
    isIndexed: begins.has(column),
    canBeWalked: begins.has(column),
    isIndexedLower: begins.has(`lower(${column}::text)`),
    isInCodeOrder: /^(?:C|POSIX)$/.test(String(order?.['collation'])),
  }
}

async function mysqlColumn(query: SqlQuery, table: NameTable): Promise<NameColumn> {
  const place = 'table_schema = DATABASE() AND table_name = ? AND column_name = ?'
  const parameters = [table, nameColumns[table]]
  const [column] = await query(
    `SELECT character_set_name AS charset, collation_name AS collation FROM information_schema.columns WHERE ${place}`,
    parameters,
  )
  const indexes = await query(
    `SELECT index_name AS name FROM information_schema.statistics WHERE ${place} AND seq_in_index = 1`,
    parameters,
  )
  const [charset, collation] = [textIn(column, 'charset'), textIn(column, 'collation')]
  return {
    ...unknown,
    // A value in another character set would have every row converted instead.
    value: charset === '' || collation === '' ? '?' : `CONVERT(? USING ${charset}) COLLATE ${collation}`,
    ignoreCase: /_ci$/i.test(collation),
    isIndexed: indexes.length > 0,
  }
}

/** A name that becomes part of a statement; empty for anything else. */
function textIn(row: SqlRow | undefined, key: string): string {
  const text = String(row?.[key] ?? '')
  return /^\w+$/.test(text) ? text : ''
}

/** So many users are read through without anybody noticing. */
const fewUsers = 10_000

/** What has every login read all users; `undefined` where an index is used, and where there are few. */
export async function slowLookUp(
  query: SqlQuery,
  dialect: SqlDialect,
  columns: NameColumns,
  ignoreCase: boolean,
): Promise<string | undefined> {
  const column = columns('UM_USER')
  if (dialect === 'sqlite' || column.isIndexedLower) return undefined
  const needsBytes = dialect === 'mysql' && ignoreCase && !column.ignoreCase
  if (column.isIndexed && !needsBytes) return undefined
  if ((await query(`SELECT 1 AS found FROM UM_USER LIMIT 1 OFFSET ${fewUsers}`)).length === 0) return undefined
  const remedy = needsBytes
    ? 'give UM_USER_NAME a collation that ignores case, or write case_insensitive_username = false'
    : 'run CREATE INDEX UM_USER_BY_NAME ON UM_USER (UM_USER_NAME, UM_TENANT_ID), and start again'
  return `every login reads all of UM_USER, because no index finds a name: ${remedy}`
}

export function listTables(role: RoleName): { readonly table: NameTable; readonly members: string } {
  return role.isInternal
    ? { table: 'UM_HYBRID_ROLE', members: 'UM_HYBRID_USER_ROLE' }
    : { table: 'UM_ROLE', members: 'UM_USER_ROLE' }
}

/** None for a role of `UM_ROLE` that begins like one of the other table: it would be taken for that one. */
export function externalRole(name: string): readonly RoleName[] {
  const role = readRoleName(name)
  return role.isInternal ? [] : [role]
}

/** `Internal/` is left out in the table, `Application/` and `Workflow/` are not. */
export function hybridRole(name: string): RoleName {
  const role = readRoleName(name)
  return role.isInternal ? role : readRoleName(`Internal/${name}`)
}

export async function wso2Profile(query: SqlQuery, user: StoredUser): Promise<UserProfile> {
  const rows = await query(
    `SELECT UM_ATTR_NAME AS name, UM_ATTR_VALUE AS content FROM UM_USER_ATTRIBUTE
      WHERE UM_USER_ID = ? AND UM_PROFILE_ID = 'default'`,
    [user.key],
  )
  const attributes = new Map(rows.map(({ name, content }) => [String(name), content ? String(content) : undefined]))
  const [givenName, familyName] = [attributes.get('givenName'), attributes.get('sn')]
  const fullName = [givenName, familyName].filter((part) => part !== undefined).join(' ') || undefined
  return {
    name: attributes.get('displayName') ?? attributes.get('cn') ?? fullName,
    email: attributes.get('mail'),
  }
}
