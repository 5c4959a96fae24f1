/**
 * WSO2's tables of users, by their column types, and users made by its rule without our code: what one of its servers would
 * have left.
 */

import { createHash, randomUUID } from 'node:crypto'
import type { SqlDialect, SqlQuery, SqlRow } from '../../../lib/sql/sql-database.js'

/** The super tenant. */
const tenant = -1234

/** Statements that make the tables. */
export function wso2Tables(dialect: SqlDialect): readonly string[] {
  const id = {
    postgresql: (sequence: string) => `UM_ID INTEGER DEFAULT NEXTVAL('${sequence}')`,
    mysql: () => 'UM_ID INTEGER NOT NULL AUTO_INCREMENT',
    sqlite: () => 'UM_ID INTEGER NOT NULL',
  }[dialect]
  // SQLite numbers rows only where the number alone is the key.
  const key = (...columns: readonly string[]): string =>
    dialect === 'sqlite' ? `PRIMARY KEY (${columns[0]} AUTOINCREMENT)` : `PRIMARY KEY (${columns.join(', ')})`
  const sequences = ['USER', 'ROLE', 'USER_ROLE', 'USER_ATTRIBUTE', 'HYBRID_ROLE', 'HYBRID_USER_ROLE', 'DOMAIN'].map(
    (name) => `CREATE SEQUENCE UM_${name}_PK_SEQ`,
  )
  const domainId = {
    postgresql: `UM_DOMAIN_ID INTEGER DEFAULT NEXTVAL('UM_DOMAIN_PK_SEQ')`,
    mysql: 'UM_DOMAIN_ID INTEGER NOT NULL AUTO_INCREMENT',
    sqlite: 'UM_DOMAIN_ID INTEGER NOT NULL',
  }[dialect]
  const both = (table: string): string => (dialect === 'sqlite' ? '' : `, FOREIGN KEY (${table})`)
  const userKey =
    dialect === 'sqlite' ? '' : `${both('UM_USER_ID, UM_TENANT_ID')} REFERENCES UM_USER (UM_ID, UM_TENANT_ID)`
  return [
    ...(dialect === 'postgresql' ? sequences : []),
    `CREATE TABLE UM_DOMAIN (${domainId}, UM_DOMAIN_NAME VARCHAR(255) NOT NULL, UM_TENANT_ID INTEGER DEFAULT 0,
      ${key('UM_DOMAIN_ID', 'UM_TENANT_ID')}, UNIQUE (UM_DOMAIN_NAME, UM_TENANT_ID))`,
    `CREATE TABLE UM_USER (${id('UM_USER_PK_SEQ')}, UM_USER_ID VARCHAR(255) NOT NULL, UM_USER_NAME VARCHAR(255) NOT NULL,
      UM_USER_PASSWORD VARCHAR(255) NOT NULL, UM_SALT_VALUE VARCHAR(31), UM_REQUIRE_CHANGE BOOLEAN DEFAULT FALSE,
      UM_CHANGED_TIME TIMESTAMP NOT NULL, UM_TENANT_ID INTEGER DEFAULT 0,
      ${key('UM_ID', 'UM_TENANT_ID')}, UNIQUE (UM_USER_ID, UM_TENANT_ID))`,
    `CREATE TABLE UM_ROLE (${id('UM_ROLE_PK_SEQ')}, UM_ROLE_NAME VARCHAR(255) NOT NULL, UM_TENANT_ID INTEGER DEFAULT 0,
      UM_SHARED_ROLE BOOLEAN DEFAULT FALSE, ${key('UM_ID', 'UM_TENANT_ID')}, UNIQUE (UM_ROLE_NAME, UM_TENANT_ID))`,
    `CREATE TABLE UM_USER_ROLE (${id('UM_USER_ROLE_PK_SEQ')}, UM_ROLE_ID INTEGER NOT NULL, UM_USER_ID INTEGER NOT NULL,
      UM_TENANT_ID INTEGER DEFAULT 0, UNIQUE (UM_USER_ID, UM_ROLE_ID, UM_TENANT_ID), ${key('UM_ID', 'UM_TENANT_ID')}${userKey})`,
    `CREATE TABLE UM_USER_ATTRIBUTE (${id('UM_USER_ATTRIBUTE_PK_SEQ')}, UM_ATTR_NAME VARCHAR(255) NOT NULL,
      UM_ATTR_VALUE VARCHAR(1024), UM_PROFILE_ID VARCHAR(255), UM_USER_ID INTEGER, UM_TENANT_ID INTEGER DEFAULT 0,
      ${key('UM_ID', 'UM_TENANT_ID')}${userKey})`,
    `CREATE TABLE UM_HYBRID_ROLE (${id('UM_HYBRID_ROLE_PK_SEQ')}, UM_ROLE_NAME VARCHAR(255) NOT NULL,
      UM_TENANT_ID INTEGER DEFAULT 0, ${key('UM_ID', 'UM_TENANT_ID')}, UNIQUE (UM_ROLE_NAME, UM_TENANT_ID))`,
    `CREATE TABLE UM_HYBRID_USER_ROLE (${id('UM_HYBRID_USER_ROLE_PK_SEQ')}, UM_USER_NAME VARCHAR(255),
      UM_ROLE_ID INTEGER NOT NULL, UM_TENANT_ID INTEGER DEFAULT 0, UM_DOMAIN_ID INTEGER,
      UNIQUE (UM_USER_NAME, UM_ROLE_ID, UM_TENANT_ID, UM_DOMAIN_ID), ${key('UM_ID', 'UM_TENANT_ID')})`,
  ]
}

/** What a server of WSO2 leaves at its first start. */
export async function startWso2(query: SqlQuery): Promise<void> {
  await query(`INSERT INTO UM_DOMAIN (UM_DOMAIN_NAME, UM_TENANT_ID) VALUES ('PRIMARY', ${tenant})`)
  await query(`INSERT INTO UM_HYBRID_ROLE (UM_ROLE_NAME, UM_TENANT_ID) VALUES ('everyone', ${tenant})`)
}

/** Empties the tables. */
export async function emptyWso2(query: SqlQuery): Promise<void> {
  for (const table of ['HYBRID_USER_ROLE', 'HYBRID_ROLE', 'USER_ATTRIBUTE', 'USER_ROLE', 'ROLE', 'USER', 'DOMAIN']) {
    await query(`DELETE FROM UM_${table}`)
  }
}

/** The digest of WSO2's rule. */
export function wso2Digest(password: string, salt: string, algorithm = 'sha256'): string {
  return createHash(algorithm)
    .update(Buffer.from(password + salt, 'utf8'))
    .digest('base64')
}

/** A user as a server of WSO2 writes one. */
export interface Wso2User {
  readonly name: string
  readonly password: string
  /** Base64 text of 16 bytes; empty without a salt. */
  readonly salt?: string
  /** In place of the digest of `password`. */
  readonly stored?: string
  readonly roles?: readonly string[]
  readonly mustChange?: boolean
  /** Of the database's own time, in the past. */
  readonly changedHoursAgo?: number
}

/** Writes a user. */
export async function insertWso2User(query: SqlQuery, dialect: SqlDialect, user: Wso2User): Promise<void> {
  const { name, password, salt = 'c2FsdHNhbHRzYWx0c2FsdA==', stored = wso2Digest(password, salt) } = user
  const ago = { postgresql: 'INTERVAL', mysql: 'INTERVAL', sqlite: '' }[dialect]
  const hours = user.changedHoursAgo ?? 0
  const changed =
    dialect === 'sqlite'
      ? `datetime('now', '-${hours} hours')`
      : dialect === 'mysql'
        ? `CURRENT_TIMESTAMP - ${ago} ${hours} HOUR`
        : `LOCALTIMESTAMP - ${ago} '${hours} hours'`
  const id = randomUUID()
  await query(
    `INSERT INTO UM_USER (UM_USER_ID, UM_USER_NAME, UM_USER_PASSWORD, UM_SALT_VALUE, UM_REQUIRE_CHANGE, UM_CHANGED_TIME,
      UM_TENANT_ID) VALUES (?, ?, ?, ?, ?, ${changed}, ${tenant})`,
    [id, name, stored, salt, dialect === 'postgresql' ? user.mustChange === true : Number(user.mustChange === true)],
  )
  for (const role of user.roles ?? []) {
    await query(
      `INSERT INTO UM_USER_ROLE (UM_ROLE_ID, UM_USER_ID, UM_TENANT_ID)
        SELECT r.UM_ID, u.UM_ID, ${tenant} FROM UM_ROLE r, UM_USER u WHERE r.UM_ROLE_NAME = ? AND u.UM_USER_ID = ?`,
      [role, id],
    )
  }
}

/** Writes a role. */
export async function insertWso2Role(query: SqlQuery, name: string): Promise<void> {
  await query(`INSERT INTO UM_ROLE (UM_ROLE_NAME, UM_TENANT_ID) VALUES (?, ${tenant})`, [name])
}

/** The row of a user, as a server of WSO2 reads it. */
export async function wso2Row(query: SqlQuery, name: string): Promise<SqlRow | undefined> {
  const rows = await query(
    `SELECT UM_USER_NAME AS name, UM_USER_ID AS uuid, UM_USER_PASSWORD AS password, UM_SALT_VALUE AS salt,
      UM_REQUIRE_CHANGE AS must_change FROM UM_USER WHERE UM_USER_NAME = ? AND UM_TENANT_ID = ${tenant}`,
    [name],
  )
  return rows.find((row) => row['name'] === name)
}
