/** Databases with users in them, on whichever engine, for the tests of the SQL user store. */

import { openSqlDatabase, type SqlDatabaseOptions } from '../../../lib/sql/open-sql-database.js'
import type { SqlDatabase, SqlQuery } from '../../../lib/sql/sql-database.js'
import { hashPassword } from '../../../lib/users/passwords/password-hash.js'
import { initSchema } from '../../../lib/users/sql/own-schema.js'
import { type SqlUserStore, type SqlUserStoreOptions, sqlUserStore } from '../../../lib/users/sql/sql-user-store.js'
import { contractRoles, contractSuperAdmin, contractUsers } from '../../contracts/user-store.js'
import { emptyWso2, insertWso2Role, insertWso2User, startWso2, wso2Tables } from './wso2-tables.js'

/** Opens a database and makes WSO2's tables in it. */
export async function wso2Database(options: SqlDatabaseOptions): Promise<SqlDatabase> {
  const database = await openSqlDatabase(options)
  for (const statement of wso2Tables(database.dialect)) await database.query(statement)
  return database
}

/** Opens a database and makes our own tables in it. */
export async function ownDatabase(options: SqlDatabaseOptions): Promise<SqlDatabase> {
  const database = await openSqlDatabase(options)
  await initSchema(database)
  return database
}

/** A store over WSO2's tables, with the users and roles of the contract and nothing else. */
export async function wso2ContractStore(
  database: SqlDatabase,
  options: Partial<SqlUserStoreOptions> = {},
): Promise<SqlUserStore> {
  const query: SqlQuery = (sql, parameters) => database.query(sql, parameters)
  await emptyWso2(query)
  await startWso2(query)
  for (const role of contractRoles) await insertWso2Role(query, role)
  for (const [name, { password, roles }] of Object.entries(contractUsers)) {
    await insertWso2User(query, database.dialect, { name, password, roles })
  }
  return sqlUserStore({ datasource: database, superAdmin: contractSuperAdmin, ...options })
}

/** Made once: hashing is slow by design. */
const contractHashes = Promise.all(
  Object.entries(contractUsers).map(async ([name, { password }]) => [name, await hashPassword(password)] as const),
)

/** A store over our own tables, with the users and roles of the contract and nothing else. */
export async function ownContractStore(
  database: SqlDatabase,
  options: Partial<SqlUserStoreOptions> = {},
): Promise<SqlUserStore> {
  for (const table of ['sallyport_user_role', 'sallyport_user', 'sallyport_role']) {
    await database.query(`DELETE FROM ${table}`)
  }
  for (const role of contractRoles) {
    await database.query('INSERT INTO sallyport_role (role_id, name) VALUES (?, ?)', [`id of ${role}`, role])
  }
  for (const [name, hash] of await contractHashes) await insertOwnUser(database, name, hash)
  for (const [name, { roles }] of Object.entries(contractUsers)) {
    for (const role of roles) {
      const values = [`id of ${name}`, `id of ${role}`]
      await database.query('INSERT INTO sallyport_user_role (user_id, role_id) VALUES (?, ?)', values)
    }
  }
  return sqlUserStore({ datasource: database, superAdmin: contractSuperAdmin, ...options })
}

/** Writes a user with a hash into our own tables. */
export async function insertOwnUser(database: SqlDatabase, name: string, hash: string): Promise<void> {
  await database.query(
    `INSERT INTO sallyport_user (user_id, name, name_key, password_hash, password_version, is_disabled, created_at,
      password_changed_at) VALUES (?, ?, ?, ?, ?, FALSE, 0, 0)`,
    [`id of ${name}`, name, name.toLowerCase(), hash, `version of ${name}`],
  )
}
