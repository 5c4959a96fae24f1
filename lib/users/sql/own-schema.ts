/**
 * Tables of our own, for databases that no other program keeps users in.
 *
 * @module
 */

import { createHash, randomUUID } from 'node:crypto'
import { ConfigError } from '../../core/errors.js'
import { hasTable, type SqlDatabase, type SqlDialect, type SqlRow } from '../../sql/sql-database.js'
import { foldName, readRoleName } from '../names.js'
import { isTrue, placeholders, type StoredUser, type UserSchema } from './user-schema.js'
import { wso2UserTable } from './wso2-schema.js'

export const ownUserTable = 'sallyport_user'

/**
 * The statements of our schema. `name_key` is the name in NFC and lower case, with a unique index: no two users can be
 * told apart by case alone.
 */
export function ownSchema(dialect: SqlDialect): UserSchema {
  const forUpdate = dialect === 'sqlite' ? '' : ' FOR UPDATE'

  return {
    isShared: false,

    async standInPassword(query, name) {
      const [range] = await query(`SELECT MIN(user_id) AS lowest, MAX(user_id) AS highest FROM ${ownUserTable}`)
      if (range === undefined || range['lowest'] === null) return undefined
      const point = pointBetween(String(range['lowest']), String(range['highest']), foldName(name))
      const rows = await query(
        `SELECT password_hash FROM ${ownUserTable} WHERE user_id >= ? ORDER BY user_id LIMIT 1`,
        [point],
      )
      const [row] = rows.length > 0 ? rows : await query(firstPassword)
      return row === undefined ? undefined : String(row['password_hash'])
    },

    async usersNamed(query, names, locks = false) {
      const keys = [...new Set(names.map(foldName))]
      const rows = await query(
        `SELECT user_id, name, password_hash, password_version, is_disabled FROM ${ownUserTable}
          WHERE name_key IN (${placeholders(keys.length)})${locks ? forUpdate : ''}`,
        keys,
      )
      return rows.map(readUser)
    },

    async listRolesWith(query, user) {
      const rows = await query(
        `SELECT r.name FROM sallyport_role r JOIN sallyport_user_role ur ON ur.role_id = r.role_id WHERE ur.user_id = ?`,
        [user.key],
      )
      return rows.map(({ name }) => readRoleName(String(name)))
    },

    async rolesNamed(query, role) {
      const rows = await query('SELECT role_id, name FROM sallyport_role WHERE name = ?', [role.full])
      return rows.map((row) => ({ key: String(row['role_id']), role: readRoleName(String(row['name'])) }))
    },

    async listUsers(query, patterns, limit) {
      const conditions = patterns.map(() => `name_key LIKE ? ESCAPE '!'`).join(' OR ')
      const rows = await query(
        `SELECT name FROM ${ownUserTable} WHERE ${conditions} ORDER BY name_key LIMIT ${limit}`,
        patterns.map(foldName),
      )
      return rows.map(({ name }) => String(name))
    },

    async listRoles(query, limit) {
      const rows = await query(`SELECT name FROM sallyport_role ORDER BY name LIMIT ${limit}`)
      return rows.map(({ name }) => readRoleName(String(name)))
    },

    async listMembers(query, role, limit) {
      const rows = await query(
        `SELECT u.name FROM ${ownUserTable} u JOIN sallyport_user_role ur ON ur.user_id = u.user_id
          WHERE ur.role_id = ? ORDER BY u.name_key LIMIT ${limit}`,
        [role.key],
      )
      return rows.map(({ name }) => String(name))
    },

    async lockNames() {
      // The unique index on name_key keeps names apart.
    },

    async insertUser(query, name, password) {
      const now = Date.now()
      await query(
        `INSERT INTO ${ownUserTable}
          (user_id, name, name_key, password_hash, password_version, is_disabled, created_at, password_changed_at)
          VALUES (?, ?, ?, ?, ?, FALSE, ?, ?)`,
        [randomUUID(), name, foldName(name), password.hash, randomUUID(), now, now],
      )
    },

    async updatePassword(query, user, password) {
      await query(
        `UPDATE ${ownUserTable} SET password_hash = ?, password_version = ?, password_changed_at = ? WHERE user_id = ?`,
        [password.hash, randomUUID(), Date.now(), user.key],
      )
    },

    async setDisabled(query, user, isDisabled) {
      await query(`UPDATE ${ownUserTable} SET is_disabled = ${isDisabled ? 'TRUE' : 'FALSE'} WHERE user_id = ?`, [
        user.key,
      ])
    },

    async deleteUser(query, user) {
      await query('DELETE FROM sallyport_user_role WHERE user_id = ?', [user.key])
      await query(`DELETE FROM ${ownUserTable} WHERE user_id = ?`, [user.key])
    },

    async insertRole(query, role) {
      await query('INSERT INTO sallyport_role (role_id, name) VALUES (?, ?)', [randomUUID(), role.full])
    },

    async deleteRole(query, role) {
      await query('DELETE FROM sallyport_user_role WHERE role_id = ?', [role.key])
      await query('DELETE FROM sallyport_role WHERE role_id = ?', [role.key])
    },

    async giveRole(query, user, role) {
      await query('INSERT INTO sallyport_user_role (user_id, role_id) VALUES (?, ?)', [user.key, role.key])
    },

    async takeRole(query, user, role) {
      await query('DELETE FROM sallyport_user_role WHERE user_id = ? AND role_id = ?', [user.key, role.key])
    },
  }
}

/** Stores a stronger hash of the same password, so `password_version` stays: new hash, user, old hash. */
export const rehashStatement: string = `UPDATE ${ownUserTable} SET password_hash = ? WHERE user_id = ? AND password_hash = ?`

const firstPassword = `SELECT password_hash FROM ${ownUserTable} ORDER BY user_id LIMIT 1`

const idCharacters = '0123456789abcdefghijklmnopqrstuvwxyz'

/**
 * A text between two ids, always the same for a name: the user with the next id stands in for the name. Ids are random unless
 * another program wrote them; then the first character in which they differ spreads the names. A user who comes or goes moves
 * hardly any other name.
 */
function pointBetween(lowest: string, highest: string, name: string): string {
  const digest = createHash('sha256').update(name).digest('hex')
  let at = 0
  while (at < lowest.length && lowest[at] === highest[at]) at++
  const between = [...idCharacters].filter((character) => character >= lowest[at]! && character <= highest[at]!)
  const first = between[Number.parseInt(digest.slice(0, 8), 16) % between.length] ?? ''
  return `${lowest.slice(0, at)}${first}${digest.slice(8)}`.slice(0, 36)
}

function readUser(row: SqlRow): StoredUser {
  return {
    key: String(row['user_id']),
    name: String(row['name']),
    password: String(row['password_hash']),
    salt: '',
    isDisabled: isTrue(row['is_disabled']),
    version: String(row['password_version']),
  }
}

/** Options of {@link initSchema}. */
export interface InitSchemaOptions {
  /** Role that makes an administrator; it is added. @defaultValue `'admin'` */
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
  if (await hasWso2Users(database)) {
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

/** Whether the database has WSO2's tables. Rejects with `StoreError`. */
export function hasWso2Users(database: SqlDatabase): Promise<boolean> {
  return hasTable(database, wso2UserTable)
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
