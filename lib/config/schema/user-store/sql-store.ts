/**
 * A `[user_store]` of a database.
 *
 * @module
 */

import type { Finding } from '../../checks/findings.js'
import type { SqlUserStoreConfig } from '../../config.js'
import type { KeyPath } from '../../values/key-path.js'
import type { Deployment } from '../deployment.js'
import type { DatasourceTable } from './datasource.js'
import { effectiveValues } from './inferred-values.js'
import type { StoreTable } from './user-store.js'

/** Relative file names start from `home`. */
export function createSqlStore(
  { values: written, index }: StoreTable,
  { url = '', username, password, maxConnections }: DatasourceTable,
  { home, superAdmin }: { readonly home: string; readonly superAdmin: Deployment['super_admin'] },
): SqlUserStoreConfig {
  const values = effectiveValues('database', written)
  const writeGroups = values.write_groups ?? true

  return {
    datasource: { url, username, password, maxConnections, home },
    domain: values.domain_name!,
    adminRole: superAdmin.admin_role,
    superAdmin: index === undefined ? superAdmin.username : undefined,
    readOnly: values.read_only,
    ignoreCase: values.case_insensitive_username,
    // Who writes groups reads them.
    readGroups: writeGroups || values.read_groups,
    writeGroups,
    passwordDigest: values.password_digest || undefined,
    storeSaltedPasswords: values.store_salted_password,
    userNamePattern: values.username_java_regex,
    // Left open: the store's tables decide on the rule.
    passwordPattern: written.password_java_regex,
    passwordMessage: written.password_java_regex_violation_error_msg,
    roleNamePattern: values.rolename_java_regex,
    maxUsers: values.max_user_name_list_length,
    maxRoles: values.max_role_name_list_length,
  }
}

/** Each with the values that change nothing, and what to write instead of others. */
const refused: Readonly<Record<string, readonly [harmless: RegExp, rule: string]>> = {
  IsEmailUserName: [
    /^(?:false)?$/i,
    'is not followed: the part of a name after "@" names no tenant; take it out, and let username_java_regex say which names are addresses',
  ],
  DomainCalculation: [
    /^(?:default)?$/i,
    'must be "default": the domain of a user is domain_name, and none is computed by a class of Java',
  ],
  url: [/^$/, 'is not followed: write a [[datasource]] with this url, and its id as data_source'],
}

/**
 * Reports what one database's properties ask for that is not done. A property without a key does here what it does with WSO2,
 * or is a mistake.
 *
 * Harmless, and left alone: `MultiTenantRealmConfigBuilder` and `TenantManager` (only one tenant is served), what caches,
 * claims, SCIM, bulk import and Carbon's own pages use, and `validationQuery` with the other settings of Carbon's pool.
 */
export function checkJdbcProperties(
  { properties, values }: StoreTable,
  path: KeyPath,
  mistake: (finding: Finding) => void,
): void {
  for (const [name, value] of Object.entries(properties)) {
    const at = [...path, 'properties', name]
    const [harmless, rule] = Object.hasOwn(refused, name) ? refused[name]! : []
    // As with WSO2, a data source comes first.
    const isOverruled = name === 'url' && values.data_source !== undefined
    if (rule !== undefined && !harmless!.test(String(value)) && !isOverruled) mistake({ path: at, rule })
    if (!isOtherStatement(name, value)) continue
    const remedy =
      'to let in a part of the users only, give the account of the database a view with the name of the table'
    mistake({ path: at, rule: `is another statement than WSO2's own, and is not run: take it out; ${remedy}` })
  }
}

// WSO2 runs SQL statements in the properties in place of its own. Ours are fixed, so a statement that asks for anything else than
// WSO2's own stops the start: it would let in users whom WSO2 does not find. Whatever is not recognised is refused.

/** What a statement that reads asks for: the columns it may have, its tables, and its conditions. */
interface Reading {
  readonly columns: readonly string[]
  readonly tables: readonly string[]
  readonly conditions: readonly string[]
}

const userColumns = [
  ...['*', 'UM_ID', 'UM_USER_ID', 'UM_USER_NAME', 'UM_USER_PASSWORD', 'UM_SALT_VALUE'],
  ...['UM_REQUIRE_CHANGE', 'UM_CHANGED_TIME', 'UM_TENANT_ID'],
]

function userWith(columns: readonly string[], name: string): Reading {
  return { columns, tables: ['UM_USER'], conditions: [name, 'UM_TENANT_ID = ?'] }
}

function roleWith(columns: readonly string[], ...conditions: readonly string[]): Reading {
  return { columns, tables: ['UM_ROLE'], conditions: [...conditions, 'UM_TENANT_ID = ?'] }
}

function membershipWith(column: string, name: string): Reading {
  const tables = ['UM_ROLE', 'UM_USER', 'UM_USER_ROLE']
  const joins = ['UM_USER.UM_ID = UM_USER_ROLE.UM_USER_ID', 'UM_ROLE.UM_ID = UM_USER_ROLE.UM_ROLE_ID']
  return {
    columns: [column],
    tables,
    conditions: [name, ...joins, ...tables.map((table) => `${table}.UM_TENANT_ID = ?`)],
  }
}

/** The statements that decide who logs in, with which roles, and who is listed; without `SQL` and what follows it. */
const readings: Readonly<Record<string, Reading>> = {
  SELECTUSER: userWith(userColumns, 'UM_USER_NAME = ?'),
  ISUSEREXISTING: userWith(userColumns, 'UM_USER_NAME = ?'),
  GETUSERIDFROMUSERNAME: userWith(userColumns, 'UM_USER_NAME = ?'),
  USERFILTER: userWith(['UM_USER_ID', 'UM_USER_NAME'], 'UM_USER_NAME LIKE ?'),
  USERROLE: membershipWith('UM_ROLE_NAME', 'UM_USER.UM_USER_NAME = ?'),
  GETUSERLISTOFROLE: membershipWith('UM_USER_NAME', 'UM_ROLE.UM_ROLE_NAME = ?'),
  ISROLEEXISTING: roleWith(['UM_ID'], 'UM_ROLE_NAME = ?'),
  GETROLELIST: roleWith(
    ['UM_ROLE_NAME', 'UM_TENANT_ID', 'UM_SHARED_ROLE'],
    'UM_ROLE_NAME LIKE ?',
    "UM_SHARED_ROLE = '0'",
  ),
}

const property = /^(\w+?)SQL(?:CaseInsensitive)?(?:-(\w+))?$/i

/** Nothing here is done for these: attributes, permissions, tenants, shared roles, pages and counts. */
const unused = /propert|profile|attribute|permission|tenant|domain|shared|paginated|count/i

/** Variants for databases that there is a driver for. */
const dialects = new Set(['postgresql', 'mysql', 'mariadb'])

/** What a text is made of: quoted texts, words with dots in them, and single characters. */
const tokenPattern = /'(?:[^']|'')*'|[\w.]+|\S/g

/** What all of WSO2's own statements are made of, besides the names of its tables and columns. */
const plainToken =
  /^(?:SELECT|DISTINCT|FROM|WHERE|AND|INNER|JOIN|ON|INSERT|INTO|VALUES|UPDATE|SET|DELETE|LOWER|LIKE|IN|ORDER|BY|ASC|UM_\w+(?:\.UM_\w+)?|[?,()=*]|'[01]')$/

/** Whether a property holds a statement that is run, and that is another one than WSO2's own. */
export function isOtherStatement(name: string, value: unknown): boolean {
  const [, base, dialect] = property.exec(name) ?? []
  if (base === undefined || value === '' || unused.test(base)) return false
  if (dialect !== undefined && !dialects.has(dialect.toLowerCase())) return false
  const tokens = tokenize(String(value))
  const expected = Object.hasOwn(readings, base.toUpperCase()) ? readings[base.toUpperCase()] : undefined
  return expected === undefined ? !tokens.every((token) => plainToken.test(token)) : !isReading(tokens, expected)
}

/** In capitals, without `LOWER()`: both variants of a statement are one. */
function tokenize(text: string): readonly string[] {
  const tokens = (text.replaceAll('&apos;', "'").replace(/;\s*$/, '').match(tokenPattern) ?? []).map((token) =>
    token.startsWith("'") ? token : token.toUpperCase(),
  )
  return tokens
    .join(' ')
    .replace(/\bLOWER \( ([\w.]+|\?) \)/g, '$1')
    .split(' ')
}

function isReading(tokens: readonly string[], { columns, tables, conditions }: Reading): boolean {
  const parts = /^SELECT (?:DISTINCT )?(.+?) FROM (.+?) WHERE (.+?)(?: ORDER BY [\w.]+(?: ASC)?)?$/.exec(
    tokens.join(' '),
  )
  if (parts === null) return false
  const [, selected, from, where] = parts as unknown as [string, string, string, string]
  const [first = '', ...joins] = from.split(' INNER JOIN ')
  const joined = joins.map((join) => join.split(' ON '))
  const foundTables = [...first.split(' , '), ...joined.map(([table = '']) => table)]
  const foundConditions = [...joined.flatMap(([, ...on]) => on), where].flatMap((text) => text.split(' AND '))
  // A column of the only table has its name before it, or not.
  const shortened = (text: string): string => (tables.length === 1 ? text.replaceAll(`${tables[0]}.`, '') : text)
  return (
    selected.split(' , ').every((column) => columns.includes(column.replace(/^UM_[A-Z_]+\./, ''))) &&
    isSame(foundTables, tables) &&
    isSame(foundConditions.map(shortened).map(inOrder), conditions.map(inOrder))
  )
}

/** `a = b` and `b = a` are one condition. */
function inOrder(condition: string): string {
  const sides = condition.split(' = ')
  return sides.length === 2 ? sides.toSorted().join(' = ') : condition
}

function isSame(found: readonly string[], expected: readonly string[]): boolean {
  return found.toSorted().join('\n') === expected.toSorted().join('\n')
}
