import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { openSqlDatabase, type SqlDatabaseOptions } from '../../../lib/sql/open-sql-database.js'
import type { SqlDatabase } from '../../../lib/sql/sql-database.js'
import { sqlUserStore } from '../../../lib/users/sql/sql-user-store.js'
import { userStoreContract } from '../../contracts/user-store.js'
import { type PostgresqlServer, postgresqlUser, startPostgresql } from '../../helpers/postgresql.js'
import { ownContractStore, ownDatabase, wso2ContractStore, wso2Database } from './engine.js'
import { databaseFaults } from './faults.js'
import { hostileNames } from './hostile-names.js'
import { secondFactorTable } from './second-factors.js'
import { tlsConnections } from './tls.js'
import { wso2Compatibility } from './wso2-compatibility.js'

const capabilities = { isWritable: true, ignoreCase: true, allowsEmptyRoles: true, hasInternalRoles: true }

describe('PostgreSQL', () => {
  let server: PostgresqlServer
  let wso2Source: SqlDatabaseOptions
  let own: SqlDatabase
  let wso2: SqlDatabase

  beforeAll(async () => {
    server = await startPostgresql()
    wso2Source = { url: await server.createDatabase('shared'), username: postgresqlUser }
    wso2 = await wso2Database(wso2Source)
    own = await ownDatabase({ url: await server.createDatabase('own'), username: postgresqlUser })
  })

  afterAll(async () => {
    await own?.close()
    await wso2?.close()
    await server?.stop()
  })

  userStoreContract('our schema in PostgreSQL', capabilities, () => ownContractStore(own))
  userStoreContract("WSO2's schema in PostgreSQL", capabilities, () => wso2ContractStore(wso2))
  wso2Compatibility('PostgreSQL', () => wso2)
  secondFactorTable('PostgreSQL, beside our tables', () => own)
  secondFactorTable("PostgreSQL, beside WSO2's tables", () => wso2)
  hostileNames("WSO2's schema in PostgreSQL", (patterns) => wso2ContractStore(wso2, patterns))

  it('uses the schema that currentSchema names', async () => {
    await server.run('own', 'CREATE SCHEMA "odd, name"')
    const url = `jdbc:postgresql://127.0.0.1:${server.port}/own?currentSchema=odd,%20name`
    const database = await openSqlDatabase({ url, username: postgresqlUser })
    // A list of two schemas, neither of which is there: not text that becomes part of a statement.
    await expect(database.query('SELECT 1 AS one FROM sallyport_user')).rejects.toMatchObject({ kind: 'missing-table' })
    await database.close()
  })

  it('goes on reading and refuses changes where the database is read-only', async () => {
    const store = await wso2ContractStore(wso2)
    await server.run('postgres', 'ALTER DATABASE shared SET default_transaction_read_only = on')
    const standby = await openSqlDatabase(wso2Source)
    const late = await sqlUserStore({ datasource: standby })
    expect(await late.authenticate('alice', 'alice-secret')).toHaveProperty('account')
    await expect(late.setPassword('bob', 'other-secret')).rejects.toBeInstanceOf(StoreError)
    await server.run('postgres', 'ALTER DATABASE shared RESET default_transaction_read_only')
    await standby.close()
    expect(await store.authenticate('bob', 'bob-secret')).toHaveProperty('account')
  })

  it('runs a transaction again that was given up in favour of another one', async () => {
    await own.query('CREATE TABLE pair (id INTEGER PRIMARY KEY, value INTEGER)')
    await own.query('INSERT INTO pair VALUES (1, 0), (2, 0)')
    let begun = 0
    let goOn = (): void => {}
    const bothHoldOne = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const add = (first: number, second: number): Promise<void> =>
      own.transaction(async (query) => {
        await query('UPDATE pair SET value = value + 1 WHERE id = ?', [first])
        if (++begun >= 2) goOn()
        await bothHoldOne
        await query('UPDATE pair SET value = value + 1 WHERE id = ?', [second])
      })
    await Promise.all([add(1, 2), add(2, 1)])
    // The server may give up both.
    expect(begun).toBeGreaterThanOrEqual(3)
    expect(await own.query('SELECT value FROM pair ORDER BY id')).toEqual([{ value: 2 }, { value: 2 }])
  })

  tlsConnections(
    'PostgreSQL',
    {
      scheme: 'jdbc:postgresql:',
      verified: 'ssl=true',
      chainOnly: 'sslmode=verify-ca',
      unverified: 'ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory',
      ca: 'sslrootcert',
      otherHost: '127.0.0.1',
    },
    () => ({ server, database: 'own', credentials: { username: postgresqlUser } }),
    'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  )

  databaseFaults(
    'PostgreSQL',
    () => ({
      server,
      datasource: wso2Source,
      backends: () => server.backends('shared'),
      processes: async () => [server.pid(), ...(await server.backends('shared'))],
      cutOff: (backend) => server.run('postgres', 'SELECT pg_terminate_backend($1)', [backend]),
      async lockUsers() {
        const client = new pg.Client({ host: '127.0.0.1', port: server.port, database: 'shared', user: postgresqlUser })
        await client.connect()
        await client.query('BEGIN')
        await client.query('LOCK TABLE UM_USER IN EXCLUSIVE MODE')
        return () => client.end()
      },
      async fillDisk() {
        await server.run(
          'shared',
          `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
          CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON UM_USER FOR EACH ROW EXECUTE FUNCTION no_room()`,
        )
        return () => server.run('shared', 'DROP FUNCTION no_room CASCADE')
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
