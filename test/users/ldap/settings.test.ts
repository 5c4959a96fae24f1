/** Options of the store: what is refused, and what is warned of. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../lib/core/errors.js'
import { type LdapUserStoreOptions, ldapUserStore } from '../../../lib/ldap.js'
import { keyPair } from '../../helpers/key-files.js'

const usable: LdapUserStoreOptions = {
  connectionUrl: 'ldaps://directory.example.org',
  connectionName: 'cn=service',
  connectionPassword: 'service-secret',
  userSearchBase: 'ou=People,dc=example,dc=org',
  groupSearchBase: 'ou=Groups,dc=example,dc=org',
  readGroups: true,
}

/** A file whose second certificate was copied in part. */
const cutFile = join(mkdtempSync(join(tmpdir(), 'sallyport-ldap-')), 'cut.pem')
const whole = keyPair().certificate.toString()
writeFileSync(cutFile, whole + whole.slice(0, 200))
afterAll(() => rmSync(dirname(cutFile), { recursive: true, force: true }))

function problemsOf(options: Partial<LdapUserStoreOptions>): readonly string[] {
  try {
    ldapUserStore({ ...usable, ...options }).close()
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect(String(error)).not.toContain('service-secret')
    return (error as ConfigError).problems.map(({ key }) => key.replace('user_store.', ''))
  }
}

const warningsOf = (options: Partial<LdapUserStoreOptions>): readonly string[] =>
  ldapUserStore({ ...usable, ...options }).warnings.map(({ key }) => key.replace('user_store.', ''))

describe('options of a directory', () => {
  it.each<[Partial<LdapUserStoreOptions>, readonly string[]]>([
    [{}, []],
    [{ connectionUrl: 'ldap://[::1]:389 ldaps://two.example.org:1636/' }, []],
    [{ connectionUrl: 'http://x' }, ['connection_url']],
    [{ connectionUrl: 'ldap://x/dc=example' }, ['connection_url']],
    [{ connectionUrl: 'ldap://user@x' }, ['connection_url']],
    [{ connectionUrl: 'ldap://' }, ['connection_url']],
    [{ connectionUrl: '' }, ['connection_url']],
    [{ connectionUrl: 'ldaps://x no-url' }, ['connection_url']],
    [{ connectionName: '' }, ['connection_name']],
    [{ connectionPassword: '' }, ['connection_password']],
    [{ connectionPassword: undefined, bindAnonymously: true }, ['connection_password']],
    [{ connectionName: '', connectionPassword: '', bindAnonymously: true }, []],
    [{ userSearchBase: '' }, ['user_search_base']],
    [{ userSearchBase: 'ou=a#' }, ['user_search_base']],
    [{ userSearchBase: 'People' }, ['user_search_base']],
    [{ groupSearchBase: undefined }, ['group_search_base']],
    [{ groupSearchBase: undefined, readGroups: false }, []],
    [{ groupSearchBase: 'x' }, ['group_search_base']],
    [{ userNameSearchFilter: '(uid=x)' }, ['user_name_search_filter']],
    [{ groupNameSearchFilter: '((' }, ['group_name_search_filter']],
    [{ userNameListFilter: '((' }, ['user_name_list_filter']],
    [{ groupNameListFilter: '((' }, ['group_name_list_filter']],
    [{ userDnPattern: 'uid={0},ou=a#uid={0},ou=b' }, []],
    [{ userDnPattern: 'uid=x,ou=a' }, ['user_dn_pattern']],
    [{ userDnPattern: '{0}' }, ['user_dn_pattern']],
    [{ passwordHashMethod: 'SSHA9' }, ['password_hash_method']],
    [{ caFile: '/nowhere/ca.pem' }, ['ca_file']],
    [{ caFile: cutFile }, ['ca_file']],
    [{ caFile: new URL(import.meta.url).pathname.replace('settings', 'values') }, ['ca_file']],
    [{ activeDirectory: true, readOnly: false, connectionUrl: 'ldap://x' }, ['connection_url']],
    [{ activeDirectory: true, readOnly: false, connectionUrl: 'ldap://x', startTls: true }, []],
    [{ userNamePattern: '(' }, ['username_java_regex']],
  ])('%j has these problems: %j', (options, keys) => {
    expect([...new Set(problemsOf(options))]).toEqual(keys)
  })

  it('tells all problems at once', () => {
    expect(problemsOf({ connectionUrl: 'x', connectionName: '', userSearchBase: '' })).toHaveLength(3)
  })

  it.each<[Partial<LdapUserStoreOptions>, readonly string[]]>([
    [{}, []],
    [{ connectionUrl: 'ldap://directory.example.org' }, ['connection_url']],
    [{ connectionUrl: 'ldap://directory.example.org', startTls: true }, []],
    [{ connectionUrl: 'ldap://127.0.0.1 ldap://localhost:10389 ldap://[::1]' }, []],
    [{ verifyCertificate: false }, ['ssl_certificate_validation_enabled']],
    [{ escapeNames: false }, ['replace_escape_characters_at_user_login']],
    [{ readGroups: undefined }, ['read_groups']],
    [{ readGroups: undefined, readOnly: false }, []],
  ])('%j has these warnings: %j', (options, keys) => {
    expect(warningsOf(options)).toEqual(keys)
  })
})
