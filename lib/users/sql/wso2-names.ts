/**
 * Look-ups of names in WSO2's tables that use the indexes which its scripts make.
 *
 * No index on a name answers `LOWER(name) = ?`. PostgreSQL, which does not ignore case itself, walks its index instead: the
 * spellings that are there are found one character after the other, and then looked up as they are.
 *
 * @module
 */

import type { SqlQuery, SqlValue } from '../../sql/sql-database.js'
import { placeholders } from './user-schema.js'
import { type NameColumns, type NameTable, nameColumns } from './wso2-tables.js'

export interface Condition {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

/** A text whose type PostgreSQL need not guess. */
const text = 'CAST(? AS TEXT)'

const always: Condition = { sql: '1 = 1', parameters: [] }

/** So many spellings of a beginning are looked up at a time; of more, the whole table is read. */
const maxBeginnings = 16

/** No character comes after it. */
const lastCharacter = '\u{10ffff}'

/** Makes conditions for one database. What they find is a superset of what is meant: the caller compares. */
export function nameConditions(columns: NameColumns, ignoreCase: boolean) {
  function oneOf(table: NameTable, names: readonly SqlValue[], column: string = nameColumns[table]): Condition {
    const values = placeholders(names.length).replaceAll('?', columns(table).value)
    return { sql: `${column} IN (${values})`, parameters: names }
  }

  /** Whether names in another case have to be looked for besides. */
  function hasOtherCases(table: NameTable): boolean {
    return ignoreCase && !columns(table).ignoreCase
  }

  /**
   * The spellings of a name, or of the beginning of names, that the index has. All that begin alike are between the one that
   * continues in capitals and the one in small letters, whatever the collation is; so one look tells whether there are any.
   */
  async function storedSpellings(query: SqlQuery, table: NameTable, name: string, after = ''): Promise<string[]> {
    const [small, capital] = bothCases(name)
    const length = [...small].length
    const column = nameColumns[table]
    const begins = `w.prefix || SUBSTR(CASE c.kind WHEN 0 THEN ${text} ELSE ${text} END, w.length + 1, 1)`
    const isBetween = `(SELECT t.${column} FROM ${table} t
      WHERE t.${column} >= ${begins} || SUBSTR(${text}, w.length + 2) ORDER BY t.${column} LIMIT 1)
      <= ${begins} || SUBSTR(${text}, w.length + 2) || ${text}`
    const cases = [small, capital]
    const between = (from: string, to: string): readonly string[] => [...cases, from, ...cases, to, after]
    const rows = await query(
      `WITH RECURSIVE w (prefix, length) AS (
        SELECT CAST('' AS TEXT), 0
        UNION
        SELECT ${begins}, w.length + 1 FROM w CROSS JOIN (VALUES (0), (1)) AS c (kind)
          WHERE w.length < ${length} AND (${isBetween} OR ${isBetween})
      ) SELECT prefix FROM w WHERE length = ${length}`,
      [...cases, ...between(small, capital), ...between(capital, small)],
    )
    return rows.map(({ prefix }) => String(prefix))
  }

  function inLowerCase(table: NameTable, names: readonly string[], column: string = nameColumns[table]): Condition {
    const folded = `LOWER(${column}) IN (${placeholders(names.length).replaceAll('?', columns(table).value)})`
    const lower = names.map((name) => name.toLowerCase())
    if (columns(table).isIndexedLower) return { sql: folded, parameters: lower }
    const exact = oneOf(table, names, column)
    return { sql: `(${exact.sql} OR ${folded})`, parameters: [...exact.parameters, ...lower] }
  }

  return {
    /** Rows whose name is `name`. `column`: with an alias before it. */
    is: (table: NameTable, name: string, column?: string): Condition => oneOf(table, [name], column),

    /** Rows whose name may be one of `names`, in any case where that does not count. */
    async means(query: SqlQuery, table: NameTable, names: readonly string[], column?: string): Promise<Condition> {
      if (!hasOtherCases(table)) return oneOf(table, names, column)
      const { canBeWalked, isIndexedLower } = columns(table)
      if (isIndexedLower || !canBeWalked) return inLowerCase(table, names, column)
      const found = await Promise.all(names.map((name) => storedSpellings(query, table, name)))
      // With the names themselves, so that an unknown name is as many statements as a known one.
      return oneOf(table, [...new Set([...found.flat(), ...names])], column)
    },

    /** Users whose name matches one of the patterns of `LIKE`. */
    async matches(query: SqlQuery, patterns: readonly string[]): Promise<Condition> {
      if (patterns.includes('%')) return always
      const table = 'UM_USER'
      const column = nameColumns[table]
      const { value, canBeWalked, isInCodeOrder } = columns(table)
      const exact = patterns.map(() => `${column} LIKE ${value} ESCAPE '!'`)
      if (!hasOtherCases(table)) return { sql: `(${exact.join(' OR ')})`, parameters: patterns }
      const folded = patterns.map(() => `LOWER(${column}) LIKE ${value} ESCAPE '!'`)
      const like = {
        sql: `(${[...exact, ...folded].join(' OR ')})`,
        parameters: [...patterns, ...patterns.map((pattern) => pattern.toLowerCase())],
      }
      const literals = patterns.map(literalBeginning)
      if (!canBeWalked || !isInCodeOrder || literals.includes('')) return like
      const found = await Promise.all(literals.map((literal) => storedSpellings(query, table, literal, lastCharacter)))
      const beginnings = [...new Set([...found.flat(), ...literals])]
      if (beginnings.length > maxBeginnings) return like
      const ranges = beginnings.map(() => `(${column} >= ${value} AND ${column} <= ${value})`)
      const bounds = beginnings.flatMap((beginning) => [beginning, `${beginning}${lastCharacter}`])
      return { sql: `((${ranges.join(' OR ')}) AND ${like.sql})`, parameters: [...bounds, ...like.parameters] }
    },
  }
}

/** A text in small letters and in capitals, character for character: one that has no single counterpart stays. */
function bothCases(text: string): readonly [small: string, capital: string] {
  const counterpart = (character: string, other: string): string => ([...other].length === 1 ? other : character)
  const characters = [...text]
  return [
    characters.map((character) => counterpart(character, character.toLowerCase())).join(''),
    characters.map((character) => counterpart(character, character.toUpperCase())).join(''),
  ]
}

/** What every text begins with that matches a pattern. */
function literalBeginning(pattern: string): string {
  const [literal = ''] = /^(?:![!%_]|[^!%_])*/.exec(pattern) ?? []
  return literal.replace(/!(.)/g, '$1')
}
