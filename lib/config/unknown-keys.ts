/**
 * Keys that are not known: in our own tables each is a mistake, elsewhere only what has a name like one of ours.
 *
 * @module
 */

import { nearest } from '../internal/near-miss.js'
import { describeType, type Finding } from './findings.js'
import { formatKey, type KeyPath } from './key-path.js'
import { childNamed, type KnownKey } from './known-keys/known-key.js'
import { isSharedTable, renamedTables } from './known-keys/our-tables.js'
import { checkStrangers } from './stray-tables.js'
import { isTree, type Tree, type TreeValue } from './tree.js'

/** Where {@link checkKeys} reports. */
export interface Reports {
  readonly mistake: (finding: Finding) => void
  readonly warning: (finding: Finding) => void
  /** A key or table that is left alone, because nothing of ours has a name like it. */
  readonly unknown: (path: KeyPath) => void
}

/** Checks every key of a document. */
export function checkKeys(source: Tree, known: KnownKey, otherTables: ReadonlySet<string>, reports: Reports): void {
  const ours = Object.entries(source).filter(([name]) => known.children.has(name))
  for (const [name, value] of ours) checkBelow(value, known.children.get(name)!, [name], { ...reports, isOpen: false })

  const strangers = Object.entries(source).filter(([name]) => !known.children.has(name) && !otherTables.has(name))
  checkStrangers(new Map(strangers), known, reports)
}

/** What a check of a key needs besides the key. */
interface Check extends Reports {
  /** Whether everything is known below a key that the path goes through. */
  readonly isOpen: boolean
}

function checkBelow(value: TreeValue, known: KnownKey, path: KeyPath, check: Check): void {
  const isOpen = check.isOpen || known.isOpen
  const reports = { ...check, isOpen }
  if (known.advice !== undefined) reports.warning({ path, rule: known.advice })
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
      const suggestion = isShared ? nearest(name, namesIn(known, isRead)) : suggestionFor(name, known)
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
function suggestionFor(name: string, known: KnownKey): string | undefined {
  return (
    nearest(name, namesIn(known)) ??
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
