/**
 * Options with their defaults, checked all at once.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError, type ConfigProblem } from '../../core/errors.js'
import { parseName } from './distinguished-name.js'
import { escapeDnValue } from './escape.js'
import { comparingWith, type FilterTemplate, filterTemplate, readFilter } from './filter-template.js'
import { isLoopback, type LdapServer, readServers } from './ldap-server.js'
import type { LdapUserStoreOptions } from './ldap-store-options.js'
import { isPasswordHashMethod, type PasswordHashMethod } from './password-value.js'

/** Something that an operator should know. */
export interface LdapStoreWarning {
  /** Dotted path of the key in the configuration. */
  readonly key: string
  /** What it does, and what to do about it. */
  readonly message: string
}

/** What the parts of the store work with. */
export interface LdapStoreSettings {
  readonly servers: readonly LdapServer[]
  readonly ca: string | undefined
  readonly service: { readonly dn: string; readonly password: string } | undefined
  /** Whether every connection has TLS. */
  readonly isEncrypted: boolean
  readonly userBases: readonly string[]
  readonly userNameAttribute: string
  /** Finds users by what they log in with. */
  readonly loginFilter: FilterTemplate
  /** Finds users by the name that they have here. */
  readonly nameFilter: FilterTemplate
  readonly userListFilter: string
  /** Distinguished names that a user can have. */
  readonly userNames: ((name: string) => readonly string[]) | undefined
  readonly groupBases: readonly string[]
  readonly groupNameAttribute: string
  readonly groupFilter: FilterTemplate
  readonly groupListFilter: string
  readonly passwordHashMethod: PasswordHashMethod
  readonly warnings: readonly LdapStoreWarning[]
}

const missing = 'is required'

/**
 * Reads the options.
 *
 * @throws {@link ConfigError} with every option that cannot be used.
 */
export function readSettings(options: LdapUserStoreOptions): LdapStoreSettings {
  const problems: ConfigProblem[] = []
  const warnings: LdapStoreWarning[] = []
  const refuse = (key: string, rule: string): void => {
    problems.push({ key: `user_store.${key}`, rule })
  }
  const warn = (key: string, message: string): void => {
    warnings.push({ key: `user_store.${key}`, message })
  }

  function filterOf<T>(key: string, read: () => T, otherwise: () => T): T {
    try {
      return read()
    } catch {
      refuse(key, `must be an LDAP filter${key.endsWith('search_filter') ? ' with (attribute=?)' : ''}`)
      return otherwise()
    }
  }

  function templateOf(key: string, text: string): FilterTemplate {
    return filterOf(
      key,
      () => filterTemplate(text),
      () => filterTemplate('(cn=?)'),
    )
  }

  function basesOf(key: string, text: string): readonly string[] {
    const bases = text.split('#').map((base) => base.trim())
    // The mistake is in base_dn, and this key need not be in the file.
    if (isBaseBroken && bases.every((base) => base.endsWith(baseDn))) return bases
    if (bases.some((base) => base === '' || parseName(base) === undefined)) {
      refuse(key, 'must be distinguished names with # between two')
    }
    return bases
  }

  const { baseDn = '' } = options
  const isBaseBroken = baseDn !== '' && parseName(baseDn) === undefined
  if (isBaseBroken) refuse('base_dn', 'must be a distinguished name, such as dc=example,dc=org')
  const userNameAttribute = options.userNameAttribute || 'uid'
  const groupNameAttribute = options.groupNameAttribute || 'cn'
  const loginText = options.userNameSearchFilter || `(&(objectClass=person)(${userNameAttribute}=?))`
  const groupText = options.groupNameSearchFilter || `(&(objectClass=groupOfNames)(${groupNameAttribute}=?))`
  const loginFilter = templateOf('user_name_search_filter', loginText)

  const servers = readServers(options.connectionUrl, problems)
  const service = serviceOf(options, refuse)
  const isEncrypted = servers.every(({ isTls }) => isTls || options.startTls === true)
  if (!isEncrypted && servers.some((server) => !server.isTls && !isLoopback(server))) {
    warn(
      'connection_url',
      'SECURITY: passwords are sent to the directory in the clear: use ldaps:// or StartTLSEnabled',
    )
  }
  if (options.verifiesCertificate === false) {
    warn('ssl_certificate_validation_enabled', 'false has no effect: certificates are always verified')
  }
  if (options.escapesNames === false) {
    warn('replace_escape_characters_at_user_login', 'false has no effect: names are always escaped')
  }
  if (options.readsGroups === undefined && options.isReadOnly !== false) {
    const message = 'is not set, and groups are read: with WSO2 nobody would be an administrator then'
    warn('read_groups', message)
  }
  if (options.readsGroups !== false && !options.groupSearchBase) refuse('group_search_base', missing)
  const passwordHashMethod = options.passwordHashMethod || 'PLAIN_TEXT'
  if (!isPasswordHashMethod(passwordHashMethod)) refuse('password_hash_method', 'must be PLAIN_TEXT, SHA or MD5')
  if (options.isActiveDirectory === true && options.isReadOnly === false && !isEncrypted) {
    refuse('connection_url', 'must be ldaps:// to change passwords of an Active Directory')
  }

  const settings: LdapStoreSettings = {
    servers,
    ca: readAuthorities(options.caFile, refuse),
    service,
    isEncrypted,
    userBases: basesOf('user_search_base', options.userSearchBase),
    userNameAttribute,
    loginFilter,
    nameFilter: templateOf('user_name_search_filter', renamed(loginText, userNameAttribute)),
    userListFilter: filterOf(
      'user_name_list_filter',
      () => readFilter(options.userNameListFilter || '(objectClass=person)'),
      () => '',
    ),
    userNames: namePatterns(options.userDnPattern, refuse),
    groupBases: options.groupSearchBase ? basesOf('group_search_base', options.groupSearchBase) : [],
    groupNameAttribute,
    groupFilter: templateOf('group_name_search_filter', groupText),
    groupListFilter: filterOf(
      'group_name_list_filter',
      () => readFilter(options.groupNameListFilter || '(objectClass=groupOfNames)'),
      () => '',
    ),
    passwordHashMethod: isPasswordHashMethod(passwordHashMethod) ? passwordHashMethod : 'PLAIN_TEXT',
    warnings,
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return settings
}

type Refuse = (key: string, rule: string) => void

function serviceOf(options: LdapUserStoreOptions, refuse: Refuse): LdapStoreSettings['service'] {
  const { connectionName: dn = '', connectionPassword: password = '', isAnonymous = false } = options
  if (dn === '' && isAnonymous) return undefined
  if (dn === '') refuse('connection_name', `${missing} unless anonymous_bind is true`)
  // A bind with a name and no password succeeds on some servers, as nobody (RFC 4513 section 5.1.2).
  if (password === '') refuse('connection_password', missing)
  return { dn, password }
}

function readAuthorities(file: string | undefined, refuse: Refuse): string | undefined {
  if (file === undefined) return undefined
  try {
    const text = readFileSync(file, 'utf8')
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    for (const block of blocks) new X509Certificate(block)
    if (blocks.length > 0 && blocks.length === text.split('-----BEGIN').length - 1) return text
  } catch {}
  refuse('ca_file', 'must be a readable PEM file with nothing but whole certificates')
  return undefined
}

/** A filter that cannot be read is refused once, where it is used for logins. */
function renamed(filter: string, attribute: string): string {
  try {
    return comparingWith(filter, attribute)
  } catch {
    return '(cn=?)'
  }
}

/** Patterns of Java's MessageFormat, in which `''` is a quotation mark. */
function namePatterns(text: string | undefined, refuse: Refuse): LdapStoreSettings['userNames'] {
  if (!text) return undefined
  const patterns = text.split('#').map((pattern) => pattern.trim().replaceAll("''", "'"))
  const isPattern = (pattern: string): boolean => pattern.includes('{0}') && parseName(pattern) !== undefined
  if (!patterns.every(isPattern)) {
    refuse('user_dn_pattern', 'must be distinguished names with {0} for the name, and # between two')
  }
  return (name) => patterns.map((pattern) => pattern.replaceAll('{0}', () => escapeDnValue(name)))
}
