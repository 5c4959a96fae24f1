/**
 * The configuration as plain data: a private copy of what was parsed, which the stages may change.
 *
 * @module
 */

import type { Finding } from '../checks/findings.js'
import type { KeyPath } from './key-path.js'

/** A value of a TOML document. `null` stands for anything that TOML cannot express. */
export type TreeValue = string | number | boolean | Date | null | undefined | TreeValue[] | Tree

/** A table. It has no prototype, so that no key is special. */
export interface Tree {
  [name: string]: TreeValue
}

/** Real files have some hundreds, the largest of WSO2's below 3000: to check more takes seconds, and an object may repeat itself. */
const maxValues = 20_000

/** What a value counts: texts and numbers of a list are cheap, and a list of addresses may have a hundred thousand. */
const weightOf = (value: unknown, isListed: boolean): number =>
  isListed && (typeof value !== 'object' || value === null) ? 1 / 50 : 1

/** Deeper nesting than this is refused; real files stay below ten. */
const maxDepth = 64

function emptyTree(): Tree {
  return Object.create(null) as Tree
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** Copies a parsed document. What is nested too deeply, or in itself, is reported and left out; all of it, if it is too large. */
export function copyTree(source: object, report: (finding: Finding) => void): Tree {
  let count = 0
  const copyTable = (table: object, path: KeyPath): Tree => {
    const copy = emptyTree()
    for (const [name, value] of Object.entries(table)) {
      if (value !== undefined) copy[name] = copyValue(value, [...path, name])
    }
    return copy
  }
  const copyValue = (value: unknown, path: KeyPath): TreeValue => {
    if (path.length > maxDepth) {
      report({ path: path.slice(0, 4), rule: tooDeep })
      return null
    }
    if (count > maxValues) return null
    count += weightOf(value, typeof path.at(-1) === 'number')
    if (count > maxValues) {
      report({ path: path.slice(0, 1), rule: tooManyValues })
      return null
    }
    if (Array.isArray(value)) return value.map((entry: unknown, index) => copyValue(entry, [...path, index]))
    if (value instanceof Date) return new Date(value)
    if (typeof value === 'object' && value !== null) return copyTable(value, path)
    // The parser makes a bigint of what is not exact as a number, others of every whole number.
    if (typeof value === 'bigint') {
      if (BigInt.asIntN(64, value) !== value) report({ path, rule: 'must be a whole number of at most 64 bits' })
      return Number(value)
    }
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
  }
  const copy = copyTable(source, [])
  return count > maxValues ? emptyTree() : copy
}

/** What is wrong with a document that is too large, or too deep, to be looked at; `undefined`: nothing. */
export function sizeProblem(source: object): string | undefined {
  let count = 0
  const isTooDeep = (value: object, depth: number): boolean => {
    if (depth > maxDepth) return true
    return Object.values(value).some((one: unknown) => {
      count += weightOf(one, Array.isArray(value))
      return count <= maxValues && typeof one === 'object' && one !== null && isTooDeep(one, depth + 1)
    })
  }
  if (isTooDeep(source, 0)) return tooDeep
  return count > maxValues ? tooManyValues : undefined
}

const tooManyValues = `has more than ${maxValues} values`
const tooDeep = `is nested deeper than ${maxDepth} tables`

export function valueAt(tree: TreeValue, path: KeyPath): TreeValue {
  let value: TreeValue = tree
  for (const step of path) {
    if (Array.isArray(value)) value = typeof step === 'number' ? value[step] : undefined
    else value = isTree(value) ? value[step] : undefined
  }
  return value
}

/** What is written for a path: its value, or the text around it whose placeholder stands for the rest of the path. */
export function writtenAt(tree: Tree, path: KeyPath): TreeValue {
  const text = path.map((_, length) => valueAt(tree, path.slice(0, length))).find((value) => typeof value === 'string')
  return text ?? valueAt(tree, path)
}

/**
 * Takes out the value at a path; where it is missing, the entry of a list that lacks it, else the innermost table. An entry
 * becomes `undefined`, so that its neighbours keep their numbers.
 *
 * @returns Whether anything was taken out.
 */
export function prune(tree: Tree, path: KeyPath): boolean {
  const entry = path.slice(0, path.findLastIndex((step) => typeof step === 'number') + 1)
  if (valueAt(tree, path) === undefined && entry.length > 0 && valueAt(tree, entry) !== undefined)
    return prune(tree, entry)
  for (let length = path.length; length > 0; length--) {
    if (valueAt(tree, path.slice(0, length)) === undefined) continue
    const parent = valueAt(tree, path.slice(0, length - 1))
    const step = path[length - 1]!
    if (Array.isArray(parent)) parent[step as number] = undefined
    else if (isTree(parent)) delete parent[step]
    return true
  }
  return false
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
