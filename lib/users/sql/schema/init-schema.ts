/**
 * Makes the tables of our own schema.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { ConfigError } from '../../../core/errors.js'
import type { SqlDatabase, SqlDialect } from '../database/sql-database.js'
import { hasTable } from './detect-schema.js'
import { ownUserTable } from './own-schema.js'
import { wso2UserTable } from './wso2-schema.js'

/** Options of {@link initSchema}. */
export interface InitSchemaOptions {
  /**
   * Role that makes an administrator; it is added.
   *
   * @defaultValue `'admin'`
   */
  readonly adminRole?: string
}

/**
 * Makes the tables `sallyport_user`, `sallyport_role` and `sallyport_user_role` where they are missing, and the role of
 * administrators. Add the first administrator with the store's `add`.
 *
 * @throws `ConfigError` when the database has WSO2's tables: one database has one place for users.
 * @throws `StoreError` when the database fails.
 */
export async function initSchema(
  database: SqlDatabase,
  { adminRole = 'admin' }: InitSchemaOptions = {},
): Promise<void> {
  if (await hasTable(database, wso2UserTable)) {
    const rule = 'names a database that has the users of WSO2 already: use another one, or those users'
    throw new ConfigError([{ key: 'datasource.url', rule }])
  }
  for (const statement of tables(database.dialect)) await database.query(statement)
  await database.transaction(async (query) => {
    const roles = await query('SELECT name FROM sallyport_role WHERE name = ?', [adminRole])
    if (roles.length > 0) return
    await query('INSERT INTO sallyport_role (role_id, name) VALUES (?, ?)', [randomUUID(), adminRole])
  })
}

function tables(dialect: SqlDialect): readonly string[] {
  // Bytes decide, whatever the database's own collation is.
  const ending = dialect === 'mysql' ? ' ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : ''
  return [
    `CREATE TABLE IF NOT EXISTS ${ownUserTable} (
      user_id CHAR(36) NOT NULL PRIMARY KEY,
      name VARCHAR(255) NOT NULL,
      name_key VARCHAR(512) NOT NULL UNIQUE,
      password_hash VARCHAR(255) NOT NULL,
      password_version CHAR(36) NOT NULL,
      is_disabled BOOLEAN NOT NULL DEFAULT FALSE,
      created_at BIGINT NOT NULL,
      password_changed_at BIGINT NOT NULL
    )${ending}`,
    `CREATE TABLE IF NOT EXISTS sallyport_role (
      role_id CHAR(36) NOT NULL PRIMARY KEY,
      name VARCHAR(255) NOT NULL UNIQUE
    )${ending}`,
    `CREATE TABLE IF NOT EXISTS sallyport_user_role (
      user_id CHAR(36) NOT NULL,
      role_id CHAR(36) NOT NULL,
      PRIMARY KEY (user_id, role_id),
      FOREIGN KEY (user_id) REFERENCES ${ownUserTable} (user_id),
      FOREIGN KEY (role_id) REFERENCES sallyport_role (role_id)
    )${ending}`,
    // MySQL makes one for the foreign key.
    ...(dialect === 'mysql'
      ? []
      : ['CREATE INDEX IF NOT EXISTS sallyport_user_role_by_role ON sallyport_user_role (role_id)']),
  ]
}
