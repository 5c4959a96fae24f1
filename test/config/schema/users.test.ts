import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { problemsOf, warningsOf } from '../problems-of.js'

const usersOf = (...users: object[]) => parseConfig({ internal_apis: { users } }).fileUsers.users
const user = (rest: object) => ({ user: { name: 'alice', password: 'wonderland', ...rest } })
const ruleOf = (...users: unknown[]) => problemsOf({ internal_apis: { users } })

describe('[[internal_apis.users]]', () => {
  it('has names, passwords, roles, and no administrators unless it says so', () => {
    expect(usersOf(user({}), user({ name: 'bob', is_admin: 'True', roles: ['ops'] }))).toEqual([
      { name: 'alice', password: 'wonderland', isAdmin: false, roles: [] },
      { name: 'bob', password: 'wonderland', isAdmin: true, roles: ['ops'] },
    ])
  })

  it('turns names into NFC', () => {
    expect(usersOf(user({ name: 'Zoe\u0308' }))[0]?.name).toBe('Zo\u00eb')
  })

  it.each(['', ' ', 'a:b', 'a\u0000', 'a\nb', 'a\u0085b', 'x'.repeat(256), 7, null])('refuses the name %j', (name) => {
    expect(Object.keys(ruleOf(user({ name })))).toEqual(['internal_apis.users[0].user.name'])
  })

  it('counts characters, not code units', () => {
    expect(ruleOf(user({ name: '\u{1f600}'.repeat(255) }))).toEqual({})
  })

  it.each(['', ' ', '\t', 12345678, true, ['wonderland'], { a: 'wonderland' }])(
    'refuses the password %j, and does not show it',
    (password) => {
      const problems = ruleOf(user({ password }))
      expect(Object.keys(problems)).toEqual(['internal_apis.users[0].user.password'])
      expect(Object.values(problems)[0]).toMatch(
        /^must be a hash in quotes, printed by .* or a password that is not blank, got a [a-z]+ that is not shown$/,
      )
    },
  )

  it('refuses two of one name, also when they are spelled in two forms', () => {
    const problems = ruleOf(user({ name: 'Zoe\u0308' }), user({ name: 'x' }), user({ name: 'Zo\u00eb' }))
    expect(Object.keys(problems)).toEqual(['internal_apis.users[2].user.name'])
    expect(Object.values(problems)[0]).toContain('the other is internal_apis.users[0].user.name')
  })

  it('takes names that differ in case for two', () => {
    expect(ruleOf(user({ name: 'alice' }), user({ name: 'Alice' }))).toEqual({})
  })

  it('says how a key without its "user." is written', () => {
    expect(ruleOf({ name: 'alice', password: 'wonderland' })).toEqual({
      'internal_apis.users[0].name': 'is not a known key; did you mean internal_apis.users[0].user.name?',
      'internal_apis.users[0].password': 'is not a known key; did you mean internal_apis.users[0].user.password?',
    })
  })

  it('lists the mistakes of every user', () => {
    expect(Object.keys(ruleOf(user({ name: '' }), user({ password: '' }), {}, 'x', user({ roles: 'ops' })))).toEqual([
      'internal_apis.users[0].user.name',
      'internal_apis.users[1].user.password',
      'internal_apis.users[2].user.name',
      'internal_apis.users[2].user.password',
      'internal_apis.users[3]',
      'internal_apis.users[4].user.roles',
    ])
  })

  it('is an array of tables', () => {
    expect(problemsOf({ internal_apis: { users: user({}) } })).toEqual({
      'internal_apis.users': 'must be an array of tables, written with [[ ]], got a table',
    })
  })
})

describe('[user_store]', () => {
  const off = { internal_apis: { file_user_store: { enable: false } } }
  const database = { datasource: [{ id: 'WSO2CarbonDB', url: 'jdbc:sqlite:./users.db' }] }

  it.each([
    [{ type: 'read_only_ldap' }, 'read_only_ldap'],
    [{ type: 'read_write_ldap' }, 'read_write_ldap'],
    [{ type: 'database' }, 'database'],
    [{ type: 'database_unique_id' }, 'database'],
    [{ class: 'org.example.ldap.ReadOnlyLDAPUserStoreManager' }, 'read_only_ldap'],
    [{ class: 'org.example.jdbc.JDBCUserStoreManager' }, 'database'],
  ])('%j is one of type %s', (user_store, type) => {
    expect(parseConfig({ ...off, user_store, ...database }).userStore).toMatchObject({ type, key: 'user_store' })
  })

  it.each([{}, { user_store: {} }, { user_store: { recheck_grace: '1m' } }])(
    'is demanded when the file store is off: %j is none',
    (rest) => {
      expect(problemsOf({ ...off, ...rest })['internal_apis.file_user_store.enable']).toMatch(
        /^must not be false without a \[user_store\].*, got false$/,
      )
    },
  )

  it('refuses another type, and values of the wrong type', () => {
    const user_store = { type: 'ldap', read_groups: 'maybe', ldap_connection_timeout: 'soon', connection_url: 389 }
    expect(problemsOf({ user_store })).toEqual({
      'user_store.type': 'must be read_only_ldap, read_write_ldap, active_directory or database, got "ldap"',
      'user_store.read_groups': 'must be true or false, got "maybe"',
      'user_store.ldap_connection_timeout': 'must be a whole number, got "soon"',
      'user_store.connection_url': 'must be a text in quotes, got 389',
    })
  })

  it('takes empty texts, numbers in quotes, properties and odd spellings', () => {
    const user_store = {
      type: 'read_only_ldap',
      read_timeout: '',
      max_user_name_list_length: '100',
      connection_retry_delay: 120000,
      empty_roles_allowed: true,
      properties: { ConnectionURL: 'ldap://x', StartTLSEnabled: true, 'java.naming.ldap.attributes.binary': 'x' },
    }
    expect(problemsOf({ user_store })).toEqual({})
  })

  it('is warned about once while the users come from the file', () => {
    expect(Object.keys(warningsOf({ user_store: { type: 'database' }, datasource: [{ id: 'x' }] }))).toEqual([
      'user_store',
    ])
    expect(Object.keys(warningsOf({ datasource: [{ id: 'x', pool_options: { maxActive: 5 } }] }))).toEqual([
      'datasource',
    ])
    expect(warningsOf({ ...off, user_store: { type: 'database' }, ...database })).toEqual({})
  })
})
