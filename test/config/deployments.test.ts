/** Real files of API Manager, Identity Server and their charts, and every key that WSO2's products know. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../lib/config/load.js'
import { parseConfig } from '../../lib/config/parse.js'
import { ConfigError, type ConfigProblem } from '../../lib/core/errors.js'

const deployments = fileURLToPath(new URL('deployments/apim/', import.meta.url))
const load = (name: string) => loadConfig(join(deployments, name), { env: {} })

describe('a deployment.toml of API Manager or Identity Server', () => {
  const names = readdirSync(deployments)

  it('is there in 18 kinds', () => {
    expect(names).toHaveLength(18)
  })

  it.each(names)('%s is read as it is, and has no key that is not known but one', async (name) => {
    const { warnings } = await load(name)
    const unknown = warnings.filter(({ rule }) => rule.includes('not known here'))
    // The charts write this placeholder where a user may add keys.
    expect(unknown.filter(({ key }) => key !== 'user_store.key')).toEqual([])
  })

  it.each([
    ['apim-shipped.toml', 'database.shared_db', /^is H2, which has no driver here: every login answers 503 until/],
    ['helm-apim-cp-1.toml', 'database.shared_db', /^names no database that there is a driver for: every login/],
    [
      'apim-v2-basic.toml',
      'database.shared_db.type',
      /^needs the environment variable SHARED_DATABASE_TYPE, which is not set: /,
    ],
  ])('%s starts, with one warning of a user store that cannot be used', async (name, key, rule) => {
    const { warnings, userStore, fileUsers } = await load(name)
    const about = warnings.filter(({ key }) => /^(?:user_store|database|super_admin)(?!\.key)/.test(key))
    expect(about).toEqual([expect.objectContaining({ key, rule: expect.stringMatching(rule) })])
    expect(userStore).toMatchObject({ type: 'unavailable', reason: `${key} ${about[0]?.rule}` })
    expect(fileUsers.isEnabled).toBe(false)
  })

  it.each(['is-docker.toml', 'is-as-km.toml'])('%s takes users from the database that it names', async (name) => {
    const { userStore } = await load(name)
    const sql = {
      datasource: {
        url: expect.stringMatching(/^jdbc:mysql:\/\/mysql:3306\/\w+SHARED_DB\?\S+$/),
        username: 'wso2carbon',
      },
    }
    expect(userStore).toMatchObject({ type: 'database', domain: 'PRIMARY', sql })
  })
})

describe('the users of a file with [database.*] and without [internal_apis]', () => {
  function storeOf(database: object, more: object = {}, env: Record<string, string> = {}) {
    const source = { user_store: { type: 'database_unique_id' }, database, ...more }
    return parseConfig(source, { env })
  }

  it.each([
    ['postgre', { hostname: 'db', port: 5433, name: 'shared_db' }, 'jdbc:postgresql://db:5433/shared_db'],
    ['postgresql', { hostname: 'db', port: '5433', name: 'shared' }, 'jdbc:postgresql://db:5433/shared'],
    ['mysql', { hostname: 'db', name: 'shared_db' }, 'jdbc:mysql://db/shared_db'],
    ['MySQL', { name: 'a b' }, 'jdbc:mysql://localhost/a%20b'],
    ['mariadb', { hostname: '::1', port: 3306, name: 'x' }, 'jdbc:mariadb://[::1]:3306/x'],
    ['mysql', { url: 'jdbc:mysql://h/x?useSSL=false&amp;a=b', hostname: 'no' }, 'jdbc:mysql://h/x?useSSL=false&a=b'],
    ['', { url: 'jdbc:sqlite:./users.db' }, 'jdbc:sqlite:./users.db'],
    ['mssql', { url: 'jdbc:postgresql://h/x' }, 'jdbc:postgresql://h/x'],
  ])('come from a database of type %j with %j', (type, keys, url) => {
    const pool_options = { maxActive: '50' }
    const { userStore } = storeOf({ shared_db: { type, ...keys, username: 'u', password: 'throw-away', pool_options } })
    expect(userStore).toMatchObject({
      type: 'database',
      sql: { datasource: { url, username: 'u', password: 'throw-away', maxConnections: 50 } },
    })
  })

  it('come from [database.user] rather than [database.shared_db], and from a [[datasource]] that is named rather than both', () => {
    const database = { user: { url: 'jdbc:postgresql://h/user' }, shared_db: { url: 'jdbc:postgresql://h/shared' } }
    const url = (more: object) => storeOf(database, more).userStore
    expect(url({})).toMatchObject({ sql: { datasource: { url: 'jdbc:postgresql://h/user' } } })
    const datasource = [{ id: 'OWN', url: 'jdbc:postgresql://h/own' }]
    const named = { realm_manager: { data_source: 'OWN' }, datasource }
    expect(url(named)).toMatchObject({ sql: { datasource: { url: 'jdbc:postgresql://h/own' } } })
    const table = { OWN: { url: 'jdbc:postgresql://h/own' } }
    expect(url({ ...named, datasource: table })).toMatchObject({
      sql: { datasource: { url: 'jdbc:postgresql://h/own' } },
    })
  })

  it('come from a directory where [user_store] names one', () => {
    const user_store = { type: 'read_only_ldap_unique_id', connection_url: 'ldap://h', anonymous_bind: true }
    expect(storeOf({ shared_db: { type: 'h2' } }, { user_store }).userStore).toMatchObject({ type: 'read_only_ldap' })
  })

  it.each([
    ['h2', 'jdbc:h2:./database/SHARED', 'H2'],
    ['oracle', 'jdbc:oracle:thin:@h:1521/x', 'Oracle'],
    ['mssql', 'jdbc:sqlserver://h:1433;databaseName=x', 'Microsoft SQL Server'],
    ['db2', 'jdbc:db2://h:50000/x', 'IBM DB2'],
  ])('cannot come from %s, and one warning says what to write', (type, url, product) => {
    for (const table of [{ type }, { url }, { type, url }, { type, hostname: 'h', port: 1, name: 'x' }]) {
      const { warnings } = storeOf({ shared_db: table }, { super_admin: { username: 'admin', password: 'admin' } })
      const { key, rule } = warnings[0]!
      expect(warnings).toHaveLength(1)
      expect(key).toBe('database.shared_db')
      expect(rule).toContain(`is ${product}, which has no driver here: every login answers 503 until`)
      expect(rule).toContain('PostgreSQL, MySQL, MariaDB or SQLite')
    }
  })

  it('cannot come from a class in Java, or from a file that names neither database', () => {
    const ofClass = storeOf({ shared_db: { type: 'mysql' } }, { user_store: { class: 'com.example.OwnManager' } })
    expect(ofClass.userStore).toMatchObject({
      type: 'unavailable',
      reason: expect.stringMatching(/^user_store\.class is a class in Java/),
    })
    for (const store of [
      { type: 'database_unique_id', class: 'com.example.OwnJDBCUserStoreManager' },
      {
        type: 'read_only_ldap',
        class: 'com.example.OwnLDAPUserStoreManager',
        connection_url: 'ldap://h',
        base_dn: 'dc=x',
      },
    ]) {
      const { userStore, warnings } = storeOf(
        { shared_db: { type: 'mysql', hostname: 'h', name: 'x' } },
        { user_store: store },
      )
      expect([userStore?.type, warnings.map(({ key }) => key)]).toEqual(['unavailable', ['user_store.class']])
    }
    const other = storeOf({ apim_db: { type: 'mysql', name: 'x' } })
    expect(other.userStore).toMatchObject({
      type: 'unavailable',
      reason: expect.stringMatching(/^database has neither/),
    })
  })

  it('are those of the file as soon as it has [internal_apis]', () => {
    const { userStore, fileUsers } = storeOf({ shared_db: { type: 'h2' } }, { internal_apis: {} })
    expect([userStore, fileUsers.isEnabled]).toEqual([undefined, true])
  })

  it('are not reached with a password that has a control character, and the reason names the variable', () => {
    const database = { shared_db: { url: 'jdbc:postgresql://h/x', password: '$env{PW}' } }
    const { userStore } = storeOf(database, {}, { PW: 'throw\naway' })
    expect(userStore).toMatchObject({
      reason: expect.stringMatching(/^database\.shared_db\.password has .* variable PW brings/),
    })
  })

  it('need variables only as far as the database is used', () => {
    const database = { apim_db: { url: '$env{MISSING}' }, shared_db: { url: '$env{URL}', password: '$env{PW}' } }
    const env = { URL: 'jdbc:postgresql://h/x', PW: 'throw-away\n' }
    expect(storeOf(database, {}, env).userStore).toMatchObject({ sql: { datasource: { password: 'throw-away' } } })
  })
})

describe('a key of WSO2', () => {
  const keys = readFileSync(new URL('wso2-keys.tsv', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t', 1)[0]!.split('.'))
  /** A value of each type that real files have: keys are mostly of one type, which the catalogue does not say. */
  const values = ['x', true, 7, ['x'], {}, [{}]]

  it('is there 2 347 times', () => {
    expect(keys).toHaveLength(2347)
  })

  it('is never refused by its name, and never counted as unknown', () => {
    const refused = keys.filter((key) => {
      const source = (value: unknown) => key.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object
      return values.every((value) => isRefusedByName(source(value)))
    })
    expect(refused.map((key) => key.join('.'))).toEqual([])
  })

  function isRefusedByName(source: object): boolean {
    const byName = /known|belongs|must (?:not )?be a(?:n array of)? table|was a table/
    const rules = outcomeOf(source).map(({ rule }) => rule)
    return rules.some((rule) => byName.test(rule))
  }
})

/** What `parseConfig` has against an object: its mistakes, or where there are none its warnings. */
function outcomeOf(source: object): readonly ConfigProblem[] {
  try {
    return parseConfig(source, { env: {} }).warnings
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
