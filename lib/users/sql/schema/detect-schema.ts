/**
 * Finds out which schema a database has.
 *
 * @module
 */

import { StoreError } from '../../../core/errors.js'
import { isSqlError, type SqlDatabase, type SqlQuery, type SqlQueryOptions } from '../database/sql-database.js'
import { ownSchema, ownUserTable } from './own-schema.js'
import type { UserSchema } from './user-schema.js'
import { readNameColumns, slowLookUp } from './wso2-columns.js'
import { type Wso2SchemaOptions, wso2Schema, wso2UserTable } from './wso2-schema.js'

/**
 * WSO2's schema where its tables are, else ours.
 *
 * @throws {@link StoreError} by rejecting, when the database has neither or fails.
 */
export async function detectSchema(
  database: SqlDatabase,
  wso2: Wso2SchemaOptions,
  options?: SqlQueryOptions,
): Promise<UserSchema> {
  const query: SqlQuery = (sql, parameters) => database.query(sql, parameters, options)
  if (await hasTable(database, wso2UserTable, options)) {
    const columns = await readNameColumns(query, database.dialect)
    const warning = await slowLookUp(query, database.dialect, columns, wso2.ignoresCase)
    if (warning !== undefined) wso2.onWarning?.(warning)
    return wso2Schema(database.dialect, columns, wso2)
  }
  if (await hasTable(database, ownUserTable, options)) return ownSchema(database.dialect)
  throw new StoreError(
    `The database has no table ${wso2UserTable} and no ${ownUserTable}: run "sallyport users init", or call initSchema().`,
  )
}

/** Whether a table is there. Its name comes from us: a name cannot be a parameter. */
export async function hasTable(
  database: SqlDatabase,
  table: typeof wso2UserTable | typeof ownUserTable,
  options?: SqlQueryOptions,
): Promise<boolean> {
  try {
    await database.query(`SELECT 1 AS found FROM ${table} WHERE 1 = 0`, [], options)
    return true
  } catch (error) {
    if (isSqlError(error, 'missing-table')) return false
    throw error
  }
}
