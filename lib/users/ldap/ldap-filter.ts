/**
 * LDAP filters (RFC 4515): how they are built, with every value escaped, and those of the configuration, with `?` for a name.
 *
 * @module
 */

import { FilterParser } from 'ldapts'
import { hexEscape } from './distinguished-name.js'
import type { DirectoryEntry } from './ldap-connection.js'

/** A value in a filter (RFC 4515 section 3). The rest of UTF-8 stands for itself. */
export function escapeFilterValue(value: string): string {
  return value.replace(/[\0()*\\]/g, hexEscape)
}

export const anyEntry = '(objectClass=*)'

/** One comparison. `attribute` may have a matching rule. */
export function equals(attribute: string, value: string): string {
  return `(${attribute}=${escapeFilterValue(value)})`
}

/** Finds at least what a pattern of `*` and `?` means: a filter has no sign for one character. */
export function likePattern(attribute: string, pattern: string): string {
  return `(${attribute}=${pattern.split(/[*?]+/).map(escapeFilterValue).join('*')})`
}

export function both(one: string, other: string): string {
  return `(&${one}${other})`
}

export function anyOf(filters: readonly string[]): string {
  return filters.length === 1 ? filters[0]! : `(|${filters.join('')})`
}

/** A filter of the configuration that finds users or groups by name. */
export interface FilterTemplate {
  filterFor(name: string): string
  readonly attributes: readonly string[]
  /** Whether an entry has this very name in one of them. A directory takes more for equal: full width letters, blanks. */
  hasName(entry: DirectoryEntry, name: string, fold: (text: string) => string): boolean
}

/** A comparison with `?` in its value: attribute, matching rule, value. */
const comparison = /\(([\w.;-]+)(:[\w.:-]*)?=([^()]*\?[^()]*)\)/g

/** Entities of XML, which WSO2 needs because it writes the filter to an XML file as it is. */
const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' }

/** A filter as `ldapts` reads it: no entities, and no blanks between the parentheses. @throws Error for what is no filter. */
export function readFilter(text: string): string {
  const plain = text.trim().replace(/&(?:amp|lt|gt);/g, (entity) => entities[entity]!)
  const filter = plain.replace(/(\([&|!]|\))\s+(?=[()])/g, '$1')
  FilterParser.parseString(filter)
  // The parser takes an end for a parenthesis. In values they are escaped, so that they can be counted.
  if (filter.split('(').length !== filter.split(')').length) throw new Error('unbalanced parentheses')
  return filter.startsWith('(') ? filter : `(${filter})`
}

/** @throws Error for what is no filter with at least one comparison with `?`. */
export function readFilterTemplate(text: string): FilterTemplate {
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
  const unescapeBytes = (escaped: string): string => Buffer.from(escaped.replaceAll('\\', ''), 'hex').toString('utf8')
  const parts = text.split('*').map((part) => part.replace(/(?:\\[\dA-Fa-f]{2})+/g, unescapeBytes))
  return parts.map((part) => [...part.normalize('NFC')].map(inAnyCase).join('')).join('.*')
}

function inAnyCase(character: string): string {
  const forms = new Set([character, character.toLowerCase(), character.toUpperCase()])
  return `(?:${[...forms].map(escapeRegExp).join('|')})`
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
