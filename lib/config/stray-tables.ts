/**
 * What stands at the root of a file and is no known table: keys without a header, and tables that look like ours.
 *
 * @module
 */

import { nearest } from '../internal/near-miss.js'
import type { Finding } from './findings.js'
import type { KnownKey } from './known-keys/known-key.js'
import { isTree, type TreeValue } from './tree.js'
import type { Reports } from './unknown-keys.js'

/** Checks the root entries that are not known. A table is a mistake only where its name is near to one of ours. */
export function checkStrangers(strangers: ReadonlyMap<string, TreeValue>, known: KnownKey, reports: Reports): void {
  const names = [...strangers.keys()]
  for (const [name, value] of strangers) {
    const mistake = isTableLike(value) ? strayTable(name, known, names) : strayKey(name, known, names)
    if (mistake === undefined) reports.unknown([name])
    else reports.mistake({ ...mistake, path: [name] })
  }
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

function strayTable(name: string, known: KnownKey, strangers: readonly string[]): Mistake | undefined {
  // No product has a table of this name.
  if (name === '__proto__') return { rule: 'is not a known table' }
  const near = nearest(name, known.children.keys())
  if (near !== undefined) return { rule: 'is not a known table', suggestion: near }
  const home = homesOf(name, known, strangers, (key) => key.children.size > 0)[0]
  return home === undefined ? undefined : { rule: 'belongs in another table', suggestion: `${home}.${name}` }
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

/** Visits every table that is read, the management API first. */
function visitTables(key: KnownKey, path: string, visit: (path: string, table: KnownKey) => void): void {
  if (key.children.size === 0) return
  if (path !== '') visit(path, key)
  for (const [name, child] of key.children) {
    if (child.isRead) visitTables(child, path === '' ? name : `${path}.${name}`, visit)
  }
}
