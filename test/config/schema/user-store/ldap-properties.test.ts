import { describe, expect, it } from 'vitest'
import type { DirectoryConfig } from '../../../../lib/config/config.js'
import { parseConfig } from '../../../../lib/config/parse.js'
import { problemsOf } from '../../problems-of.js'

const off = { internal_apis: { file_user_store: { enable: false } } }
const directory = {
  type: 'read_only_ldap',
  connection_url: 'ldap://127.0.0.1:3389',
  base_dn: 'dc=x',
  read_groups: true,
}
const withProperties = (properties: object, keys: object = {}) => ({
  ...off,
  user_store: { ...directory, ...keys, properties },
})

function parsed(properties: object) {
  const { userStore, warnings } = parseConfig(withProperties(properties), { env: {} })
  return { ldap: (userStore as DirectoryConfig).ldap, warnings: warnings.map(({ key }) => key) }
}

const referral = 'user_store.properties.Referral'

describe('a property of a directory without a key', () => {
  it.each([
    [{ Referral: 'throw' }, { refuseReferrals: true }, []],
    [{ Referral: ' THROW ' }, { refuseReferrals: true }, []],
    [{ Referral: 'ignore' }, { refuseReferrals: false }, []],
    [{ Referral: '' }, { refuseReferrals: false }, []],
    [{ Referral: 'follow' }, { refuseReferrals: false }, [referral]],
    [{ IsEmailUserName: 'false' }, {}, []],
    [{ IsEmailUserName: false }, {}, []],
    [{ LeadingOrTrailingSpaceAllowedInUserName: 'False' }, { allowOuterBlanks: false }, []],
    [{ LeadingOrTrailingSpaceAllowedInUserName: true }, { allowOuterBlanks: true }, []],
    [{ ConnectionPoolingEnabled: 'false' }, { keepConnections: false }, []],
    [{ UserDNCacheEnabled: true, MaxSearchQueryTime: '10000', LDAPInitialContextFactory: 'x' }, {}, []],
  ])('%j is %j, with the warnings %j', (properties, options, warnings) => {
    expect(parsed(properties).ldap).toMatchObject(options)
    expect(parsed(properties).warnings).toEqual(warnings)
  })

  it.each([
    [{ IsEmailUserName: true }, 'IsEmailUserName', 'user_name_attribute'],
    [{ IsEmailUserName: 'TRUE' }, 'IsEmailUserName', 'user_name_attribute'],
    [{ Referral: 'folow' }, 'Referral', '"ignore", "throw" or "follow"'],
    [{ LeadingOrTrailingSpaceAllowedInUserName: 'no' }, 'LeadingOrTrailingSpaceAllowedInUserName', 'true or false'],
  ])('%j is a mistake, in every store that is in effect', (properties, property, rule) => {
    const secondary = [
      { ...directory, domain_name: 'A', properties },
      { ...directory, domain_name: 'B', class: 'org.wso2.ActiveDirectoryUserStoreManager', properties },
    ]
    expect(problemsOf(withProperties(properties, { secondary }))).toEqual({
      [`user_store.properties.${property}`]: expect.stringContaining(rule),
      [`user_store.secondary[0].properties.${property}`]: expect.stringContaining(rule),
      [`user_store.secondary[1].properties.${property}`]: expect.stringContaining(rule),
    })
    expect(problemsOf({ user_store: { ...directory, properties } })).toEqual({})
  })

  it('is a mistake when servers are to be found in DNS alone', () => {
    const properties = { URLOfDNS: 'dns://10.0.0.1', DNSDomainName: 'example.org' }
    expect(problemsOf(withProperties(properties, { connection_url: undefined }))).toEqual({
      'user_store.properties.URLOfDNS': expect.stringContaining('connection_url'),
    })
  })
})

describe('a store that WSO2 would make another one of', () => {
  it.each([
    [{ class: 'com.example.StrictUserStoreManager' }, 'class', 'none of WSO2'],
    [{ class: 'com.example.MyReadOnlyLDAPUserStoreManager' }, 'class', 'none of WSO2'],
    [{ disable: true }, 'disable', 'must not be true'],
    [{ properties: { Disabled: 'true' } }, 'disable', 'must not be true'],
  ])('%j is a mistake', (keys, key, rule) => {
    const source = { ...off, user_store: { ...directory, ...keys } }
    expect(problemsOf(source)).toEqual({ [`user_store.${key}`]: expect.stringContaining(rule) })
  })

  it.each([
    'org.wso2.micro.integrator.security.user.core.ldap.ReadOnlyLDAPUserStoreManager',
    'org.wso2.carbon.user.core.ldap.UniqueIDReadOnlyLDAPUserStoreManager',
    '',
  ])('class = %j is none', (javaClass) => {
    expect(problemsOf({ ...off, user_store: { ...directory, class: javaClass } })).toEqual({})
  })
})
