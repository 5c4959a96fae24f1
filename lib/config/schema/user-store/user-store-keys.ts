/**
 * Keys of `[user_store]`: the type of each, and the property of the Carbon user store that it sets. Every property can
 * be written as `[user_store.properties]` as well.
 *
 * @module
 */

import * as z from 'zod'
import { javaRegex } from '../../../core/java-regex.js'
import { parseDuration } from '../../values/durations.js'
import { type Field, field, flag, integer, refuseAt, type TableContext, text } from '../fields.js'

/**
 * What each type of value is once it has been read. Numbers and flags may be in quotes, and an empty text leaves them unset,
 * and a pattern too. A markup is a text in which `&amp;` means `&`, because WSO2 writes it to an XML file as it is; a delay
 * is in milliseconds.
 */
export interface UserStoreValueTypes {
  readonly text: string
  readonly markup: string
  readonly pattern: string
  readonly flag: boolean
  readonly number: number
  readonly delay: number
}

export type UserStoreKeyType = keyof UserStoreValueTypes

/**
 * Each key with its type, its property or an empty text, what it does (without it, it has no effect here), and what holds without
 * the key where that is not in `inferred-values`.
 */
export const userStoreKeys = {
  type: [
    'text',
    '',
    '`read_only_ldap`, `read_write_ldap`, `active_directory` or `database`, or one of these with `_unique_id`',
    'required, or `class`',
  ],
  class: ['text', '', "a class of WSO2's in place of `type`"],
  base_dn: ['text', '', 'users below `ou=Users` of it, groups below `ou=Groups`', '`"dc=wso2,dc=org"`'],
  // Connection
  connection_url: ['markup', 'ConnectionURL', '`ldap:` or `ldaps:` URLs, separated by blanks; tried in this order'],
  connection_name: [
    'text',
    'ConnectionName',
    'distinguished name of the account that searches',
    '`"uid=admin,ou=system"`',
  ],
  connection_password: ['text', 'ConnectionPassword', 'its password', '`"admin"`, with a warning'],
  anonymous_bind: ['flag', 'AnonymousBind', '`true`: searches without an account', '`false`'],
  connection_pooling_enabled: [
    'flag',
    'ConnectionPoolingEnabled',
    '`false`: a new connection for each operation',
    '`true`',
  ],
  ldap_connection_timeout: ['number', 'LDAPConnectionTimeout', 'milliseconds until a connection counts as failed'],
  read_timeout: ['number', 'ReadTimeout', 'milliseconds until an answer counts as failed', '`5000`'],
  retry_attempts: ['number', 'RetryAttempts'],
  connection_retry_delay: ['delay', 'ConnectionRetryDelay', 'how long a server that failed is left alone', '`2000`'],
  ssl_certificate_validation_enabled: [
    'flag',
    'SSLCertificateValidationEnabled',
    '`false`: the certificate of the directory is not verified',
    '`true`',
  ],
  // WSO2 has only the property.
  start_tls_enabled: ['flag', 'StartTLSEnabled', '`true`: StartTLS on an `ldap:` URL', '`false`'],
  // Not a key of WSO2, whose servers have a trust store.
  ca_file: ['text', '', 'PEM file of a certificate authority of your own; no key of WSO2', 'those that Node trusts'],
  driver_name: ['text', 'driverName'],
  // The id of a [[datasource]], with or without `jdbc/` before it.
  data_source: ['text', 'dataSource', '`id` of a `[[datasource]]`', '`[realm_manager] data_source`'],
  kdc_enabled: ['flag', 'kdcEnabled'],
  // Users
  user_search_base: ['text', 'UserSearchBase', 'where users are searched', '`ou=Users` below `base_dn`'],
  user_name_attribute: ['text', 'UserNameAttribute', 'attribute with the name of a user'],
  user_name_search_filter: ['markup', 'UserNameSearchFilter', 'filter that finds one user, `?` for the name'],
  user_name_list_filter: ['markup', 'UserNameListFilter', 'filter that finds all users'],
  user_dn_pattern: ['text', 'UserDNPattern', 'distinguished names of users, `{0}` for the name, `#` between two'],
  display_name_attribute: ['text', 'DisplayNameAttribute'],
  user_entry_object_class: ['text', 'UserEntryObjectClass', 'object class of a new user'],
  username_java_regex: ['pattern', 'UsernameJavaRegEx', 'names that new users may have'],
  username_javascript_regex: ['text', 'UsernameJavaScriptRegEx'],
  username_java_regex_violation_error_msg: ['text', 'UsernameJavaRegExViolationErrorMsg'],
  case_insensitive_username: ['flag', 'CaseInsensitiveUsername', 'whether case makes no difference in names', '`true`'],
  use_case_sensitive_username_for_cache_keys: ['flag', 'UseCaseSensitiveUsernameForCacheKeys'],
  replace_escape_characters_at_user_login: [
    'flag',
    'ReplaceEscapeCharactersAtUserLogin',
    'no effect: names are always escaped',
  ],
  max_user_name_list_length: ['number', 'MaxUserNameListLength', 'most users in a list'],
  // Groups and roles
  read_groups: ['flag', 'ReadGroups', 'whether groups are roles', '`true`'],
  write_groups: ['flag', 'WriteGroups', 'whether roles can be changed', '`true`; `read_only_ldap`: `false`'],
  group_search_base: ['text', 'GroupSearchBase', 'where groups are searched', '`ou=Groups` below `base_dn`'],
  group_name_attribute: ['text', 'GroupNameAttribute', 'attribute with the name of a group'],
  group_name_search_filter: ['markup', 'GroupNameSearchFilter', 'filter that finds one group, `?` for the name'],
  group_name_list_filter: ['markup', 'GroupNameListFilter', 'filter that finds all groups'],
  group_entry_object_class: ['text', 'GroupEntryObjectClass', 'object class of a new group'],
  membership_attribute: ['text', 'MembershipAttribute', 'attribute of a group with its members'],
  member_of_attribute: [
    'text',
    'MemberOfAttribute',
    'attribute of a user with its groups',
    'members are read from groups; `active_directory`: `"memberOf"`',
  ],
  membership_attribute_range: ['number', 'MembershipAttributeRange'],
  // Not a key of WSO2, which does not follow groups in groups.
  nested_group_depth: ['number', '', 'levels of groups in groups; no key of WSO2', '`0`'],
  role_dn_pattern: ['text', 'RoleDNPattern'],
  back_links_enabled: ['flag', 'BackLinksEnabled'],
  // WSO2 maps this key to a property of the same spelling, which nothing reads; what was meant is EmptyRolesAllowed.
  empty_roles_allowed: ['flag', 'EmptyRolesAllowed'],
  rolename_java_regex: ['pattern', 'RolenameJavaRegEx', 'names that new roles may have'],
  rolename_javascript_regex: ['text', 'RolenameJavaScriptRegEx'],
  rolename_java_regex_violation_error_msg: ['text', 'RolenameJavaRegExViolationErrorMsg'],
  max_role_name_list_length: ['number', 'MaxRoleNameListLength', 'most roles in a list'],
  user_roles_cache_enabled: ['flag', 'UserRolesCacheEnabled'],
  case_sensitive_authorization_rules: ['flag', 'CaseSensitiveAuthorizationRules'],
  // Passwords
  password_java_regex: [
    'pattern',
    'PasswordJavaRegEx',
    'passwords that users may have',
    '`"^[\\\\S]{5,30}$"`; in the tables of Sallyport, 8 to 128 characters',
  ],
  password_javascript_regex: ['text', 'PasswordJavaScriptRegEx'],
  password_java_regex_violation_error_msg: [
    'text',
    'PasswordJavaRegExViolationErrorMsg',
    'what a user is told of a password that does not match, in a database',
  ],
  password_digest: ['text', 'PasswordDigest', "digest of passwords in WSO2's tables"],
  store_salted_password: ['flag', 'StoreSaltedPassword', 'whether these digests are salted'],
  password_hash_method: ['text', 'PasswordHashMethod', 'how passwords are written to a directory'],
  // The rest
  read_only: ['flag', 'ReadOnly', '`true`: users and roles cannot be changed', '`false`; `read_only_ldap`: `true`'],
  domain_name: [
    'text',
    'DomainName',
    'what stands before its users, as in `SALES/alice`',
    '`"PRIMARY"`, which is not written before names; required for a secondary store',
  ],
  disable: ['flag', 'Disabled', '`true`: a secondary store is left out', '`false`'],
  scim_enabled: ['flag', 'SCIMEnabled'],
  is_bulk_import_supported: ['flag', 'IsBulkImportSupported'],
  multi_attribute_separator: ['text', 'MultiAttributeSeparator'],
  count_retriever_class: ['text', 'CountRetrieverClass'],
  notification_receivers_retrieval_class: ['text', 'NotificationReceiversRetrievalClass'],
} as const

export type UserStoreKey = keyof typeof userStoreKeys

export type UserStoreValues = {
  readonly [Key in UserStoreKey]?: UserStoreValueTypes[(typeof userStoreKeys)[Key][0]] | undefined
}

const unset = z.literal('').transform(() => undefined)

const pattern = field((value, refuse): string | undefined => {
  if (typeof value !== 'string') return refuse('must be a text in quotes')
  try {
    javaRegex(value)
    return value === '' ? undefined : value
  } catch {
    return refuse('must be a regular expression that JavaScript can read')
  }
}).meta({ unit: 'regular expression', type: 'string' })

/** Zero and less mean the default, as they do with WSO2. */
const delay = field((value, refuse): number | undefined => {
  const written = typeof value === 'number' ? String(value) : value
  if (typeof written !== 'string') return refuse('must be a number of milliseconds')
  if (written === '' || /^(?:0+|-\d+)$/.test(written)) return undefined
  return parseDuration(written, 'ms') ?? refuse('must be a number of milliseconds, or a duration such as "30s"')
}).meta({ unit: 'duration; a bare number counts ms', type: ['string', 'number'] })

/** The greatest of WSO2's numbers, and the longest time of a timer in milliseconds. */
const maxNumber = 2_147_483_647

const fields: { readonly [Type in UserStoreKeyType]: Field<UserStoreValueTypes[Type] | undefined> } = {
  text,
  markup: text.transform((value) => value.replaceAll('&amp;', '&')),
  pattern,
  flag: z.union([flag, unset], { error: 'must be true or false' }).meta({ unit: 'boolean' }),
  number: z.union([integer(-1, maxNumber), unset], { error: 'must be a whole number' }).meta({ unit: 'number' }),
  delay,
}

const keys = Object.entries(userStoreKeys) as [string, readonly [UserStoreKeyType, string?, string?, string?]][]

function createFields(nameFrom: (key: string, property: string) => string): Record<string, z.ZodType> {
  const named = keys.map(([key, [type, property = '', description = 'no effect', absent]]) => {
    const meaning = property === '' ? description : `${description}; property \`${property}\``
    return [nameFrom(key, property), fields[type].optional().meta({ description: meaning, absent })] as const
  })
  return Object.fromEntries(named.filter(([name]) => name !== ''))
}

const otherProperty = z.union([z.string(), z.number(), z.boolean()], {
  error: 'must be a text, a number, true or false',
})

/** The keys of `[user_store]`, and `[user_store.properties]` with the properties that have a key and any others. */
export const storeFields: Record<string, z.ZodType> = {
  ...createFields((key) => key),
  properties: z
    .object(
      createFields((_key, property) => property),
      { error: 'must be a table' },
    )
    .catchall(otherProperty)
    .optional(),
}

/** What a table says, each value once: a property stands for its key, and must not contradict it. */
export function readStoreValues(table: Readonly<Record<string, unknown>>, context: TableContext): UserStoreValues {
  const properties = (table['properties'] ?? {}) as Readonly<Record<string, unknown>>
  const values = keys.map(([key, [, property = '']]) => {
    const written = table[key]
    const other = property === '' ? undefined : properties[property]
    if (written !== undefined && other !== undefined && written !== other) {
      refuseAt(context, ['properties', property], `must not contradict user_store.${key}; write only one of them`)
    }
    return [key, written ?? other] as const
  })
  return Object.fromEntries(values)
}
