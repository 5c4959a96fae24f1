/**
 * Keys that are not known: in our tables each is a mistake, elsewhere only what looks like one of ours.
 *
 * @module
 */

import { nearest } from '../internal/near-miss.js'
import { describeType, type Finding } from './findings.js'
import type { KeyPath } from './key-path.js'
import { childNamed, type KnownKey } from './known-keys/known-key.js'
import { openTables } from './known-keys/our-tables.js'
import { strayTables } from './stray-tables.js'
import { isTree, type Tree, type TreeValue } from './tree.js'

/** Where {@link checkKeys} reports. */
export interface Reports {
  readonly mistake: (finding: Finding) => void
  readonly warning: (finding: Finding) => void
}

/** Checks every key of a document. */
export function checkKeys(source: Tree, known: KnownKey, otherTables: ReadonlySet<string>, reports: Reports): void {
  const ours = Object.entries(source).filter(([name]) => known.children.has(name))
  for (const [name, value] of ours) checkBelow(value, known.children.get(name)!, [name], reports)

  const strangers = Object.entries(source).filter(([name]) => !known.children.has(name) && !otherTables.has(name))
  for (const finding of strayTables(new Map(strangers), known)) reports.mistake(finding)
}

function checkBelow(value: TreeValue, known: KnownKey, path: KeyPath, reports: Reports): void {
  if (known.advice !== undefined) reports.warning({ path, rule: known.advice })
  if (known.isOpen) return
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

function checkTable(table: Tree, known: KnownKey, path: KeyPath, reports: Reports): void {
  for (const [name, value] of Object.entries(table)) {
    const child = childNamed(known, name)
    const at = [...path, name]
    if (child !== undefined) checkBelow(value, child, at, reports)
    else {
      const suggestion = suggestionFor(name, known)
      if (suggestion === undefined && openTables.has(String(path.at(-1)))) continue
      reports.mistake({ path: at, rule: 'is not a known key', suggestion })
    }
  }
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

function namesIn(known: KnownKey): string[] {
  return [...known.children.keys()].filter((name) => name !== '*')
}
