/**
 * Keys that are not known: in our own tables each is a mistake, elsewhere only what has nearly the name of a known key.
 *
 * @module
 */

import { nearest } from '../../core/names.js'
import { formatKey, type KeyPath } from '../values/key-path.js'
import { isTree, type Tree, type TreeValue } from '../values/tree.js'
import { describeType, type Finding } from './findings.js'
import { childNamed, type KnownKey } from './known-keys.js'
import { isSharedTable, renamedTables } from './our-tables.js'

export interface Reports {
  readonly mistake: (finding: Finding) => void
  readonly warning: (finding: Finding) => void
  /** A key or table that is left alone, because no known key has a name like it. */
  readonly unknown: (path: KeyPath) => void
}

export function checkKeys(source: Tree, known: KnownKey, otherTables: ReadonlySet<string>, reports: Reports): void {
  const ours = Object.entries(source).filter(([name]) => known.children.has(name))
  const check = { ...reports, isOpen: false, searches: { left: maxSearches } }
  for (const [name, value] of ours) checkBelow(value, known.children.get(name)!, [name], check)

  const strangers = Object.entries(source).filter(([name]) => !known.children.has(name) && !otherTables.has(name))
  checkStrangers(new Map(strangers), known, reports)
}

interface Check extends Reports {
  /** Whether everything is known below a key that the path goes through. */
  readonly isOpen: boolean
  /** How often keys of other tables are still looked through for a suggestion. */
  readonly searches: { left: number }
}

/** No file that is meant has so many misspelled keys. */
const maxSearches = 500

function checkBelow(value: TreeValue, known: KnownKey, path: KeyPath, check: Check): void {
  const isOpen = check.isOpen || known.isOpen
  const reports = { ...check, isOpen }
  if (known.advice !== undefined) reports.warning({ path, rule: known.advice, isIdle: true })
  if (isOpen && !known.isRead) return
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) {
      if (isTree(entry)) checkBelow(entry, known, [...path, index], reports)
    }
    return
  }
  // A reader says itself what type its value must have.
  if (isTree(value) !== known.children.size > 0) {
    const rule = isTree(value) ? 'must not be a table' : 'must be a table'
    if (!known.isRead) reports.mistake({ path, rule, got: describeType(value) })
    return
  }
  if (isTree(value)) checkTable(value, known, path, reports)
}

function checkTable(table: Tree, known: KnownKey, path: KeyPath, reports: Check): void {
  const isShared = reports.isOpen || isSharedTable(formatKey(path.filter((step) => typeof step === 'string')))
  for (const [name, value] of Object.entries(table)) {
    const child = childFor(name, value, known)
    const at = [...path, name]
    if (child !== undefined) checkBelow(value, child, at, reports)
    else {
      const rule = renamedTables[formatKey(at)] ?? 'is not a known key'
      const suggestion = isShared ? nearest(name, namesIn(known, isRead)) : suggestionFor(name, known, reports.searches)
      if (suggestion !== undefined || !isShared) reports.mistake({ path: at, rule, suggestion })
      else if (!reports.isOpen) reports.unknown(at)
    }
  }
}

/** The known key of this name. Where any name is that of a table, a name with another value is not known. */
function childFor(name: string, value: TreeValue, known: KnownKey): KnownKey | undefined {
  const child = childNamed(known, name)
  const isNamed = known.children.has(name)
  return isNamed || child?.children.size === 0 || child?.isOpen || isTree(value) ? child : undefined
}

/** A key of the same table that is spelled alike, else a key of that name, or nearly, in a table below. */
function suggestionFor(name: string, known: KnownKey, searches: Check['searches']): string | undefined {
  const near = nearest(name, namesIn(known))
  if (near !== undefined || searches.left-- <= 0) return near
  return (
    findBelow(known, (candidate) => candidate === name) ??
    findBelow(known, (candidate) => nearest(name, [candidate]) !== undefined)
  )
}

function findBelow(known: KnownKey, matches: (name: string) => boolean): string | undefined {
  for (const [name, child] of known.children) {
    if (name === '*') continue
    const found = namesIn(child).find(matches) ?? findBelow(child, matches)
    if (found !== undefined) return `${name}.${found}`
  }
  return undefined
}

function namesIn(known: KnownKey, isWanted: (key: KnownKey) => boolean = () => true): string[] {
  return [...known.children].filter(([name, key]) => name !== '*' && isWanted(key)).map(([name]) => name)
}

function isRead(key: KnownKey): boolean {
  return key.isRead
}

/** The names of the root entries that are not known. */
class Strangers {
  readonly #names: ReadonlyMap<string, unknown>
  readonly #counts = new Map<KnownKey, number>()

  constructor(names: ReadonlyMap<string, unknown>) {
    this.#names = names
  }

  /** How many of them a table has. */
  countIn(table: KnownKey): number {
    const count = this.#counts.get(table) ?? [...table.children.keys()].filter((name) => this.#names.has(name)).length
    this.#counts.set(table, count)
    return count
  }
}

/** Checks the root entries that are not known. A table is a mistake only where its name is nearly that of a known table. */
function checkStrangers(strangers: ReadonlyMap<string, TreeValue>, known: KnownKey, reports: Reports): void {
  const all = new Strangers(strangers)
  for (const [name, value] of strangers) {
    const mistake = isTableLike(value) ? strayTable(name, known, all) : strayKey(name, known, all)
    if (mistake === undefined) reports.unknown([name])
    else reports.mistake({ ...mistake, path: [name] })
  }
}

type Mistake = Pick<Finding, 'rule' | 'suggestion'>

const maxHomesShown = 3

/** A key above the first header, as it is left when the headers of an example were lost. */
function strayKey(name: string, known: KnownKey, strangers: Strangers): Mistake {
  const homes = findHomes(name, known, strangers)
  const places = homes.slice(0, maxHomesShown).map((home) => (isArrayOfTables(home) ? `[[${home}]]` : `[${home}]`))
  return {
    rule: `belongs below the header of its table${homes.length === 0 ? '' : `, most likely ${places.join(' or ')}`}`,
    suggestion: homes.length === 0 ? nearest(name, known.children.keys()) : `${homes[0]}.${name}`,
  }
}

function strayTable(name: string, known: KnownKey, strangers: Strangers): Mistake | undefined {
  // No product has a table of this name.
  if (name === '__proto__') return { rule: 'is not a known table' }
  const near = nearest(name, known.children.keys())
  if (near !== undefined) return { rule: 'is not a known table', suggestion: near }
  const home = findHomes(name, known, strangers, (key) => key.children.size > 0)[0]
  return home === undefined ? undefined : { rule: 'belongs in another table', suggestion: `${home}.${name}` }
}

function isTableLike(value: TreeValue): boolean {
  return isTree(value) || (Array.isArray(value) && value.length > 0 && value.every(isTree))
}

function isArrayOfTables(home: string): boolean {
  return /^(?:servlet_access_control_filter|datasource|identity_provider)$|\.(?:resources|users|secondary|service_provider)$/.test(
    home,
  )
}

/** Our tables that have a wanted key of this name; first those that have most of the other stray names as well. */
function findHomes(
  name: string,
  known: KnownKey,
  strangers: Strangers,
  isWanted: (key: KnownKey) => boolean = () => true,
): string[] {
  return homesOf(known, name)
    .filter(({ table }) => isWanted(table.children.get(name)!))
    .map(({ path, table }) => ({ path, count: strangers.countIn(table) }))
    .sort((a, b) => b.count - a.count)
    .map(({ path }) => path)
}

interface Home {
  readonly path: string
  readonly table: KnownKey
}

const homesByName = new WeakMap<KnownKey, ReadonlyMap<string, readonly Home[]>>()

/** The tables that have a key of this name which is read. */
function homesOf(known: KnownKey, name: string): readonly Home[] {
  let homes = homesByName.get(known)
  if (homes === undefined) {
    const found = new Map<string, Home[]>()
    visitTables(known, '', (path, table) => {
      for (const [key, { isRead }] of table.children) {
        if (isRead) found.set(key, [...(found.get(key) ?? []), { path, table }])
      }
    })
    homes = found
    homesByName.set(known, homes)
  }
  return homes.get(name) ?? []
}

function visitTables(key: KnownKey, path: string, visit: (path: string, table: KnownKey) => void): void {
  if (key.children.size === 0) return
  if (path !== '') visit(path, key)
  for (const [name, child] of key.children) {
    if (child.isRead) visitTables(child, path === '' ? name : `${path}.${name}`, visit)
  }
}

const maxUnknownShown = 5

/** One line for all that is left alone. */
export function unknownWarning([first, ...others]: readonly KeyPath[]): Finding[] {
  if (first === undefined) return []
  if (others.length === 0) return [{ path: first, rule: 'is not known here and has no effect' }]
  const shown = others.slice(0, maxUnknownShown).map(formatKey).join(', ')
  const rest = others.length > maxUnknownShown ? ', ...' : ''
  const rule = `and ${others.length} more are not known here and have no effect: ${shown}${rest}`
  return [{ path: first, rule }]
}
