import mysql from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { openSqlDatabase, type SqlDatabaseOptions } from '../../../lib/sql/open-sql-database.js'
import type { SqlDatabase } from '../../../lib/sql/sql-database.js'
import { sqlUserStore } from '../../../lib/users/sql/sql-user-store.js'
import { userStoreContract } from '../../contracts/user-store.js'
import { type MariadbServer, mariadbPassword, mariadbUser, startMariadb } from '../../helpers/mariadb.js'
import { ownContractStore, ownDatabase, wso2ContractStore, wso2Database } from './engine.js'
import { databaseFaults } from './faults.js'
import { hostileNames } from './hostile-names.js'
import { secondFactorTable } from './second-factors.js'
import { tlsConnections } from './tls.js'
import { wso2Compatibility } from './wso2-compatibility.js'

const capabilities = { isWritable: true, ignoreCase: true, allowsEmptyRoles: true, hasInternalRoles: true }
const credentials = { username: mariadbUser, password: mariadbPassword }

describe('MariaDB', () => {
  let server: MariadbServer
  let wso2Source: SqlDatabaseOptions
  let own: SqlDatabase
  let wso2: SqlDatabase
  let latin: SqlDatabase

  beforeAll(async () => {
    server = await startMariadb()
    // A collation that ignores accents and blanks at the end, as many databases have it.
    wso2Source = {
      url: await server.createDatabase('shared', 'CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci'),
      ...credentials,
    }
    wso2 = await wso2Database(wso2Source)
    own = await ownDatabase({ url: await server.createDatabase('own'), ...credentials })
    latin = await wso2Database({ url: await server.createDatabase('latin', 'CHARACTER SET latin1'), ...credentials })
    // No strict mode: the sessions must see to it themselves.
    await server.run('shared', `SET GLOBAL sql_mode = ''`)
  })

  afterAll(async () => {
    await own?.close()
    await wso2?.close()
    await latin?.close()
    await server?.stop()
  })

  userStoreContract('our schema in MariaDB', capabilities, () => ownContractStore(own))
  userStoreContract("WSO2's schema in MariaDB", capabilities, () => wso2ContractStore(wso2))
  userStoreContract("WSO2's schema in MariaDB, by case", { ...capabilities, ignoreCase: false }, () =>
    wso2ContractStore(wso2, { ignoreCase: false }),
  )
  userStoreContract("WSO2's schema in MariaDB with latin1", capabilities, () => wso2ContractStore(latin))
  wso2Compatibility('MariaDB', () => wso2)
  secondFactorTable('MariaDB, beside our tables', () => own)
  secondFactorTable("MariaDB, beside WSO2's tables", () => wso2)
  secondFactorTable("MariaDB, beside WSO2's tables in latin1", () => latin)
  hostileNames("WSO2's schema in MariaDB", (patterns) => wso2ContractStore(wso2, patterns))
  hostileNames("WSO2's schema in MariaDB with latin1", (patterns) => wso2ContractStore(latin, patterns), false)

  it('refuses a name that the character set of the table does not have', async () => {
    const store = await wso2ContractStore(latin)
    const name = '\u{1f600}dave'
    await expect(store.add({ name, password: 'dave-secret', isAdmin: false })).rejects.toMatchObject({
      code: 'invalid-name',
    })
    expect(await store.list({})).toHaveLength(3)
  })

  it('never writes a password in part, and never tells it', async () => {
    const store = await wso2ContractStore(latin, { passwordDigest: 'PLAIN_TEXT', storeSaltedPasswords: false })
    const error: unknown = await store.setPassword('bob', 'secret\u{1f600}secret').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'invalid-password' })
    expect(JSON.stringify(error)).not.toContain('secret')
    expect(await latin.query(`SELECT 1 AS found FROM UM_USER WHERE UM_USER_PASSWORD LIKE '%secret%'`)).toEqual([])
  })

  it('cuts nothing that is too long, whatever the mode of the server is', async () => {
    const insert = 'INSERT INTO UM_ROLE (UM_ROLE_NAME, UM_TENANT_ID) VALUES (?, -1234)'
    await expect(wso2.query(insert, ['r'.repeat(300)])).rejects.toMatchObject({ kind: 'data' })
    await server.run('shared', insert, ['r'.repeat(300)])
    await server.run('shared', `DELETE FROM UM_ROLE WHERE UM_ROLE_NAME LIKE 'rrr%'`)
  })

  it('answers although the server has closed connections that were idle', async () => {
    await wso2ContractStore(wso2)
    const before = await server.backends('shared')
    await server.run('shared', 'SET GLOBAL wait_timeout = 1')
    const database = await openSqlDatabase(wso2Source)
    const store = await sqlUserStore({ datasource: database })
    expect(await store.authenticate('alice', 'alice-secret')).toHaveProperty('account')
    const others = async () => (await server.backends('shared')).filter((backend) => !before.includes(backend))
    await expect.poll(others, { timeout: 60_000 }).toEqual([])
    expect(await store.authenticate('alice', 'alice-secret')).toHaveProperty('account')
    await server.run('shared', 'SET GLOBAL wait_timeout = 28800')
    await database.close()
  })

  it('goes on reading and refuses changes where the server is read-only', async () => {
    await wso2ContractStore(wso2)
    const plain = `'reader'@'%'`
    await server.run('shared', `CREATE USER ${plain} IDENTIFIED BY 'throw-away'; GRANT ALL ON shared.* TO ${plain}`)
    await server.run('shared', 'SET GLOBAL read_only = 1')
    const store = await sqlUserStore({ datasource: { ...wso2Source, username: 'reader' } })
    expect(await store.authenticate('alice', 'alice-secret')).toHaveProperty('account')
    await expect(store.setPassword('bob', 'other-secret')).rejects.toBeInstanceOf(StoreError)
    await server.run('shared', 'SET GLOBAL read_only = 0')
    await store.close()
  })

  it('is unavailable, not wrong, when the server allows no more connections', async () => {
    await wso2ContractStore(wso2)
    await server.run('shared', `CREATE USER 'few'@'%' IDENTIFIED BY 'throw-away' WITH MAX_USER_CONNECTIONS 1`)
    await server.run('shared', `GRANT ALL ON shared.* TO 'few'@'%'`)
    const store = await sqlUserStore({ datasource: { ...wso2Source, username: 'few' } })
    const logins = Array.from({ length: 20 }, () =>
      store.authenticate('alice', 'alice-secret').then(
        ({ account }) => account?.subject,
        (error: unknown) => error instanceof StoreError,
      ),
    )
    for (const result of await Promise.all(logins)) expect(['alice', true]).toContain(result)
    await store.close()
  })

  tlsConnections(
    'MariaDB',
    {
      scheme: 'jdbc:mariadb:',
      verified: 'useSSL=true',
      chainOnly: 'sslMode=verify-ca',
      unverified: 'sslMode=trust',
      ca: 'serverSslCert',
      otherHost: '127.1',
    },
    () => ({ server, database: 'own', credentials }),
    `SHOW SESSION STATUS LIKE 'Ssl_cipher'`,
  )

  databaseFaults(
    'MariaDB',
    () => ({
      server,
      datasource: wso2Source,
      processes: async () => [server.pid()],
      backends: () => server.backends('shared'),
      cutOff: (backend) => server.run('shared', `KILL CONNECTION ${backend}`),
      async lockUsers() {
        const connection = await mysql.createConnection({
          host: '127.0.0.1',
          port: server.port,
          database: 'shared',
          user: mariadbUser,
          password: mariadbPassword,
        })
        await connection.query('LOCK TABLES UM_USER WRITE')
        return () => connection.end()
      },
      async fillDisk() {
        const verbs = ['INSERT', 'UPDATE']
        for (const verb of verbs) {
          await server.run(
            'shared',
            `CREATE TRIGGER no_room_${verb} BEFORE ${verb} ON UM_USER FOR EACH ROW
              SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1021, MESSAGE_TEXT = 'Disk full; waiting for someone to free space'`,
          )
        }
        return () => server.run('shared', verbs.map((verb) => `DROP TRIGGER no_room_${verb}`).join('; '))
      },
    }),
    async () => {
      await wso2.close()
      wso2 = await openSqlDatabase(wso2Source)
      await (await wso2ContractStore(wso2)).close()
      await wso2.close()
    },
  )
})
