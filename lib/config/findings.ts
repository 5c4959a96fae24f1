/**
 * Findings: the mistakes and warnings of a configuration while it is being read, before they have a position.
 *
 * @module
 */

import type { ConfigProblem, Position } from '../core/errors.js'
import { formatKey, isSecretKey, type KeyPath } from './key-path.js'
import { hasPlaceholder } from './placeholders.js'
import { isTree, type Tree, type TreeValue, writtenAt } from './tree.js'

/** A mistake or a warning at a place of the configuration. */
export interface Finding {
  readonly path: KeyPath
  /** What is wrong. Where it begins with "must", what was found instead is added by {@link describeFindings}. */
  readonly rule: string
  /** Dotted key that was meant, from the table that the path is in. */
  readonly suggestion?: string | undefined
  /** What was found instead, when that is not simply the value. */
  readonly got?: string | undefined
  /** Another place that this one clashes with. */
  readonly related?: KeyPath | undefined
  /** Another place that has to be put right. */
  readonly see?: KeyPath | undefined
}

/** Finds where a key is written. */
export type Locate = (path: KeyPath) => Position | undefined

/** Turns findings into problems in the order of the file, or of the object where there is no file. */
export function describeFindings(findings: readonly Finding[], source: Tree, locate: Locate): ConfigProblem[] {
  const order = orderOf(source)
  return findings
    .map((finding) => ({ finding, position: locate(finding.path) }))
    .sort((a, b) => comparePositions(a.position, b.position) || order(a.finding.path) - order(b.finding.path))
    .map(({ finding, position }) => ({
      key: formatKey(finding.path),
      rule: ruleOf(finding, source, locate),
      ...(position !== undefined && { position }),
      ...(finding.suggestion !== undefined && { suggestion: formatKey(pathMeant(finding.path, finding.suggestion)) }),
    }))
}

/** The path of what a suggestion proposes in place of another. */
export function pathMeant(path: KeyPath, suggestion: string): KeyPath {
  return [...path.slice(0, -1), ...suggestion.split('.')]
}

function ruleOf({ path, rule, got, related, see }: Finding, source: Tree, locate: Locate): string {
  if (see !== undefined) return `${rule} (see ${placeOf(see, locate)})`
  const other = related === undefined ? '' : ` (the other is ${placeOf(related, locate)})`
  if (!rule.startsWith('must ')) return `${rule}${other}`
  return `${rule}${other}, got ${got ?? describeValue(path, writtenAt(source, path))}`
}

function placeOf(path: KeyPath, locate: Locate): string {
  const position = locate(path)
  const where = position === undefined ? '' : ` at ${position.file}:${position.line}:${position.column}`
  return `${formatKey(path)}${where}`
}

const maxShownCharacters = 60

/** A user before the host of a URL, or a password among its parameters. */
const hasCredentials = /:\/\/[^/?#\s]*@|[?&;](?:password|pwd)=/i

/** Says what a value is: the value itself when it is short and no secret, else its type. */
function describeValue(path: KeyPath, value: TreeValue): string {
  if (isSecretKey(path)) return value === undefined ? 'nothing' : `${describeType(value)} that is not shown`
  if (typeof value === 'string') {
    if (hasCredentials.test(value)) return 'a text that is not shown'
    if (value.length > maxShownCharacters) return `a text of ${value.length} characters`
    // The text as it stands in the file: what its placeholders stand for may be a secret.
    return hasPlaceholder(value) ? `the value of ${JSON.stringify(value)}` : JSON.stringify(value)
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  // A short list is shown whole, so that the entry that is wrong can be seen.
  const shown = Array.isArray(value)
    ? value.map((entry) => (typeof entry === 'object' ? undefined : describeValue(path, entry)))
    : []
  const text = `[${shown.join(', ')}]`
  return shown.length > 0 && !shown.includes(undefined) && text.length <= maxShownCharacters
    ? text
    : describeType(value)
}

/** Says of what type a value is, in the words of TOML. */
export function describeType(value: TreeValue): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length > 0 && value.every(isTree) ? 'an array of tables' : 'a list'
  if (value instanceof Date) return 'a date'
  if (isTree(value)) return 'a table'
  return typeof value === 'string' ? 'a text' : typeof value === 'boolean' ? 'a boolean' : 'a number'
}

function comparePositions(a: Position | undefined, b: Position | undefined): number {
  if (a === undefined || b === undefined) return 0
  return a.line - b.line || a.column - b.column
}

/** Numbers every key in the order of the source; a key that is missing counts as the table it is missing from. */
function orderOf(source: Tree): (path: KeyPath) => number {
  const ordinals = new Map<string, number>()
  const visit = (value: TreeValue, path: KeyPath): void => {
    ordinals.set(formatKey(path), ordinals.size)
    if (Array.isArray(value)) for (const [index, entry] of value.entries()) visit(entry, [...path, index])
    else if (isTree(value)) for (const [name, entry] of Object.entries(value)) visit(entry, [...path, name])
  }
  visit(source, [])
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const ordinal = ordinals.get(formatKey(path.slice(0, length)))
      if (ordinal !== undefined) return ordinal
    }
    return 0
  }
}
