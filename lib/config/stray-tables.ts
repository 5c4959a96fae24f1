/**
 * What stands at the root of a file and is no known table: keys without a header, and tables that look like ours.
 *
 * @module
 */

import { nearest } from '../internal/near-miss.js'
import type { Finding } from './findings.js'
import type { KnownKey } from './known-keys/known-key.js'
import { isTree, type TreeValue } from './tree.js'

/** Lists the mistakes among the root entries that are not known. A table of another product is none. */
export function strayTables(strangers: ReadonlyMap<string, TreeValue>, known: KnownKey): Finding[] {
  const names = [...strangers.keys()]
  return [...strangers].flatMap(([name, value]) => {
    const mistake = isTableLike(value) ? strayTable(name, value, known, names) : strayKey(name, known, names)
    return mistake === undefined ? [] : [{ ...mistake, path: [name] }]
  })
}

type Mistake = Pick<Finding, 'rule' | 'suggestion'>

const maxHomesShown = 3

/** A key above the first header, as it is left when the headers of an example were lost. */
function strayKey(name: string, known: KnownKey, strangers: readonly string[]): Mistake {
  const homes = homesOf(name, known, strangers)
  const places = homes.slice(0, maxHomesShown).map((home) => (isArrayOfTables(home) ? `[[${home}]]` : `[${home}]`))
  return {
    rule: `belongs below the header of its table${homes.length === 0 ? '' : `, most likely ${places.join(' or ')}`}`,
    suggestion: homes.length === 0 ? nearest(name, known.children.keys()) : `${homes[0]}.${name}`,
  }
}

function strayTable(
  name: string,
  value: TreeValue,
  known: KnownKey,
  strangers: readonly string[],
): Mistake | undefined {
  // No product has a table of this name.
  if (name === '__proto__') return { rule: 'is not a known table' }
  const near = nearest(name, known.children.keys())
  if (near !== undefined) return { rule: 'is not a known table', suggestion: near }
  const home = homesOf(name, known, strangers, (key) => key.children.size > 0)[0]
  if (home !== undefined) return { rule: 'belongs in another table', suggestion: `${home}.${name}` }
  const kin = kinOf(value, known)
  return kin === undefined ? undefined : { rule: 'is not a known table, but has the keys of one', suggestion: kin }
}

function isTableLike(value: TreeValue): boolean {
  return isTree(value) || (Array.isArray(value) && value.length > 0 && value.every(isTree))
}

function isArrayOfTables(home: string): boolean {
  return /^(?:servlet_access_control_filter|datasource)$|\.(?:resources|users|secondary|service_provider)$/.test(home)
}

/** Our tables that have a wanted key of this name; first those that have most of the other stray names as well. */
function homesOf(
  name: string,
  known: KnownKey,
  strangers: readonly string[],
  isWanted: (key: KnownKey) => boolean = () => true,
): string[] {
  const homes: { path: string; count: number }[] = []
  visitTables(known, '', (path, table) => {
    const key = table.children.get(name)
    if (key?.isRead !== true || !isWanted(key)) return
    homes.push({ path, count: strangers.filter((stranger) => table.children.has(stranger)).length })
  })
  return homes.sort((a, b) => b.count - a.count).map(({ path }) => path)
}

/** Names that tables of other products have as well: they alone do not make a table one of ours. */
const commonNames = new Set([
  'class',
  'id',
  'name',
  'password',
  'path',
  'properties',
  'roles',
  'size',
  'type',
  'url',
  'username',
  'window',
])

/** The table of ours that has most of a table's keys, when each of its keys is one of ours. */
function kinOf(value: TreeValue, known: KnownKey): string | undefined {
  const names = leafNames(value)
  if (names.every((name) => commonNames.has(name))) return undefined
  const strange = new Set(names)
  let kin: string | undefined
  let mostShared = 0
  visitTables(known, '', (path, table) => {
    const shared = names.filter((name) => table.children.get(name)?.isRead === true)
    for (const name of shared) strange.delete(name)
    if (shared.length <= mostShared) return
    kin = path
    mostShared = shared.length
  })
  return strange.size === 0 ? kin : undefined
}

/** Names of the values in a table and in the tables below it. */
function leafNames(value: TreeValue): string[] {
  if (Array.isArray(value)) return value.flatMap(leafNames)
  if (!isTree(value)) return []
  return Object.entries(value).flatMap(([name, entry]) => (isTableLike(entry) ? leafNames(entry) : [name]))
}

/** Visits every table that is read, the management API first. */
function visitTables(key: KnownKey, path: string, visit: (path: string, table: KnownKey) => void): void {
  if (key.children.size === 0) return
  if (path !== '') visit(path, key)
  for (const [name, child] of key.children) {
    if (child.isRead) visitTables(child, path === '' ? name : `${path}.${name}`, visit)
  }
}
