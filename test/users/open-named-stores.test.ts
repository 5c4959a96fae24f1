import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Config } from '../../lib/config/config.js'
import { parseConfig } from '../../lib/config/parse.js'
import { isManagedUserStore } from '../../lib/users/managed-user-store.js'
import { openUserStore } from '../../lib/users/open-user-store.js'
import { recordedLog } from '../helpers/recorded-log.js'

afterEach(() => vi.doUnmock('ldapts'))

function configOf(user_store: object): Config {
  const source = {
    internal_apis: { file_user_store: { enable: false } },
    super_admin: { admin_role: 'administrators' },
    datasource: [
      { id: 'WSO2CarbonDB', url: 'jdbc:sqlite::memory:' },
      { id: 'BROKEN', url: 'jdbc:postgresql://one,two/users' },
    ],
    user_store,
  }
  return parseConfig(source, { env: {} })
}

async function open(user_store: object) {
  const log = recordedLog()
  const opened = await openUserStore(configOf(user_store), { logger: log.logger, home: undefined, env: {} })
  return { ...log, ...opened }
}

const directory = { type: 'read_only_ldap', connection_url: 'ldap://directory.test', base_dn: 'dc=x' }

describe('opening what [user_store] names', () => {
  it('takes a database, and can make its tables', async () => {
    const { users, init } = await open({ type: 'database', domain_name: 'corp' })
    expect(isManagedUserStore(users) && [users.domain, users.adminRole, users.isReadOnly]).toEqual([
      'CORP',
      'CORP/administrators',
      false,
    ])
    expect(init).toBeTypeOf('function')
    await users.close()
  })

  it('takes a directory, which needs nothing to be made, and logs what should be put right', async () => {
    const { users, init, entries } = await open(directory)
    expect(isManagedUserStore(users) && users.isReadOnly).toBe(true)
    expect(init).toBeUndefined()
    expect(entries.map(({ level, fields, message }) => [level, fields['key'], message.slice(0, 35)])).toEqual([
      ['warn', 'user_store.connection_url', 'user_store.connection_url: SECURITY'],
      ['warn', 'user_store.read_groups', 'user_store.read_groups: is not set,'],
    ])
    await users.close()
  })

  it('makes a chain of several, and names the table that a warning is about', async () => {
    const secondary = [{ ...directory, domain_name: 'sales', read_groups: true }]
    const { users, init, entries } = await open({ type: 'database', secondary })
    expect(users).toMatchObject({ domains: ['PRIMARY', 'SALES'] })
    expect(init).toBeTypeOf('function')
    expect(entries.map(({ fields }) => fields['key'])).toEqual(['user_store.secondary[0].connection_url'])
    await users.close()
  })

  it.each([
    [{ type: 'database', data_source: 'BROKEN' }, 'datasource[1].url'],
    [{ type: 'database', password_digest: 'ROT13' }, 'user_store.password_digest'],
    [{ ...directory, user_name_search_filter: '(uid=' }, 'user_store.user_name_search_filter'],
    [{ ...directory, user_search_base: '' }, 'user_store.user_search_base'],
    [
      { type: 'database', secondary: [{ ...directory, domain_name: 'S', password_hash_method: 'ROT13' }] },
      'user_store.secondary[0].password_hash_method',
    ],
  ])('refuses %j at %s', async (user_store, key) => {
    await expect(open(user_store)).rejects.toMatchObject({ name: 'ConfigError', problems: [{ key }] })
  })

  it('names the mistakes of every store at once, and leaves none open', async () => {
    const broken = { ...directory, password_hash_method: 'ROT13' }
    const secondary = [
      { ...broken, domain_name: 'A' },
      { type: 'database', domain_name: 'B' },
      { ...broken, domain_name: 'C', user_name_list_filter: '((' },
    ]
    await expect(open({ type: 'database', password_digest: 'ROT13', secondary })).rejects.toMatchObject({
      problems: [
        { key: 'user_store.password_digest' },
        { key: 'user_store.secondary[0].password_hash_method' },
        { key: 'user_store.secondary[2].password_hash_method' },
        { key: 'user_store.secondary[2].user_name_list_filter' },
      ],
    })
  })

  it.each(['nothing', 'dc=example,', 'ou=a+cn=b,dc=x'])('refuses base_dn = %j by its own name', async (base_dn) => {
    await expect(open({ ...directory, base_dn })).rejects.toMatchObject({
      problems: [{ key: 'user_store.base_dn', rule: 'must be a distinguished name, such as dc=example,dc=org' }],
    })
    const bases = { user_search_base: 'ou=x,dc=y', group_search_base: 'no name' }
    await expect(open({ ...directory, ...bases, base_dn })).rejects.toMatchObject({
      problems: [{ key: 'user_store.base_dn' }, { key: 'user_store.group_search_base' }],
    })
  })

  it('says how the package of a directory is installed', async () => {
    vi.doMock('ldapts', () => {
      throw new Error('not installed')
    })
    await expect(open(directory)).rejects.toMatchObject({
      code: 'ERR_CONFIG_MISSING_PACKAGE',
      problems: [{ key: 'user_store.type', rule: expect.stringContaining('npm install ldapts') }],
    })
  })
})
