/**
 * How the names in WSO2's tables are kept: what a look-up must know so that the database can use the indexes it has.
 *
 * @module
 */

import type { SqlDialect, SqlQuery, SqlRow } from '../database/sql-database.js'

/** The column of names in one table. */
export interface NameColumn {
  /** What a value is turned into before it is compared with the column; `?` stands for the value. */
  readonly value: string
  /** Whether names that differ in case alone are equal to the database. */
  readonly ignoresCase: boolean
  /** Whether an index begins with the column. */
  readonly isIndexed: boolean
  /** Whether that index can be walked: see `nameConditions`. */
  readonly canBeWalked: boolean
  /** Whether an index begins with `LOWER()` of the column. */
  readonly isIndexedLower: boolean
  /** Whether names are in the order of their code points. */
  readonly isInCodeOrder: boolean
}

/** Names of tables that are looked up by name. */
export type NameTable = 'UM_USER' | 'UM_ROLE' | 'UM_HYBRID_ROLE' | 'UM_HYBRID_USER_ROLE' | 'UM_DOMAIN'

/** The columns of names, by table. */
export type NameColumns = (table: NameTable) => NameColumn

/** The column of names in each table. */
export const nameColumns: Readonly<Record<NameTable, string>> = {
  UM_USER: 'UM_USER_NAME',
  UM_ROLE: 'UM_ROLE_NAME',
  UM_HYBRID_ROLE: 'UM_ROLE_NAME',
  UM_HYBRID_USER_ROLE: 'UM_USER_NAME',
  UM_DOMAIN: 'UM_DOMAIN_NAME',
}

const unknown: NameColumn = {
  value: '?',
  ignoresCase: false,
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

/** Asks the database for the columns. */
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
    ignoresCase: /_ci$/i.test(collation),
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

/**
 * What has every login read all users, in words for an operator; `undefined` where an index is used, and where there are few.
 *
 * @param ignoresCase - `case_insensitive_username`
 */
export async function slowLookUp(
  query: SqlQuery,
  dialect: SqlDialect,
  columns: NameColumns,
  ignoresCase: boolean,
): Promise<string | undefined> {
  const column = columns('UM_USER')
  if (dialect === 'sqlite' || column.isIndexedLower) return undefined
  const needsBytes = dialect === 'mysql' && ignoresCase && !column.ignoresCase
  if (column.isIndexed && !needsBytes) return undefined
  if ((await query(`SELECT 1 AS found FROM UM_USER LIMIT 1 OFFSET ${fewUsers}`)).length === 0) return undefined
  const remedy = needsBytes
    ? 'give UM_USER_NAME a collation that ignores case, or write case_insensitive_username = false'
    : 'run CREATE INDEX UM_USER_BY_NAME ON UM_USER (UM_USER_NAME, UM_TENANT_ID), and start again'
  return `every login reads all of UM_USER, because no index finds a name: ${remedy}`
}
