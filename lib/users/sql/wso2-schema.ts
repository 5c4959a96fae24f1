/**
 * WSO2's tables (`UM_*`), shared with its own servers: what is written here, they read.
 *
 * @module
 */

import { createHash, randomUUID } from 'node:crypto'
import type { SqlDialect, SqlQuery, SqlRow, SqlValue } from '../../sql/sql-database.js'
import { foldName } from '../names.js'
import { isTrue, type StoredRole, type StoredUser, type UserSchema } from './user-schema.js'
import { nameConditions } from './wso2-names.js'
import type { NameColumns } from './wso2-tables.js'
import { externalRole, hybridRole, listTables } from './wso2-tables.js'

/** A table that only this schema has. */
export const wso2UserTable = 'UM_USER'

export interface Wso2SchemaOptions {
  readonly domain: string
  readonly ignoreCase: boolean
  /** Whether roles of `UM_ROLE` are read; else only those that begin with `Internal/` or `Application/`. */
  readonly readGroups: boolean
  readonly clock: () => number
  readonly onWarning?: (message: string) => void
}

/** The super tenant, the only one that the management API serves. */
const tenant = -1234

/** A password that must be changed is good for so long. */
const oneTimePasswordMs = 24 * 60 * 60 * 1000

/** The statements of WSO2's schema. `columns`: see `readNameColumns`. */
export function wso2Schema(dialect: SqlDialect, columns: NameColumns, options: Wso2SchemaOptions): UserSchema {
  const { domain, ignoreCase, readGroups, clock } = options
  const names = nameConditions(columns, ignoreCase)
  const forUpdate = dialect === 'sqlite' ? '' : ' FOR UPDATE'
  const isSameName = (one: string, other: string): boolean =>
    ignoreCase ? foldName(one) === foldName(other) : one === other

  function readUser(row: SqlRow): StoredUser {
    const password = String(row['password'] ?? '')
    const salt = String(row['salt'] ?? '')
    const age = Math.abs(clock() - toMilliseconds(row['changed']))
    return {
      key: createKey(row),
      name: String(row['name']),
      password,
      salt,
      isDisabled: isTrue(row['must_change']) && !(age <= oneTimePasswordMs),
      // The random id keeps a version from being a plain digest of a password that is stored without a salt.
      version: createHash('sha256')
        .update(JSON.stringify([row['uuid'], password, salt]))
        .digest('base64url'),
    }
  }

  /** The number of this store's domain, made when it is missing and the transaction writes. */
  async function domainKey(query: SqlQuery, locks: boolean): Promise<SqlValue | undefined> {
    const { sql, parameters } = names.is('UM_DOMAIN', domain)
    const rows = await query(
      `SELECT UM_DOMAIN_ID AS id, UM_DOMAIN_NAME AS name FROM UM_DOMAIN
        WHERE ${sql} AND UM_TENANT_ID = ${tenant}${locks ? forUpdate : ''}`,
      parameters,
    )
    const row = rows.find(({ name }) => name === domain)
    return row === undefined ? undefined : createKey(row)
  }

  async function ensuredDomainKey(query: SqlQuery): Promise<SqlValue> {
    const key = await domainKey(query, true)
    if (key !== undefined) return key
    await query(`INSERT INTO UM_DOMAIN (UM_DOMAIN_NAME, UM_TENANT_ID) VALUES (?, ${tenant})`, [domain])
    return (await domainKey(query, true)) ?? null
  }

  /** Rows of `UM_HYBRID_USER_ROLE` that are this user's: they are kept by name. */
  async function hybridRowsFrom(query: SqlQuery, user: StoredUser): Promise<readonly SqlRow[]> {
    const isUser = await names.means(query, 'UM_HYBRID_USER_ROLE', [user.name], 'ur.UM_USER_NAME')
    const isDomain = names.is('UM_DOMAIN', domain, 'd.UM_DOMAIN_NAME')
    const rows = await query(
      `SELECT ur.UM_ID AS id, ur.UM_USER_NAME AS name, r.UM_ID AS role_id, r.UM_ROLE_NAME AS role, d.UM_DOMAIN_NAME AS domain
        FROM UM_HYBRID_USER_ROLE ur
        JOIN UM_HYBRID_ROLE r ON r.UM_ID = ur.UM_ROLE_ID AND r.UM_TENANT_ID = ur.UM_TENANT_ID
        JOIN UM_DOMAIN d ON d.UM_DOMAIN_ID = ur.UM_DOMAIN_ID AND d.UM_TENANT_ID = ur.UM_TENANT_ID
        WHERE ${isUser.sql} AND ur.UM_TENANT_ID = ${tenant} AND ${isDomain.sql}`,
      [...isUser.parameters, ...isDomain.parameters],
    )
    return rows.filter((row) => row['domain'] === domain && isSameName(String(row['name']), user.name))
  }

  return {
    isShared: true,

    async standInPassword() {
      return undefined
    },

    async usersNamed(query, wanted, locks = false) {
      const { sql, parameters } = await names.means(query, wso2UserTable, wanted)
      const rows = await query(
        `SELECT UM_ID AS id, UM_USER_ID AS uuid, UM_USER_NAME AS name, UM_USER_PASSWORD AS password,
          UM_SALT_VALUE AS salt, UM_REQUIRE_CHANGE AS must_change, ${changedTime[dialect]} AS changed
          FROM ${wso2UserTable} WHERE ${sql} AND UM_TENANT_ID = ${tenant}${locks ? forUpdate : ''}`,
        parameters,
      )
      return rows.map(readUser)
    },

    async listRolesWith(query, user) {
      const external = readGroups
        ? await query(
            `SELECT r.UM_ROLE_NAME AS name FROM UM_USER_ROLE ur
              JOIN UM_ROLE r ON r.UM_ID = ur.UM_ROLE_ID AND r.UM_TENANT_ID = ur.UM_TENANT_ID
              WHERE ur.UM_USER_ID = ? AND ur.UM_TENANT_ID = ${tenant}`,
            [user.key],
          )
        : []
      const hybrid = await hybridRowsFrom(query, user)
      return [
        ...external.flatMap(({ name }) => externalRole(String(name))),
        ...hybrid.map(({ role }) => hybridRole(String(role))),
      ]
    },

    async rolesNamed(query, role) {
      if (!role.isInternal && !readGroups) return []
      const { table } = listTables(role)
      const read = role.isInternal ? hybridRole : externalRole
      const { sql, parameters } = names.is(table, role.stored)
      const rows = await query(
        `SELECT UM_ID AS id, UM_ROLE_NAME AS name FROM ${table} WHERE ${sql} AND UM_TENANT_ID = ${tenant}`,
        parameters,
      )
      return rows.flatMap((row) =>
        [read(String(row['name']))].flat().map((found) => ({ key: createKey(row), role: found })),
      )
    },

    async listUsers(query, patterns, limit) {
      const { sql, parameters } = await names.matches(query, patterns)
      const rows = await query(
        `SELECT UM_USER_NAME AS name FROM ${wso2UserTable}
          WHERE ${sql} AND UM_TENANT_ID = ${tenant} ORDER BY UM_USER_NAME LIMIT ${limit}`,
        parameters,
      )
      return rows.map(({ name }) => String(name))
    },

    async listRoles(query, limit) {
      const external = readGroups
        ? await query(
            `SELECT UM_ROLE_NAME AS name FROM UM_ROLE WHERE UM_TENANT_ID = ${tenant} AND UM_SHARED_ROLE = FALSE
              ORDER BY UM_ROLE_NAME LIMIT ${limit}`,
          )
        : []
      const hybrid = await query(
        `SELECT UM_ROLE_NAME AS name FROM UM_HYBRID_ROLE WHERE UM_TENANT_ID = ${tenant}
          ORDER BY UM_ROLE_NAME LIMIT ${limit}`,
      )
      return [
        ...external.flatMap(({ name }) => externalRole(String(name))),
        ...hybrid.map(({ name }) => hybridRole(String(name))),
      ]
    },

    async listMembers(query, role, limit) {
      if (role.role.isInternal) {
        const { sql, parameters } = names.is('UM_DOMAIN', domain, 'd.UM_DOMAIN_NAME')
        const rows = await query(
          `SELECT ur.UM_USER_NAME AS name, d.UM_DOMAIN_NAME AS domain FROM UM_HYBRID_USER_ROLE ur
            JOIN UM_DOMAIN d ON d.UM_DOMAIN_ID = ur.UM_DOMAIN_ID AND d.UM_TENANT_ID = ur.UM_TENANT_ID
            WHERE ur.UM_ROLE_ID = ? AND ur.UM_TENANT_ID = ${tenant} AND ${sql}
            ORDER BY ur.UM_USER_NAME LIMIT ${limit}`,
          [role.key, ...parameters],
        )
        return rows.filter((row) => row['domain'] === domain).map(({ name }) => String(name))
      }
      const rows = await query(
        `SELECT u.UM_USER_NAME AS name FROM ${wso2UserTable} u
          JOIN UM_USER_ROLE ur ON ur.UM_USER_ID = u.UM_ID AND ur.UM_TENANT_ID = u.UM_TENANT_ID
          WHERE ur.UM_ROLE_ID = ? AND ur.UM_TENANT_ID = ${tenant} ORDER BY u.UM_USER_NAME LIMIT ${limit}`,
        [role.key],
      )
      return rows.map(({ name }) => String(name))
    },

    async lockNames(query) {
      // The tables let two users have one name. Whoever adds one holds the row of the domain meanwhile.
      await ensuredDomainKey(query)
    },

    async insertUser(query, name, { hash, salt }) {
      await query(
        `INSERT INTO ${wso2UserTable} (UM_USER_ID, UM_USER_NAME, UM_USER_PASSWORD, UM_SALT_VALUE, UM_REQUIRE_CHANGE,
          UM_CHANGED_TIME, UM_TENANT_ID) VALUES (?, ?, ?, ?, FALSE, CURRENT_TIMESTAMP, ${tenant})`,
        [randomUUID(), name, hash, salt],
      )
    },

    async updatePassword(query, user, { hash, salt }) {
      await query(
        `UPDATE ${wso2UserTable} SET UM_USER_PASSWORD = ?, UM_SALT_VALUE = ?, UM_REQUIRE_CHANGE = FALSE,
          UM_CHANGED_TIME = CURRENT_TIMESTAMP WHERE UM_ID = ? AND UM_TENANT_ID = ${tenant}`,
        [hash, salt, user.key],
      )
    },

    async setDisabled(query, user, isDisabled) {
      // A one-time password that has expired: WSO2's own servers refuse such a login too.
      const values = isDisabled ? ['TRUE', "'2000-01-01 00:00:00'"] : ['FALSE', 'CURRENT_TIMESTAMP']
      await query(
        `UPDATE ${wso2UserTable} SET UM_REQUIRE_CHANGE = ${values[0]}, UM_CHANGED_TIME = ${values[1]}
          WHERE UM_ID = ? AND UM_TENANT_ID = ${tenant}`,
        [user.key],
      )
    },

    async deleteUser(query, user) {
      for (const row of await hybridRowsFrom(query, user)) {
        await query(`DELETE FROM UM_HYBRID_USER_ROLE WHERE UM_ID = ? AND UM_TENANT_ID = ${tenant}`, [createKey(row)])
      }
      for (const table of ['UM_USER_ROLE', 'UM_USER_ATTRIBUTE']) {
        await query(`DELETE FROM ${table} WHERE UM_USER_ID = ? AND UM_TENANT_ID = ${tenant}`, [user.key])
      }
      await query(`DELETE FROM ${wso2UserTable} WHERE UM_ID = ? AND UM_TENANT_ID = ${tenant}`, [user.key])
    },

    async insertRole(query, role) {
      await query(`INSERT INTO ${listTables(role).table} (UM_ROLE_NAME, UM_TENANT_ID) VALUES (?, ${tenant})`, [
        role.stored,
      ])
    },

    async deleteRole(query, role) {
      const { table, members } = listTables(role.role)
      await query(`DELETE FROM ${members} WHERE UM_ROLE_ID = ? AND UM_TENANT_ID = ${tenant}`, [role.key])
      await query(`DELETE FROM ${table} WHERE UM_ID = ? AND UM_TENANT_ID = ${tenant}`, [role.key])
    },

    async giveRole(query, user, role) {
      if (role.role.isInternal) {
        await query(
          `INSERT INTO UM_HYBRID_USER_ROLE (UM_USER_NAME, UM_ROLE_ID, UM_TENANT_ID, UM_DOMAIN_ID)
            VALUES (?, ?, ${tenant}, ?)`,
          [user.name, role.key, await ensuredDomainKey(query)],
        )
        return
      }
      await query(`INSERT INTO UM_USER_ROLE (UM_ROLE_ID, UM_USER_ID, UM_TENANT_ID) VALUES (?, ?, ${tenant})`, [
        role.key,
        user.key,
      ])
    },

    async takeRole(query, user, role) {
      if (role.role.isInternal) return takeHybridRole(query, user, role)
      await query(`DELETE FROM UM_USER_ROLE WHERE UM_USER_ID = ? AND UM_ROLE_ID = ? AND UM_TENANT_ID = ${tenant}`, [
        user.key,
        role.key,
      ])
    },
  }

  async function takeHybridRole(query: SqlQuery, user: StoredUser, role: StoredRole): Promise<void> {
    const rows = await hybridRowsFrom(query, user)
    for (const row of rows.filter((each) => String(each['role_id']) === String(role.key))) {
      await query(`DELETE FROM UM_HYBRID_USER_ROLE WHERE UM_ID = ? AND UM_TENANT_ID = ${tenant}`, [createKey(row)])
    }
  }
}

/** PostgreSQL's driver makes a date of it; the others are asked for seconds since the epoch. */
const changedTime: Readonly<Record<SqlDialect, string>> = {
  postgresql: 'UM_CHANGED_TIME',
  mysql: 'UNIX_TIMESTAMP(UM_CHANGED_TIME)',
  sqlite: `strftime('%s', UM_CHANGED_TIME)`,
}

/** NaN, which is never recent, for what cannot be read. */
function toMilliseconds(value: unknown): number {
  return value instanceof Date ? value.getTime() : Number(value ?? Number.NaN) * 1000
}

function createKey(row: SqlRow): SqlValue {
  const { id } = row
  return typeof id === 'number' ? id : String(id)
}
