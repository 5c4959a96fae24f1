/**
 * Tables of our own, for databases that no other program keeps users in.
 *
 * @module
 */

import { createHash, randomUUID } from 'node:crypto'
import type { SqlDialect, SqlRow } from '../database/sql-database.js'
import { readRoleName } from '../role-name.js'
import { foldName } from '../user-name.js'
import { isTrue, placeholders, type StoredUser, type UserSchema } from './user-schema.js'

/** A table that only this schema has. */
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

    async rolesOf(query, user) {
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

    async membersOf(query, role, limit) {
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

/**
 * Statement that stores a stronger hash of the same password: `?` are the new hash, the user and the old hash. It leaves
 * `password_version` as it is, because the password has not changed.
 */
export const rehashStatement: string = `UPDATE ${ownUserTable} SET password_hash = ? WHERE user_id = ? AND password_hash = ?`

const firstPassword = `SELECT password_hash FROM ${ownUserTable} ORDER BY user_id LIMIT 1`

const idCharacters = '0123456789abcdefghijklmnopqrstuvwxyz'

/**
 * A text between two ids, always the same one for a name: the user with the next id stands in for the name. Ids are random
 * unless another program wrote them; then the first character in which they differ spreads the names all the same. A user who
 * comes or goes moves hardly any other name to another user.
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
