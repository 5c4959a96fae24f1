/**
 * Findings: the mistakes and warnings of a configuration while it is being read, before they have a position.
 *
 * @module
 */

import type { ConfigProblem, Position } from '../../core/errors.js'
import { formatKey, isSecretKey, type KeyPath } from '../values/key-path.js'
import { hasPlaceholder } from '../values/placeholders.js'
import type { TomlEdit } from '../values/toml-edits.js'
import { isTree, type Tree, type TreeValue, valueAt, writtenAt } from '../values/tree.js'

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
  /** Of a warning: what is written switches nothing. Otherwise it is a risk. */
  readonly isIdle?: boolean | undefined
  /** What puts it right. */
  readonly fix?: TomlEdit | undefined
}

/** Finds where a key is written, or the table around it; with `isWritten`, only the key or the list that it is an entry of. */
export type Locate = (path: KeyPath, isWritten?: boolean) => Position | undefined

export const nowhere: Locate = () => undefined

/** Turns findings into problems in the order of the file, or of the object where there is no file. */
export function describeFindings(findings: readonly Finding[], source: Tree, locate: Locate): ConfigProblem[] {
  return findings
    .map((finding) => ({ finding, position: locate(finding.path), ranks: ranksIn(source, finding.path) }))
    .sort((a, b) => comparePositions(a.position, b.position) || compareRanks(a.ranks, b.ranks))
    .map(({ finding, position }) => ({
      key: formatKey(finding.path),
      rule: formatRule(finding, source, locate),
      ...(position !== undefined && { position }),
      ...(finding.suggestion !== undefined && {
        suggestion: formatKey(suggestedPath(finding.path, finding.suggestion)),
      }),
    }))
}

export function suggestedPath(path: KeyPath, suggestion: string): KeyPath {
  return [...path.slice(0, -1), ...suggestion.split('.')]
}

function formatRule({ path, rule, got, related, see }: Finding, source: Tree, locate: Locate): string {
  if (see !== undefined) return `${rule} (see ${formatPlace(see, locate)})`
  const other = related === undefined ? '' : ` (the other is ${formatPlace(related, locate)})`
  if (!rule.startsWith('must ')) return `${rule}${other}`
  return `${rule}${other}, got ${got ?? describeValue(path, writtenAt(source, path))}`
}

function formatPlace(path: KeyPath, locate: Locate): string {
  const position = locate(path)
  const where = position === undefined ? '' : ` at ${position.file}:${position.line}:${position.column}`
  return `${formatKey(path)}${where}`
}

const maxShownCharacters = 60

export const hasCredentials: RegExp = /:\/\/[^/?#\s]*@|[?&;][^=&;]*(?:password|pwd|secret|token|key)=/i

/** The value itself when it is short and no secret, else its type. In the place of a hash, the secret itself may stand by mistake. */
function describeValue(path: KeyPath, value: TreeValue): string {
  if (isSecretKey(path) || /^(?:hash|key)$/.test(String(path.at(-1)))) {
    return value === undefined ? 'nothing' : `${describeType(value)} that is not shown`
  }
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

/** The number of each step of a path among its neighbours; a key that is missing counts as the table it is missing from. */
function ranksIn(source: Tree, path: KeyPath): number[] {
  const ranks: number[] = []
  let value: TreeValue = source
  for (const step of path) {
    if (typeof value !== 'object' || value === null) break
    const rank = rankIn(value, String(step))
    if (rank === undefined) break
    ranks.push(rank)
    value = valueAt(value, [step])
  }
  return ranks
}

const knownRanks = new WeakMap<object, ReadonlyMap<string, number>>()

function rankIn(table: object, name: string): number | undefined {
  let ranks = knownRanks.get(table)
  if (ranks === undefined) {
    ranks = new Map(Object.keys(table).map((key, index) => [key, index]))
    knownRanks.set(table, ranks)
  }
  return ranks.get(name)
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((rank, index) => rank !== b[index])
  return index === -1 ? a.length - b.length : a[index]! - (b[index] ?? -1)
}
