/**
 * Options of a user store in a directory, with their defaults, checked all at once.
 *
 * @module
 */

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { maxTimerMs } from '../../async/deadline.js'
import { ConfigError, type ConfigProblem } from '../../core/errors.js'
import { createStoreNames } from '../names.js'
import { storeRules } from '../store-rules.js'
import { isPasswordHashMethod } from './directory-writer.js'
import { escapeDnValue, parseName } from './distinguished-name.js'
import type { LdapServer } from './ldap-connection.js'
import { comparingWith, readFilter, readFilterTemplate } from './ldap-filter.js'
import type { LdapUserStoreOptions } from './ldap-store-options.js'

/** Something that an operator should know. */
export interface LdapStoreWarning {
  /** Dotted path of the key in the configuration. */
  readonly key: string
  /** What it does, and what to do about it. */
  readonly message: string
}

export type LdapStoreSettings = ReturnType<typeof readSettings>

type Refuse = (key: string, rule: string) => void

const missing = 'is required'
const defaultTimeoutMs = 5000
const maxNestedDepth = 20
/** Firewalls forget a connection after some minutes without a packet. */
const maxIdleMs = 60_000
const defaultVersionAttributes = ['pwdChangedTime', 'pwdLastSet', 'krbLastPwdChange', 'shadowLastChange'] as const
/** What WSO2 allows in a directory when nothing is said. */
const namePattern = '[a-zA-Z0-9._\\-|//]{3,30}$'

/** @throws `ConfigError` with every option that cannot be used. */
export function readSettings(options: LdapUserStoreOptions) {
  const { readOnly: isReadOnly = true, readGroups = true, activeDirectory = false, startTls = false } = options
  const problems: ConfigProblem[] = []
  const warnings: LdapStoreWarning[] = []
  const refuse: Refuse = (key, rule) => problems.push({ key: `user_store.${key}`, rule })
  const warn = (key: string, message: string) => warnings.push({ key: `user_store.${key}`, message })

  function filter<T>(key: string, text: string, read: (text: string) => T): T {
    try {
      return read(text)
    } catch {
      refuse(key, `must be an LDAP filter${key.endsWith('search_filter') ? ' with (attribute=?)' : ''}`)
      return read('(cn=?)')
    }
  }

  const { baseDn = '' } = options
  const isBaseBroken = baseDn !== '' && parseName(baseDn) === undefined
  if (isBaseBroken) refuse('base_dn', 'must be a distinguished name, such as dc=example,dc=org')

  function readBases(key: string, text: string): readonly string[] {
    const bases = text.split('#').map((base) => base.trim())
    // The mistake is in base_dn, and this key need not be in the file.
    if (isBaseBroken && bases.every((base) => base.endsWith(baseDn))) return bases
    if (bases.some((base) => base === '' || parseName(base) === undefined)) {
      refuse(key, 'must be distinguished names with # between two')
    }
    return bases
  }

  const servers = readServers(options.connectionUrl, refuse)
  const service = readService(options, refuse)
  const plainServers = startTls ? [] : servers.filter(({ isTls }) => !isTls)
  if (!plainServers.every(isLoopback)) {
    const message = 'SECURITY: passwords are sent to the directory in the clear: use ldaps:// or StartTLSEnabled'
    warn('connection_url', message)
  }
  if (options.verifyCertificate === false) {
    warn('ssl_certificate_validation_enabled', 'false has no effect: certificates are always verified')
  }
  if (options.escapeNames === false) {
    warn('replace_escape_characters_at_user_login', 'false has no effect: names are always escaped')
  }
  if (options.readGroups === undefined && isReadOnly) {
    warn('read_groups', 'is not set, and groups are read: with WSO2 nobody would be an administrator then')
  }
  if (readGroups && !options.groupSearchBase) refuse('group_search_base', missing)
  const passwordHashMethod = options.passwordHashMethod || 'PLAIN_TEXT'
  if (!isPasswordHashMethod(passwordHashMethod)) refuse('password_hash_method', 'must be PLAIN_TEXT, SHA or MD5')
  if (activeDirectory && !isReadOnly && plainServers.length > 0) {
    refuse('connection_url', 'must be ldaps:// to change passwords of an Active Directory')
  }

  const userNameAttribute = options.userNameAttribute || 'uid'
  const groupNameAttribute = options.groupNameAttribute || 'cn'
  const loginText = options.userNameSearchFilter || `(&(objectClass=person)(${userNameAttribute}=?))`
  const groupText = options.groupNameSearchFilter || `(&(objectClass=groupOfNames)(${groupNameAttribute}=?))`
  const groupListText = options.groupNameListFilter || '(objectClass=groupOfNames)'
  const [loginFilter, nameFilter] = filter('user_name_search_filter', loginText, (text) => [
    readFilterTemplate(text),
    readFilterTemplate(comparingWith(text, userNameAttribute)),
  ])
  const groupBases = options.groupSearchBase ? readBases('group_search_base', options.groupSearchBase) : []
  const names = createStoreNames(options)
  const patterns = {
    userNamePattern: options.userNamePattern || namePattern,
    roleNamePattern: options.roleNamePattern || namePattern,
    passwordPattern: options.passwordPattern || undefined,
  }

  const settings = {
    warnings,
    servers,
    ca: readAuthorities(options.caFile, refuse),
    startTls,
    refuseReferrals: options.refuseReferrals ?? false,
    service,
    connectTimeoutMs: positive(options.connectTimeoutMs, defaultTimeoutMs),
    readTimeoutMs: positive(options.readTimeoutMs, defaultTimeoutMs),
    retryDelayMs: positive(options.connectionRetryDelayMs, 2000),
    maxConnections: positive(options.maxConnections, 10),
    maxWaiting: positive(options.maxWaiting, 1000),
    queueTimeoutMs: positive(options.queueTimeoutMs, defaultTimeoutMs),
    maxIdleMs: options.keepConnections === false ? 0 : maxIdleMs,
    observe: options.observe,
    now: options.clock ?? (() => performance.now()),

    isReadOnly,
    activeDirectory,
    passwordHashMethod: isPasswordHashMethod(passwordHashMethod) ? passwordHashMethod : 'PLAIN_TEXT',
    names,
    adminRole: names.roleText(names.readRole((options.adminRole ?? 'admin').normalize('NFC'))),
    versionAttributes: options.versionAttributes ?? defaultVersionAttributes,

    userBases: readBases('user_search_base', options.userSearchBase),
    userNameAttribute,
    allowOuterBlanks: options.allowOuterBlanks ?? true,
    loginFilter: loginFilter!,
    nameFilter: nameFilter!,
    userListFilter: filter('user_name_list_filter', options.userNameListFilter || '(objectClass=person)', readFilter),
    /** Distinguished names that a user can have; `undefined`: users are searched. */
    userNames: readNamePatterns(options.userDnPattern, refuse),
    userObjectClasses: classes(options.userEntryObjectClass, activeDirectory ? 'user' : 'identityPerson'),

    /** Empty: groups are not read. */
    groupBases: readGroups ? groupBases : [],
    writeGroups: readGroups && (options.writeGroups ?? true),
    groupNameAttribute,
    groupFilter: filter('group_name_search_filter', groupText, readFilterTemplate),
    groupListFilter: filter('group_name_list_filter', groupListText, readFilter),
    groupObjectClasses: classes(options.groupEntryObjectClass, activeDirectory ? 'group' : 'groupOfNames'),
    membershipAttribute: options.membershipAttribute || 'member',
    usesMemberOf: Boolean(options.memberOfAttribute),
    /** Every entry of an Active Directory has the default. */
    memberOfAttribute: options.memberOfAttribute || 'memberOf',
    nestedGroupDepth: Math.min(options.nestedGroupDepth ?? 0, maxNestedDepth),
  } as const
  if (problems.length > 0) throw new ConfigError(problems)
  return { ...settings, rules: storeRules(patterns, names.domain) }
}

const defaultPorts: Readonly<Record<string, number>> = { 'ldap:': 389, 'ldaps:': 636 }

function readServers(urls: string, refuse: Refuse): readonly LdapServer[] {
  const servers = urls.trim().split(/\s+/).map(readServer)
  if (servers.includes(undefined)) {
    refuse('connection_url', 'must be ldap:// or ldaps:// URLs without user, path and query, with a blank between two')
  }
  return servers.filter((server) => server !== undefined)
}

function readServer(text: string): LdapServer | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, hostname, port, username, password, pathname, search } = new URL(text)
  const defaultPort = defaultPorts[protocol]
  const isBare = (pathname === '' || pathname === '/') && search === '' && username === '' && password === ''
  if (defaultPort === undefined || hostname === '' || !isBare) return undefined
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: port === '' ? defaultPort : Number(port), isTls: protocol === 'ldaps:' }
}

function isLoopback({ host }: LdapServer): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function readService(options: LdapUserStoreOptions, refuse: Refuse) {
  const { connectionName: dn = '', connectionPassword: password = '', bindAnonymously = false } = options
  if (dn === '' && bindAnonymously) return undefined
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

/** Patterns of Java's MessageFormat, in which `''` is a quotation mark. */
function readNamePatterns(text: string | undefined, refuse: Refuse) {
  if (!text) return undefined
  const patterns = text.split('#').map((pattern) => pattern.trim().replaceAll("''", "'"))
  const isPattern = (pattern: string): boolean => pattern.includes('{0}') && parseName(pattern) !== undefined
  if (!patterns.every(isPattern)) {
    refuse('user_dn_pattern', 'must be distinguished names with {0} for the name, and # between two')
  }
  return (name: string) => patterns.map((pattern) => pattern.replaceAll('{0}', () => escapeDnValue(name)))
}

/** What is not set, and what is written as 0 or -1, is the default. */
function positive(value: number | undefined, otherwise: number): number {
  return value !== undefined && value > 0 ? Math.min(value, maxTimerMs) : otherwise
}

function classes(text: string | undefined, otherwise: string): readonly string[] {
  return (text || otherwise).split(',').map((name) => name.trim())
}
