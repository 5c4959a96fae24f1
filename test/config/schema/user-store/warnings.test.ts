import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../../lib/config/parse.js'

const directory = {
  type: 'read_only_ldap',
  connection_url: 'ldap://127.0.0.1:3389',
  connection_name: 'cn=service,dc=x',
  connection_password: 'throw-away',
  base_dn: 'dc=x',
  read_groups: true,
}

function warningsOf(tables: object, isFileUsed = false): readonly (readonly [string, string])[] {
  const source = { internal_apis: { file_user_store: { enable: isFileUsed } }, user_store: directory, ...tables }
  return parseConfig(source, { env: {} }).warnings.map(({ key, rule }) => [key, rule])
}

describe('what WSO2 does with a user store and we do not', () => {
  it('makes no warning where nobody asks for it', () => {
    expect(warningsOf({ super_admin: { username: 'boss', admin_role: 'admins' } })).toEqual([])
  })

  it('is told of the account of [super_admin], without its password', () => {
    const [warning, ...others] = warningsOf({ super_admin: { username: 'boss', password: 'Very-secret-7' } })
    expect(warning).toEqual(['super_admin.password', expect.stringContaining('sallyport users add NAME --admin')])
    expect(others).toEqual([])
    expect(JSON.stringify(warning)).not.toContain('Very-secret-7')
  })

  it.each([false, 'false', 'FALSE'])('is not told when create_admin_account is %j', (create_admin_account) => {
    expect(warningsOf({ super_admin: { password: 'Very-secret-7', create_admin_account } })).toEqual([])
  })

  it('is not told while the users of the file are in effect', () => {
    const warnings = warningsOf({ super_admin: { password: 'Very-secret-7' } }, true)
    expect(warnings.map(([key]) => key)).toEqual(['user_store'])
  })

  it.each([
    [{ connection_password: undefined }, 1],
    [{ connection_password: undefined, properties: { ConnectionPassword: 'throw-away' } }, 0],
    [{ connection_name: undefined, connection_password: undefined }, 0],
  ])('is told of an account without its password: %j', (change, count) => {
    const warnings = warningsOf({ user_store: { ...directory, ...change } })
    expect(warnings.map(([key]) => key)).toEqual(Array(count).fill('user_store.connection_password'))
  })

  it.each([
    ['URLOfDNS', 'dns://10.0.0.1', 'connection_url'],
    ['PrimaryGroupId', 'primaryGroupID', 'group that lists its members'],
  ])('is told of the property %s, in every store', (property, value, remedy) => {
    const properties = { [property]: value }
    const secondary = [
      { ...directory, domain_name: 'A' },
      { ...directory, domain_name: 'B', properties },
    ]
    const warnings = warningsOf({ user_store: { ...directory, properties, secondary } })
    expect(warnings).toEqual([
      [`user_store.properties.${property}`, expect.stringContaining(remedy)],
      [`user_store.secondary[1].properties.${property}`, expect.stringContaining(remedy)],
    ])
  })
})
