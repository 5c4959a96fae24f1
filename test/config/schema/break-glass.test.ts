import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { managementApiOf, problemsOf } from '../problems-of.js'

const password = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA'
const account = { enable: true, user: 'emergency', password, allow: ['10.0.0.0/8'] }
const problems = (changes: object) => problemsOf({ management_api: { break_glass: { ...account, ...changes } } })

describe('[management_api.break_glass]', () => {
  it('is off unless it is switched on', () => {
    expect(managementApiOf({}).breakGlass).toBeUndefined()
    expect(managementApiOf({ break_glass: { ...account, enable: 'false' } }).breakGlass).toBeUndefined()
  })

  it('has an account, with defaults for the times', () => {
    expect(managementApiOf({ break_glass: account }).breakGlass).toEqual({
      userName: 'emergency',
      passwordHash: password,
      allowedNetworks: ['10.0.0.0/8'],
      afterMs: 30_000,
      maxTokenAgeMs: 900_000,
    })
    const { afterMs, maxTokenAgeMs } = managementApiOf({
      break_glass: { ...account, after: '2m', max_token_age: '1h' },
    }).breakGlass!
    expect([afterMs / 1000, maxTokenAgeMs / 1000]).toEqual([120, 3600])
  })

  it.each([
    [{ password: 'a-plain-password' }, 'password'],
    [{ password: undefined }, 'password'],
    [{ user: undefined }, 'user'],
    [{ user: 'a:b' }, 'user'],
    [{ user: 'a/b' }, 'user'],
    [{ user: ' ' }, 'user'],
    [{ allow: undefined }, 'allow'],
    [{ allow: [] }, 'allow'],
    [{ allow: ['10.0.0.0/33'] }, 'allow[0]'],
    [{ after: 30 }, 'after'],
    [{ max_token_age: '0s' }, 'max_token_age'],
    [{ alow: [] }, 'alow'],
  ])('refuses %j at the key %s', (changes, key) => {
    expect(Object.keys(problems(changes))).toEqual([`management_api.break_glass.${key}`])
  })

  it('never shows the password', () => {
    expect(JSON.stringify(problems({ password: 'a-plain-password' }))).not.toContain('a-plain')
  })
})

describe('[[user_store.secondary]]', () => {
  const storesOf = (...secondary: object[]) => ({
    internal_apis: { file_user_store: { enable: false } },
    datasource: [{ id: 'WSO2CarbonDB', url: 'jdbc:sqlite:./users.db' }],
    user_store: { type: 'database', domain_name: 'CORP', secondary },
  })

  it('has stores in the order of the file, without disabled ones', () => {
    const source = storesOf(
      { domain_name: 'sales', type: 'read_only_ldap', connection_url: 'ldap://sales.test' },
      { domain_name: 'old', type: 'database', disable: 'true' },
      { domain_name: 'labs', class: 'org.example.JDBCUserStoreManager', properties: { ReadOnly: true } },
    )
    expect(parseConfig(source, { env: {} }).secondaryUserStores).toMatchObject([
      { key: 'user_store.secondary[0]', domain: 'SALES', type: 'read_only_ldap' },
      { key: 'user_store.secondary[2]', domain: 'LABS', type: 'database' },
    ])
  })

  it.each([
    [{ type: 'database' }, 'domain_name'],
    [{ type: 'database', domain_name: 'primary' }, 'domain_name'],
    [{ type: 'database', domain_name: 'Internal' }, 'domain_name'],
    [{ type: 'database', domain_name: 'break-glass' }, 'domain_name'],
    [{ type: 'database', domain_name: 'a/b' }, 'domain_name'],
    [{ type: 'database', domain_name: 'corp' }, 'domain_name'],
    [{ domain_name: 'sales' }, 'type'],
    [{ domain_name: 'sales', type: 'databse' }, 'type'],
    [{ domain_name: 'sales', type: 'database', conection_url: '' }, 'conection_url'],
  ])('refuses %j at %s', (store, key) => {
    expect(Object.keys(problemsOf(storesOf(store)))).toEqual([`user_store.secondary[0].${key}`])
  })

  it('refuses one domain for two', () => {
    const store = { domain_name: 'sales', type: 'database' }
    expect(Object.keys(problemsOf(storesOf(store, { ...store, domain_name: 'SALES' })))).toEqual([
      'user_store.secondary[1].domain_name',
    ])
  })
})
