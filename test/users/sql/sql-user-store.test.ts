import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash as argon2 } from '@node-rs/argon2'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ConfigError, StoreError } from '../../../lib/core/errors.js'
import { openSqlDatabase } from '../../../lib/sql/open-sql-database.js'
import { isSqlError, loadDriver, type SqlDatabase } from '../../../lib/sql/sql-database.js'
import { initSchema } from '../../../lib/users/sql/own-schema.js'
import { type SqlUserStoreOptions, sqlUserStore } from '../../../lib/users/sql/sql-user-store.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import { insertOwnUser } from './engine.js'
import { wso2Tables } from './wso2-tables.js'

const url = 'jdbc:sqlite::memory:'

describe('the options of the SQL user store', () => {
  it.each([
    [{ userNamePattern: '(' }, 'user_store.username_java_regex'],
    [{ passwordPattern: '(' }, 'user_store.password_java_regex'],
    [{ roleNamePattern: '(' }, 'user_store.rolename_java_regex'],
    [{ passwordDigest: 'SHA-257' }, 'user_store.password_digest'],
    [{ passwordDigest: 'constructor' }, 'user_store.password_digest'],
    [{ datasource: { url: 'jdbc:h2:x' } }, 'datasource.url'],
  ])('%j are refused at the start', async (options, key) => {
    const error: unknown = await sqlUserStore({ datasource: { url }, ...options }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).problems).toMatchObject([{ key }])
  })

  it('names every pattern that cannot be read at once', async () => {
    const error: unknown = await sqlUserStore({
      datasource: { url },
      userNamePattern: '(',
      passwordPattern: '[',
    }).catch((reason: unknown) => reason)
    expect((error as ConfigError).problems).toHaveLength(2)
  })

  it.each([
    [{}, 0],
    [{ passwordDigest: 'SHA-512' }, 0],
    [{ passwordDigest: 'SHA-1' }, 1],
    [{ passwordDigest: 'MD5' }, 1],
    [{ storeSaltedPasswords: false }, 1],
    [{ passwordDigest: 'PLAIN_TEXT' }, 1],
    [{ datasource: { url: 'jdbc:postgresql://db.example/users' } }, 1],
  ])('%j warn %i times', async (options, count) => {
    const { logger, entries } = recordedLog()
    await (await sqlUserStore({ datasource: { url }, logger, ...options })).close()
    expect(entries.filter(({ level }) => level === 'warn')).toHaveLength(count)
  })

  it('name the line that installs a missing package', async () => {
    const missing = loadDriver('SQLite', 'the-package', () => Promise.reject(new Error('not found')))
    await expect(missing).rejects.toMatchObject({
      code: 'ERR_CONFIG_MISSING_PACKAGE',
      message: expect.stringContaining('npm install the-package'),
    })
  })
})

describe('our own tables', () => {
  let database: SqlDatabase
  const storeWith = (options: Partial<SqlUserStoreOptions> = {}) => sqlUserStore({ datasource: database, ...options })

  beforeEach(async () => {
    database = await openSqlDatabase({ url })
    await initSchema(database)
  })

  afterEach(() => database.close())

  it('are made once, with a role of administrators for the first user', async () => {
    await initSchema(database, { adminRole: 'chief' })
    await initSchema(database, { adminRole: 'chief' })
    const store = await storeWith({ adminRole: 'chief' })
    await store.add({ name: 'alice', password: 'alice-secret', isAdmin: true })
    expect(await store.find('alice')).toMatchObject({ isAdmin: true, roles: ['Internal/everyone', 'chief'] })
  })

  it('are not made beside those of WSO2', async () => {
    const shared = await openSqlDatabase({ url })
    for (const statement of wso2Tables('sqlite')) await shared.query(statement)
    await expect(initSchema(shared)).rejects.toBeInstanceOf(ConfigError)
    await shared.close()
  })

  it('are asked for again when they were missing at first', async () => {
    const empty = await openSqlDatabase({ url })
    const store = await sqlUserStore({ datasource: empty })
    await expect(store.find('alice')).rejects.toThrow(/initSchema/)
    await expect(store.find('alice')).rejects.toBeInstanceOf(StoreError)
    await initSchema(empty)
    expect(await store.find('alice')).toBeUndefined()
    await empty.close()
  })

  it('refuse a user who is switched off, after the password', async () => {
    const store = await storeWith()
    await store.add({ name: 'alice', password: 'alice-secret', isAdmin: false })
    await database.query('UPDATE sallyport_user SET is_disabled = TRUE')
    expect(await store.authenticate('alice', 'alice-secret')).toMatchObject({ failure: 'disabled' })
    expect(await store.authenticate('alice', 'wrong-secret')).toMatchObject({ failure: 'wrong-password' })
    expect(await store.find('alice')).toBeUndefined()
  })

  it('let a password in that a stricter pattern would not take any more', async () => {
    const store = await storeWith()
    await store.add({ name: 'alice', password: 'alice-secret', isAdmin: false })
    const strict = await storeWith({ passwordPattern: '.{20,}' })
    expect(await strict.authenticate('alice', 'alice-secret')).toHaveProperty('account')
    await expect(strict.setPassword('alice', 'alice-secret')).rejects.toMatchObject({ code: 'invalid-password' })
  })

  it.each([
    'eight888',
    'with blanks in it',
    '\u043f\u0430\u0440\u043e\u043b\u044c \u043d\u0430 \u0432\u043e\u0441\u0435\u043c\u044c',
    '\u5bc6\u7801\u5bc6\u7801\u5bc6\u7801\u5bc6\u7801',
    '\u{1f511}'.repeat(8),
    'x'.repeat(128),
    ' 8 chars',
  ])('take the password %j', async (password) => {
    const store = await storeWith()
    await store.add({ name: 'alice', password, isAdmin: false })
    await store.setPassword('alice', password)
    expect(await store.authenticate('alice', password)).toHaveProperty('account')
  })

  it.each(['seven77', '\u{1f511}'.repeat(7), 'x'.repeat(129), ''])(
    'refuse the password %j with the rule',
    async (password) => {
      const store = await storeWith()
      const refusal = { code: 'invalid-password', message: expect.stringContaining('8 to 128 characters') }
      await expect(store.add({ name: 'alice', password, isAdmin: false })).rejects.toMatchObject(refusal)
    },
  )

  it('keep to a pattern that the file has, and tell its message', async () => {
    const store = await storeWith({ passwordPattern: '^\\d{4}$', passwordMessage: 'a PIN of four digits' })
    await store.add({ name: 'alice', password: '2468', isAdmin: false })
    await expect(store.setPassword('alice', 'with blanks in it')).rejects.toMatchObject({
      message: 'The password is not allowed: a PIN of four digits.',
    })
  })

  describe('with a weak hash', () => {
    const weakHash = () => argon2('alice-secret', { memoryCost: 4096, timeCost: 1, parallelism: 1 })
    const storedHash = async () =>
      (await database.query('SELECT password_hash FROM sallyport_user'))[0]!['password_hash']

    it('get a stronger one at a good login, and the version stays', async () => {
      const weak = await weakHash()
      await insertOwnUser(database, 'alice', weak)
      const store = await storeWith()
      expect(await store.authenticate('alice', 'wrong-secret')).toMatchObject({ failure: 'wrong-password' })
      expect(await storedHash()).toBe(weak)
      const { account } = await store.authenticate('alice', 'alice-secret')
      expect(await storedHash()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
      expect(await store.find('alice')).toEqual(account)
      expect(await store.authenticate('alice', 'alice-secret')).toEqual({ account })
    })

    it('keep it in a read-only store', async () => {
      const weak = await weakHash()
      await insertOwnUser(database, 'alice', weak)
      const store = await storeWith({ readOnly: true })
      expect(await store.authenticate('alice', 'alice-secret')).toHaveProperty('account')
      expect(await storedHash()).toBe(weak)
    })

    it('log in all the same when it cannot be stored', async () => {
      await insertOwnUser(database, 'alice', await weakHash())
      const { logger, entries } = recordedLog()
      const query = vi.fn(database.query).mockImplementation(async (sql, ...rest) => {
        if (sql.startsWith('UPDATE')) throw new StoreError('read-only')
        return database.query(sql, ...rest)
      })
      const store = await sqlUserStore({ datasource: { ...database, query }, logger })
      expect(await store.authenticate('alice', 'alice-secret')).toHaveProperty('account')
      expect(entries).toMatchObject([{ level: 'warn' }])
    })
  })
})

describe('a SQLite file', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-sqlite-'))
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  it('is made so that only its owner can read it, and keeps its users', async () => {
    const datasource = { url: 'jdbc:sqlite:./users.db', home: folder }
    const first = await openSqlDatabase(datasource)
    await initSchema(first)
    const store = await sqlUserStore({ datasource: first })
    await store.add({ name: 'alice', password: 'alice-secret', isAdmin: true })
    await first.close()
    expect(statSync(join(folder, 'users.db')).mode & 0o777).toBe(0o600)

    const later = await sqlUserStore({ datasource })
    expect(await later.authenticate('alice', 'alice-secret')).toHaveProperty('account')
    await later.close()
    await expect(later.find('alice')).rejects.toBeInstanceOf(StoreError)
  })

  it('waits for another process that writes, without holding this one up, and gives up in time', async () => {
    const datasource = { url: 'jdbc:sqlite:users.db', home: folder }
    const [one, other] = [await openSqlDatabase(datasource), await openSqlDatabase(datasource)]
    await initSchema(one)
    await initSchema(other)
    let turns = 0
    const countTurn = (): void => {
      turns++
      counting = setImmediate(countTurn)
    }
    let counting = setImmediate(countTurn)
    await one.transaction(
      async (query) => {
        await query(`INSERT INTO sallyport_role (role_id, name) VALUES ('1', 'one')`)
        turns = 0
        const waiting = other.transaction(async () => 'done', { timeoutMs: 300 })
        const blocked: unknown = await waiting.catch((error: unknown) => error)
        expect(isSqlError(blocked, 'timeout')).toBe(true)
      },
      { timeoutMs: 60_000 },
    )
    clearImmediate(counting)
    expect(turns).toBeGreaterThan(3)
    expect(await other.transaction(async () => 'done')).toBe('done')
    await one.close()
    await other.close()
  })

  it('goes on reading while there is no room, refuses changes, loses nothing, and heals', async () => {
    const database = await openSqlDatabase({ url: 'jdbc:sqlite:users.db', home: folder })
    await initSchema(database)
    const store = await sqlUserStore({ datasource: database })
    await store.add({ name: 'alice', password: 'alice-secret', isAdmin: true })
    const [pages] = await database.query('PRAGMA page_count')
    await database.query(`PRAGMA max_page_count = ${Number(pages!['page_count'])}`)
    const added: string[] = []
    const fill = async (): Promise<void> => {
      for (let count = 0; count < 1000; count++) {
        await store.add({ name: `user${count}`, password: 'user-secret', isAdmin: false })
        added.push(`user${count}`)
      }
    }
    await expect(fill()).rejects.toBeInstanceOf(StoreError)
    expect(await store.authenticate('alice', 'alice-secret')).toHaveProperty('account')
    expect(await store.list({ pattern: 'user*' })).toEqual([...added].sort())
    await database.query('PRAGMA max_page_count = 1000000')
    await store.add({ name: 'bob', password: 'bob-secret', isAdmin: false })
    expect(await store.find('bob')).toMatchObject({ subject: 'bob' })
    await database.close()
  })

  it('that cannot be opened makes the store unavailable', async () => {
    const store = await sqlUserStore({ datasource: { url: 'jdbc:sqlite:none/users.db', home: folder } })
    await expect(store.find('alice')).rejects.toBeInstanceOf(StoreError)
    await store.close()
  })
})
