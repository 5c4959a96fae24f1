/** Whether the statements of the SQL user store use the indexes that WSO2's tables have, with so many users. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SqlDatabase, SqlQuery, SqlValue } from '../../../lib/sql/sql-database.js'
import { type SqlUserStoreOptions, sqlUserStore } from '../../../lib/users/sql/sql-user-store.js'
import { type MariadbServer, mariadbPassword, mariadbUser, startMariadb } from '../../helpers/mariadb.js'
import { type PostgresqlServer, postgresqlUser, startPostgresql } from '../../helpers/postgresql.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import { wso2Database } from './engine.js'
import { insertWso2User, startWso2 } from './wso2-tables.js'

/** Filling the tables takes a while. */
const timeoutMs = 120_000
const fillMs = 300_000

/** Tables that are read in whole by some of what a plan says. */
type ReadWhole = (database: SqlDatabase, sql: string, parameters: readonly SqlValue[]) => Promise<readonly string[]>

/** WSO2's tables with users, shared roles of a tenth of them, and ten thousand roles. */
async function fill(
  database: SqlDatabase,
  numbers: (count: number) => string,
  number: string,
  users: number,
): Promise<void> {
  const query: SqlQuery = (sql, parameters) => database.query(sql, parameters)
  const time = 'CURRENT_TIMESTAMP'
  await startWso2(query)
  await query(
    `INSERT INTO UM_USER (UM_USER_ID, UM_USER_NAME, UM_USER_PASSWORD, UM_SALT_VALUE, UM_REQUIRE_CHANGE, UM_CHANGED_TIME,
      UM_TENANT_ID) SELECT CONCAT('id', ${number}), CONCAT(CASE WHEN ${number} % 3 = 0 THEN 'User' ELSE 'user' END, ${number}),
      'none', '', FALSE, ${time}, -1234 FROM ${numbers(users)}`,
  )
  await insertWso2User(query, database.dialect, { name: 'Alice', password: 'alice-secret' })
  // WSO2's scripts make it, but for the latest ones of Micro Integrator.
  await query('CREATE UNIQUE INDEX BY_NAME ON UM_USER (UM_USER_NAME, UM_TENANT_ID)')
  for (const table of ['UM_ROLE', 'UM_HYBRID_ROLE']) {
    await query(
      `INSERT INTO ${table} (UM_ROLE_NAME, UM_TENANT_ID) SELECT CONCAT('role', ${number}), -1234 FROM ${numbers(10_000)}`,
    )
  }
  await query(
    `INSERT INTO UM_USER_ROLE (UM_USER_ID, UM_ROLE_ID, UM_TENANT_ID) SELECT u.UM_ID, r.UM_ID, -1234
      FROM UM_USER u JOIN ${numbers(users / 10)} ON u.UM_ID = ${number}, UM_ROLE r WHERE r.UM_ROLE_NAME = 'role1'`,
  )
  await query(
    `INSERT INTO UM_HYBRID_USER_ROLE (UM_USER_NAME, UM_ROLE_ID, UM_TENANT_ID, UM_DOMAIN_ID)
      SELECT CONCAT('user', ${number}), r.UM_ID, -1234, d.UM_DOMAIN_ID FROM ${numbers(users / 10)}, UM_HYBRID_ROLE r, UM_DOMAIN d
      WHERE r.UM_ROLE_NAME = 'everyone'`,
  )
  await query(
    `INSERT INTO UM_HYBRID_USER_ROLE (UM_USER_NAME, UM_ROLE_ID, UM_TENANT_ID, UM_DOMAIN_ID)
      SELECT 'ALICE', r.UM_ID, -1234, d.UM_DOMAIN_ID FROM UM_HYBRID_ROLE r, UM_DOMAIN d WHERE r.UM_ROLE_NAME = 'role7'`,
  )
}

function usesIndexes(name: string, users: number, databaseOf: () => SqlDatabase, readWhole: ReadWhole): void {
  const last = String(users - 1)

  describe(name, () => {
    /** The store, and the tables that its statements have read in whole since. */
    async function watchedStore(options: Partial<SqlUserStoreOptions> = {}) {
      const database = databaseOf()
      const asked: [sql: string, parameters: readonly SqlValue[]][] = []
      const watched: SqlDatabase = {
        ...database,
        query(sql, parameters = [], queryOptions) {
          asked.push([sql, parameters])
          return database.query(sql, parameters, queryOptions)
        },
      }
      const store = await sqlUserStore({ datasource: watched, ...options })
      await store.find('nobody')
      async function tablesReadWhole(): Promise<readonly string[]> {
        const found = []
        for (const [sql, parameters] of asked.splice(0)) found.push(...(await readWhole(database, sql, parameters)))
        return found
      }
      await tablesReadWhole()
      return { store, tablesReadWhole }
    }

    it.each(['Alice', 'alice', 'ALICE', 'nobody', `user${last}`, `USER${last}`, 'PRIMARY/aLiCe'])(
      'logs %s in without reading a table in whole, whatever the case',
      async (user) => {
        const { store, tablesReadWhole } = await watchedStore()
        const isAlice = user.toLowerCase().endsWith('alice')
        const { account, failure } = await store.authenticate(user, 'alice-secret')
        if (isAlice) expect(account).toMatchObject({ subject: 'Alice', roles: ['Internal/everyone', 'Internal/role7'] })
        else expect(failure).toBe(user === 'nobody' ? 'unknown-user' : 'wrong-password')
        expect(await tablesReadWhole()).toEqual([])
      },
    )

    it('logs users in by their exact names without reading a table in whole', async () => {
      const { store, tablesReadWhole } = await watchedStore({ ignoreCase: false })
      expect(await store.authenticate('Alice', 'alice-secret')).toHaveProperty('account')
      expect(await store.authenticate('alice', 'alice-secret')).toEqual({ failure: 'unknown-user' })
      expect(await tablesReadWhole()).toEqual([])
    })

    it('looks roles up, and lists users page by page and by what they begin with, without reading them all', async () => {
      const { store, tablesReadWhole } = await watchedStore()
      expect(await store.list({})).toHaveLength(100)
      expect(await store.list({ pattern: 'ALI*' })).toEqual(['Alice'])
      expect(await store.list({ pattern: `uSer${last.slice(0, -1)}*` })).toHaveLength(11)
      expect(await store.list({ pattern: 'none*' })).toEqual([])
      expect(await store.listMembers('nothing')).toBeUndefined()
      await store.addRole('testers')
      await store.addRole('Internal/testers')
      await store.changeRoles('ALICE', { added: ['testers', 'Internal/testers'], removed: [] })
      await store.removeRole('testers')
      await store.removeRole('Internal/testers')
      expect(await tablesReadWhole()).toEqual([])
    })
  })
}

/** Runs the suite on both servers. */
export function indexUse(users: number): void {
  const languageUsers = Math.min(users, 300_000)

  describe(`on PostgreSQL with ${users} users`, () => {
    let server: PostgresqlServer
    let byCode: SqlDatabase
    let byLanguage: SqlDatabase

    beforeAll(async () => {
      server = await startPostgresql()
      const open = async (name: string, count: number): Promise<SqlDatabase> => {
        const url = `jdbc:postgresql://127.0.0.1:${server.port}/${name}`
        const database = await wso2Database({ url, username: postgresqlUser, timeoutMs })
        await fill(database, (most) => `generate_series(1, ${most}) AS n`, 'n', count)
        await database.query('ANALYZE')
        return database
      }
      await server.createDatabase('codes')
      byCode = await open('codes', users)
      await server.run(
        'postgres',
        `CREATE DATABASE languages TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'`,
      )
      byLanguage = await open('languages', languageUsers)
    }, fillMs)

    afterAll(async () => {
      await byCode?.close()
      await byLanguage?.close()
      await server?.stop()
    })

    const readWhole: ReadWhole = async (database, sql, parameters) => {
      if (!/^\s*(?:SELECT|WITH)\b/i.test(sql)) return []
      const rows = await database.query(`EXPLAIN ${sql}`, parameters)
      return rows.flatMap(
        (row) => /Seq Scan on um_(?!domain)\w+/.exec(String(row['query plan'] ?? row['QUERY PLAN'])) ?? [],
      )
    }
    usesIndexes('in the order of the codes', users, () => byCode, readWhole)
    usesIndexes('in the order of a language', languageUsers, () => byLanguage, readWhole)
  })

  describe(`on MariaDB with ${users} users`, () => {
    let server: MariadbServer
    let database: SqlDatabase

    beforeAll(async () => {
      server = await startMariadb()
      const url = await server.createDatabase('users', 'CHARACTER SET latin1')
      database = await wso2Database({ url, username: mariadbUser, password: mariadbPassword, timeoutMs })
      await fill(database, (count) => `seq_1_to_${count}`, 'seq', users)
      await database.query('ANALYZE TABLE UM_USER, UM_USER_ROLE, UM_HYBRID_USER_ROLE')
    }, fillMs)

    afterAll(async () => {
      await database?.close()
      await server?.stop()
    })

    const readWhole: ReadWhole = async (database, sql, parameters) => {
      if (!/^\s*(?:SELECT|WITH)\b/i.test(sql) || sql.includes('information_schema')) return []
      const rows = await database.query(`EXPLAIN ${sql}`, parameters)
      // A page is read in the order of an index, from its beginning.
      return rows
        .filter(
          ({ type, rows: count }) =>
            (type === 'ALL' && Number(count) > 10) || (type === 'index' && Number(count) > 1000),
        )
        .map(({ table, type }) => `${table} ${type}: ${sql}`)
    }
    usesIndexes('whose collation ignores case', users, () => database, readWhole)

    it.each([
      ['has no index', 'DROP INDEX BY_NAME ON UM_USER', /CREATE INDEX/],
      [
        'does not ignore case',
        'ALTER TABLE UM_USER MODIFY UM_USER_NAME VARCHAR(255) COLLATE latin1_bin NOT NULL',
        /case_insensitive_username = false/,
      ],
    ])('says what to do where the name %s, and works all the same', async (_what, change, remedy) => {
      await database.query(change)
      const { logger, entries } = recordedLog()
      const store = await sqlUserStore({ datasource: database, logger })
      expect(await store.authenticate('aLICE', 'alice-secret')).toHaveProperty('account')
      expect(entries).toMatchObject([{ level: 'warn', message: expect.stringMatching(remedy) }])
    })
  })
}
