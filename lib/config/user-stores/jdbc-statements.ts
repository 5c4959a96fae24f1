/**
 * SQL statements in the properties of a database: WSO2 runs them in place of its own. Ours are fixed, so one that asks for
 * anything else than WSO2's own stops the start: it would let in users whom WSO2 does not find.
 *
 * A parser of all SQL would not help: what has to be known is whether a text is one of a few plain statements, however it is
 * spaced and ordered. What is not recognised is refused.
 *
 * @module
 */

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

/** Users with their roles. */
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
  const tokens = tokensOf(String(value))
  const expected = Object.hasOwn(readings, base.toUpperCase()) ? readings[base.toUpperCase()] : undefined
  return expected === undefined ? !tokens.every((token) => plainToken.test(token)) : !isReading(tokens, expected)
}

/** In capitals, without `LOWER()`: both variants of a statement are one. */
function tokensOf(text: string): readonly string[] {
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
