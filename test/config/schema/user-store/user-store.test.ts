import { describe, expect, it } from 'vitest'
import type { DatabaseConfig, DirectoryConfig } from '../../../../lib/config/config.js'
import type { ConfigOptions } from '../../../../lib/config/parse.js'
import { parseConfig } from '../../../../lib/config/parse.js'
import { problemsOf } from '../../problems-of.js'

const off = { internal_apis: { file_user_store: { enable: false } } }
const datasource = [{ id: 'WSO2CarbonDB', url: 'jdbc:sqlite:./users.db' }]
const options: ConfigOptions = { env: {}, home: '/srv' }

function storeOf(user_store: object, root: object = {}) {
  return parseConfig({ ...off, datasource, user_store, ...root }, options).userStore
}
const ldapOf = (keys: object, root?: object) =>
  (storeOf({ type: 'read_only_ldap', ...keys }, root) as DirectoryConfig).ldap
const sqlOf = (keys: object, root?: object) => (storeOf({ type: 'database', ...keys }, root) as DatabaseConfig).sql
const mistakesOf = (user_store: object, root: object = {}) =>
  problemsOf({ ...off, datasource, user_store, ...root }, options)

describe('what is inferred for a directory', () => {
  const common = {
    connectionUrl: 'ldap://localhost:10389',
    connectionName: 'uid=admin,ou=system',
    userSearchBase: 'ou=Users,dc=wso2,dc=org',
    userNameAttribute: 'uid',
    userNameSearchFilter: '(&(objectClass=person)(uid=?))',
    userNameListFilter: '(objectClass=person)',
    groupSearchBase: 'ou=Groups,dc=wso2,dc=org',
    groupNameAttribute: 'cn',
    groupNameSearchFilter: '(&(objectClass=groupOfNames)(cn=?))',
    groupNameListFilter: '(objectClass=groupOfNames)',
    membershipAttribute: 'member',
    memberOfAttribute: undefined,
    userDnPattern: undefined,
    userNamePattern: '[a-zA-Z0-9._\\-|//]{3,30}$',
    roleNamePattern: '[a-zA-Z0-9._\\-|//]{3,30}$',
    passwordPattern: '^[\\S]{5,30}$',
    passwordHashMethod: 'PLAIN_TEXT',
    connectTimeoutMs: 5000,
    readTimeoutMs: undefined,
    connectionRetryDelayMs: undefined,
    maxUsers: 100,
    maxRoles: 100,
    activeDirectory: false,
    startTls: false,
    bindAnonymously: false,
    domain: 'PRIMARY',
    adminRole: 'admin',
    superAdmin: 'admin',
  }

  it('that is only read', () => {
    const readOnly = { readOnly: true, readGroups: undefined, writeGroups: false, userEntryObjectClass: undefined }
    expect(storeOf({ type: 'read_only_ldap' })).toMatchObject({
      key: 'user_store',
      type: 'read_only_ldap',
      domain: 'PRIMARY',
      ldap: { ...common, ...readOnly, groupEntryObjectClass: undefined },
    })
  })

  it('that is written too', () => {
    const written = { readOnly: false, readGroups: true, writeGroups: true, userEntryObjectClass: 'identityPerson' }
    expect(storeOf({ type: 'read_write_ldap' })).toMatchObject({
      type: 'read_write_ldap',
      ldap: { ...common, ...written, groupEntryObjectClass: 'groupOfNames' },
    })
  })

  it.each([
    { class: 'org.example.ActiveDirectoryUserStoreManager' },
    { type: 'read_write_ldap', class: 'org.example.ActiveDirectoryUserStoreManager' },
    { type: 'active_directory' },
    { type: 'active_directory_unique_id' },
  ])('that is an Active Directory: %j', (keys) => {
    expect(storeOf(keys)).toMatchObject({
      type: 'read_write_ldap',
      ldap: {
        activeDirectory: true,
        readOnly: false,
        userNameAttribute: 'cn',
        userNameSearchFilter: '(&(objectClass=user)(cn=?))',
        userEntryObjectClass: 'user',
        groupNameListFilter: '(objectCategory=group)',
        groupEntryObjectClass: 'group',
        memberOfAttribute: 'memberOf',
      },
    })
    const readOnly = storeOf({ ...keys, properties: { ReadOnly: 'true', UserNameAttribute: 'sAMAccountName' } })
    expect(readOnly).toMatchObject({
      type: 'read_only_ldap',
      ldap: { activeDirectory: true, readOnly: true, userNameAttribute: 'sAMAccountName' },
    })
  })

  it('below base_dn', () => {
    expect(ldapOf({ base_dn: 'dc=example,dc=org' })).toMatchObject({
      userSearchBase: 'ou=Users,dc=example,dc=org',
      groupSearchBase: 'ou=Groups,dc=example,dc=org',
    })
    expect(ldapOf({ base_dn: 'dc=x', user_search_base: 'ou=People,$ref{user_store.base_dn}' }).userSearchBase).toBe(
      'ou=People,dc=x',
    )
    expect(ldapOf({ user_search_base: 'ou=People,$ref{user_store.base_dn}' }).userSearchBase).toBe(
      'ou=People,dc=wso2,dc=org',
    )
  })

  it('is no account once the file names one, or wants none', () => {
    expect(ldapOf({ connection_name: 'cn=me', connection_password: 'service-secret' })).toMatchObject({
      connectionName: 'cn=me',
      connectionPassword: 'service-secret',
    })
    expect(ldapOf({ anonymous_bind: 'true' })).toMatchObject({ bindAnonymously: true, connectionName: undefined })
    expect(ldapOf({ connection_name: 'cn=me' })).toMatchObject({ connectionName: 'cn=me', connectionPassword: 'admin' })
    expect(mistakesOf({ type: 'read_only_ldap', connection_name: 'cn=me', connection_password: '' })).toEqual({
      'user_store.connection_password': expect.stringMatching(/^must not be empty beside connection_name, got/),
    })
    expect(mistakesOf({ type: 'read_only_ldap', connection_password: 'service-secret' })).toEqual({
      'user_store.connection_name': 'must be written beside connection_password, got nothing',
    })
  })

  it('follows the rights to write', () => {
    const rights = (keys: object) => {
      const { readOnly: isReadOnly, readGroups, writeGroups } = ldapOf(keys)
      return { readOnly: isReadOnly, readGroups, writeGroups }
    }
    expect(rights({ write_groups: true, read_groups: false })).toEqual({
      readOnly: true,
      readGroups: false,
      writeGroups: false,
    })
    expect(rights({ type: 'read_write_ldap', read_groups: false })).toEqual({
      readOnly: false,
      readGroups: true,
      writeGroups: true,
    })
    expect(rights({ type: 'read_write_ldap', read_groups: false, write_groups: false })).toMatchObject({
      readGroups: false,
    })
    expect(rights({ type: 'read_write_ldap', read_only: 'true' })).toMatchObject({ readOnly: true })
  })
})

describe('what is inferred for a database', () => {
  it('is what WSO2 infers', () => {
    expect(storeOf({ type: 'database' })).toEqual({
      key: 'user_store',
      type: 'database',
      datasourceKey: 'datasource[0]',
      domain: 'PRIMARY',
      sql: {
        datasource: {
          url: 'jdbc:sqlite:./users.db',
          username: undefined,
          password: undefined,
          maxConnections: undefined,
          home: '/srv',
        },
        domain: 'PRIMARY',
        adminRole: 'admin',
        superAdmin: 'admin',
        readOnly: false,
        ignoreCase: true,
        readGroups: true,
        writeGroups: true,
        passwordDigest: 'SHA-256',
        storeSaltedPasswords: true,
        userNamePattern: '^[\\S]{3,30}$',
        roleNamePattern: '^[\\S]{3,30}$',
        passwordPattern: undefined,
        passwordMessage: undefined,
        maxUsers: 100,
        maxRoles: 100,
      },
    })
  })

  it('gives way to what is written, in quotes or not', () => {
    const keys = {
      domain_name: 'corp',
      read_only: 'true',
      case_insensitive_username: 'False',
      write_groups: false,
      read_groups: 'false',
      password_digest: 'SHA-512',
      store_salted_password: 'false',
      username_java_regex: '^[a-z]{3,}$',
      max_user_name_list_length: '250',
      max_role_name_list_length: -1,
    }
    expect(sqlOf(keys, { super_admin: { username: 'root', admin_role: 'administrators' } })).toMatchObject({
      domain: 'CORP',
      adminRole: 'administrators',
      superAdmin: 'root',
      readOnly: true,
      ignoreCase: false,
      readGroups: false,
      writeGroups: false,
      passwordDigest: 'SHA-512',
      storeSaltedPasswords: false,
      userNamePattern: '^[a-z]{3,}$',
      maxUsers: 250,
      maxRoles: -1,
    })
  })

  it('is unset by empty texts as if it were not written', () => {
    expect(sqlOf({ username_java_regex: '', read_only: '', max_user_name_list_length: '', domain_name: '' })).toEqual(
      sqlOf({}),
    )
  })
})

describe('[[datasource]]', () => {
  const corp = {
    id: 'CORP_DB',
    url: 'jdbc:postgresql://db.example/users?ssl=true&amp;sslmode=verify-full',
    username: 'app',
    password: '$env{DB_PASSWORD}',
    driver: 'org.postgresql.Driver',
    pool_options: { maxActive: '20', maxWait: 60000 },
  }
  const others = [{ id: 'OTHER', url: 'jdbc:h2:x', password: '$secret{other}', pool_options: { maxActive: '$env{X}' } }]
  const expected = {
    url: 'jdbc:postgresql://db.example/users?ssl=true&sslmode=verify-full',
    username: 'app',
    password: 'from-the-environment',
    maxConnections: 20,
    home: '/srv',
  }
  const env = { DB_PASSWORD: 'from-the-environment' }

  it.each([
    ['realm_manager.data_source', { realm_manager: { data_source: 'CORP_DB' } }, {}],
    ['data_source', {}, { data_source: 'CORP_DB' }],
    ['the property dataSource', {}, { properties: { dataSource: 'jdbc/CORP_DB' } }],
  ])('is found by %s, and placeholders in others do not matter', (_by, root, keys) => {
    const source = { ...off, datasource: [...others, corp], user_store: { type: 'database', ...keys }, ...root }
    const { userStore } = parseConfig(source, { env, home: '/srv' })
    expect((userStore as DatabaseConfig).sql.datasource).toEqual(expected)
  })

  it.each([
    [
      { datasource: [] },
      'user_store.type',
      'needs a [[datasource]] with id = "WSO2CarbonDB", which is not there: write one',
    ],
    [{ datasource: [{ id: 'x', url: 'jdbc:sqlite:x' }] }, 'user_store.type', 'needs a [[datasource]]'],
    [{ datasource: [{ id: 'WSO2CarbonDB' }] }, 'datasource[0].url', 'must begin with jdbc:'],
    [{ datasource: [{ id: 'WSO2CarbonDB', url: 'jdbc:h2:./db' }] }, 'datasource[0].url', 'must begin with jdbc:'],
    [{ datasource: [{ id: 'WSO2CarbonDB', url: 7 }] }, 'datasource[0].url', 'must be a text in quotes, got 7'],
    [{ datasource: [{ id: 'WSO2CarbonDB', url: '$env{NOPE}' }] }, 'datasource[0].url', 'needs the environment'],
    [{ datasource: [...datasource, ...datasource] }, 'datasource[1].id', 'must not be the id of two databases'],
    [{ datasource: { id: 'WSO2CarbonDB' } }, 'datasource', 'must be an array of tables'],
    [{ datasource: [7, ...datasource] }, 'datasource[0]', 'must be a table'],
    [
      { datasource: [{ ...datasource[0], pool_options: { maxActive: 'many' } }] },
      'datasource[0].pool_options.maxActive',
      'must be a whole number',
    ],
  ])('%j is refused at %s', (root, key, rule) => {
    const problems = mistakesOf({ type: 'database' }, root)
    expect(problems[key]).toContain(rule)
  })

  it('is not asked for while the users come from the file', () => {
    const { userStore } = parseConfig({ user_store: { type: 'database' } }, options)
    expect(userStore).toBeUndefined()
  })

  it('never has its password in a message', () => {
    const url = 'jdbc:oracle:thin:@db?user=app&password=hunter2-secret'
    const root = { datasource: [{ id: 'WSO2CarbonDB', url, password: 12345678 }] }
    const text = JSON.stringify(mistakesOf({ type: 'database' }, root))
    expect(text).toContain('datasource[0].url')
    expect(text).not.toMatch(/hunter2|12345678/)
  })
})

describe('[user_store.properties]', () => {
  it('stand for keys', () => {
    const properties = {
      ConnectionURL: 'ldaps://one.example ldaps://two.example',
      UserNameListFilter: '(&amp;(objectClass=person)(!(sn=Service)))',
      ReadGroups: 'true',
      StartTLSEnabled: true,
      MaxUserNameListLength: '50',
      ConnectionRetryDelay: '2m',
      LDAPConnectionTimeout: 2500,
      UserDNPattern: 'uid={0},ou=Users,dc=x',
      Referral: 'follow',
    }
    expect(ldapOf({ properties, ca_file: 'ca.pem', nested_group_depth: '2' })).toMatchObject({
      connectionUrl: 'ldaps://one.example ldaps://two.example',
      userNameListFilter: '(&(objectClass=person)(!(sn=Service)))',
      readGroups: true,
      startTls: true,
      maxUsers: 50,
      connectionRetryDelayMs: 120_000,
      connectTimeoutMs: 2500,
      userDnPattern: 'uid={0},ou=Users,dc=x',
      caFile: '/srv/ca.pem',
      nestedGroupDepth: 2,
    })
  })

  it.each([
    ['5000', 5000],
    [5000, 5000],
    ['30s', 30_000],
    ['', undefined],
    [0, undefined],
    ['-1', undefined],
  ])('ConnectionRetryDelay = %j is %j milliseconds', (ConnectionRetryDelay, milliseconds) => {
    expect(ldapOf({ properties: { ConnectionRetryDelay } }).connectionRetryDelayMs).toBe(milliseconds)
  })

  it('may say what a key says, and nothing else', () => {
    expect(sqlOf({ read_only: 'true', properties: { ReadOnly: true } }).readOnly).toBe(true)
    expect(mistakesOf({ type: 'database', read_only: false, properties: { ReadOnly: true } })).toEqual({
      'user_store.properties.ReadOnly': 'must not contradict user_store.read_only; write only one of them, got true',
    })
    const keys = { connection_password: 'hunter2-one', properties: { ConnectionPassword: 'hunter2-two' } }
    expect(JSON.stringify(mistakesOf({ type: 'database', ...keys }))).not.toContain('hunter2')
  })

  it.each([
    [{ username_java_regex: '[a-z' }, 'user_store.username_java_regex', 'must be a regular expression'],
    [{ properties: { PasswordJavaRegEx: '(' } }, 'user_store.properties.PasswordJavaRegEx', 'must be a regular'],
    [{ properties: { ReadGroups: 'maybe' } }, 'user_store.properties.ReadGroups', 'must be true or false'],
    [{ read_timeout: 2 ** 31 }, 'user_store.read_timeout', 'must be a whole number from -1 to 2147483647'],
    [{ ldap_connection_timeout: `${2 ** 31}` }, 'user_store.ldap_connection_timeout', 'to 2147483647'],
    [{ properties: { ReadTimeout: 'soon' } }, 'user_store.properties.ReadTimeout', 'must be a whole number'],
    [{ properties: { Other: ['x'] } }, 'user_store.properties.Other', 'must be a text, a number, true or false'],
    [{ connection_retry_delay: 'soon' }, 'user_store.connection_retry_delay', 'must be a number of milliseconds'],
    [{ connection_retry_delay: true }, 'user_store.connection_retry_delay', 'must be a number of milliseconds'],
    [{ domain_name: 'a b' }, 'user_store.domain_name', 'must be a name of letters'],
    [{ domain_name: 'Internal' }, 'user_store.domain_name', 'must not be one of'],
    [{ class: 'x.ReadOnlyLDAPUserStoreManager' }, 'user_store.class', 'must not be the class of another type'],
    [{ class: 'x.ActiveDirectoryUserStoreManager' }, 'user_store.class', 'must not be the class of another type'],
  ])('refuses %j', (keys, key, rule) => {
    expect(mistakesOf({ type: 'database', ...keys })[key]).toContain(rule)
  })
})

describe('secondary stores', () => {
  it('have a database and an account of their own', () => {
    const secondary = [
      { domain_name: 'sales', type: 'database', data_source: 'SALES' },
      { domain_name: 'labs', type: 'read_only_ldap', connection_name: 'cn=labs', connection_password: 'labs-secret' },
    ]
    const source = {
      ...off,
      datasource: [...datasource, { id: 'SALES', url: 'jdbc:sqlite:sales.db' }],
      user_store: { type: 'database', secondary },
    }
    expect(parseConfig(source, options).secondaryUserStores).toMatchObject([
      {
        key: 'user_store.secondary[0]',
        domain: 'SALES',
        sql: { datasource: { url: 'jdbc:sqlite:sales.db' }, superAdmin: undefined },
      },
      { key: 'user_store.secondary[1]', domain: 'LABS', ldap: { connectionName: 'cn=labs', superAdmin: undefined } },
    ])
    const missing = problemsOf({ ...source, datasource }, options)
    expect(Object.keys(missing)).toEqual(['user_store.secondary[0].data_source'])
  })
})
