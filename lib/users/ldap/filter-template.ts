/**
 * Filters of the configuration, with `?` for a name.
 *
 * @module
 */

import { FilterParser } from 'ldapts'
import type { DirectoryEntry } from './directory-entry.js'
import { escapeFilterValue, unescapeFilterValue } from './escape.js'

/** A filter that finds users or groups by name. */
export interface FilterTemplate {
  /** The filter for one name. */
  filterFor(name: string): string
  /** Attributes that the name is compared with. */
  readonly attributes: readonly string[]
  /**
   * Whether an entry has this very name in one of them. A directory takes more for equal than it should for a login: full
   * width letters, blanks around, other blanks inside.
   */
  hasName(entry: DirectoryEntry, name: string, fold: (text: string) => string): boolean
}

/** A comparison with `?` in its value: attribute, matching rule, value. */
const comparison = /\(([\w.;-]+)(:[\w.:-]*)?=([^()]*\?[^()]*)\)/g

/** Entities of XML, which WSO2 needs because it writes the filter to an XML file as it is. */
const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' }

/**
 * A filter as `ldapts` reads it: no entities, and no blanks between the parentheses.
 *
 * @throws Error for what is no filter (RFC 4515).
 */
export function readFilter(text: string): string {
  const plain = text.trim().replace(/&(?:amp|lt|gt);/g, (entity) => entities[entity]!)
  const filter = plain.replace(/(\([&|!]|\))\s+(?=[()])/g, '$1')
  FilterParser.parseString(filter)
  // The parser takes an end for a parenthesis. In values they are escaped, so that they can be counted.
  if (filter.split('(').length !== filter.split(')').length) throw new Error('unbalanced parentheses')
  return filter.startsWith('(') ? filter : `(${filter})`
}

/**
 * Reads a filter with at least one comparison with `?`.
 *
 * @throws Error for what is no such filter.
 */
export function filterTemplate(text: string): FilterTemplate {
  const filter = readFilter(text)
  const comparisons = [...filter.matchAll(comparison)].map(([, attribute, , value]) => ({
    attribute: attribute!,
    around: value!.split('?').map(readLiteral),
  }))
  if (comparisons.length === 0) throw new Error('no comparison with ?')

  return {
    filterFor: (name) => filter.replaceAll('?', () => escapeFilterValue(name)),
    attributes: [...new Set(comparisons.map(({ attribute }) => attribute))],
    hasName: (entry, name, fold) =>
      comparisons.some(({ attribute, around }) => {
        const expression = new RegExp(`^${around.join(escapeRegExp(fold(name)))}$`, 's')
        return entry.values(attribute).some((value) => expression.test(fold(value)))
      }),
  }
}

/** The same filter, whose every comparison with `?` is with this attribute. A matching rule is one of its own attribute. */
export function comparingWith(text: string, attribute: string): string {
  return readFilter(text).replace(comparison, (_, compared: string, rule = '') =>
    compared.toLowerCase() === attribute.toLowerCase() ? `(${attribute}${rule}=?)` : `(${attribute}=?)`,
  )
}

/**
 * The text beside a name as an expression, in which `*` means any text. It is case-insensitive also where names are not: the
 * directory has compared it already, by the matching rule of the attribute.
 */
function readLiteral(text: string): string {
  return text.split('*').map(unescapeFilterValue).map(inAnyCase).join('.*')
}

function inAnyCase(text: string): string {
  const forms = (character: string): ReadonlySet<string> =>
    new Set([character, character.toLowerCase(), character.toUpperCase()])
  return [...text.normalize('NFC')]
    .map((character) => `(?:${[...forms(character)].map(escapeRegExp).join('|')})`)
    .join('')
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
