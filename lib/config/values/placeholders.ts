/**
 * Placeholders in values: `$env{NAME}`, `$sys{name}`, `$ref{dotted.key}`, `$secret{alias}`; and `$env{}` and `$sys{}` in
 * `[secrets]`.
 *
 * @module
 */

import { hasControlCharacter } from '../../core/names.js'
import type { Finding } from '../checks/findings.js'
import { formatKey, isSecretKey, type KeyPath, parseKey } from './key-path.js'
import { isTree, type Tree, type TreeValue, valueAt } from './tree.js'

/** Where a configuration takes values from that are not written in it. */
export interface ConfigOptions {
  /** For `$env{NAME}`. An empty text counts as set. @defaultValue `process.env` */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** For `$sys{name}`. An empty text counts as missing. @defaultValue none */
  readonly systemProperties?: Readonly<Record<string, string>> | undefined
  /**
   * Folder that relative paths of a parsed object start from. A file's paths start from its own folder, but key stores are
   * looked for here first.
   *
   * @defaultValue the working directory
   */
  readonly home?: string | undefined
  /** Whether the app brings a user store of its own: none has to be named, and the file's users are not read. @defaultValue false */
  readonly ignoreUserStore?: boolean | undefined
}

/** Why a value cannot be expanded. The message is a rule for a finding, and shows no value. */
export class PlaceholderError extends Error {
  override readonly name = 'PlaceholderError'
  /** Another place that has to be put right. */
  readonly see: KeyPath | undefined

  constructor(rule: string, see?: KeyPath) {
    super(rule)
    this.see = see
  }
}

const placeholder = /\$(env|sys|ref|secret)\{([^{}]*)\}/g
/** What begins like a placeholder, in any case. */
const opening = /\$(?:env|sys|ref|secret)\{/gi
/** What is read in `[secrets]` only. Elsewhere it would be a password that everybody knows. */
const fileOpening = /\$file\{/i
const wellFormed = /\$(?:env|sys|ref|secret)\{[^{}]+\}/y
const wholeReference = /^\$ref\{([^{}]*)\}$/

/** References that repeat references could grow without end; no real value is this long. */
const maxCharacters = 65_536

/** References that lead to references; no real file has more than two in a row. */
const maxTrail = 32

export function hasPlaceholder(text: string): boolean {
  return text.search(placeholder) !== -1
}

/** What is wrong with the first broken placeholder. Nothing of what follows the brace is shown: it may be a secret. */
export function brokenPlaceholder(text: string): string | undefined {
  for (const { 0: start, index } of text.matchAll(opening)) {
    wellFormed.lastIndex = index
    if (wellFormed.test(text)) continue
    return start === start.toLowerCase()
      ? `has a ${start} without a name and a closing brace after it`
      : `has a ${start}, but placeholders are written in lower case`
  }
  return fileOpening.test(text)
    ? 'has a $file{}, which is read in [secrets] only: write $secret{alias} here, and alias = "$file{path}" there'
    : undefined
}

/** What the placeholders of a text, or of the texts of a list, name. */
export function listPlaceholders(
  value: TreeValue,
): readonly { readonly kind: PlaceholderKind; readonly name: string }[] {
  if (Array.isArray(value)) return value.flatMap(listPlaceholders)
  if (typeof value !== 'string') return []
  return [...value.matchAll(placeholder)].map(([, kind, name = '']) => ({ kind: kind as PlaceholderKind, name }))
}

export type PlaceholderKind = 'env' | 'sys' | 'ref' | 'secret'

export type Expand = (text: string) => TreeValue

/**
 * Returns the function that expands values. What a placeholder stands for is not searched again, so that an environment
 * variable cannot name another; only the target of a `$ref{}` is expanded, as the value it is.
 *
 * @param defaults What a `$ref{}` finds where the configuration has nothing.
 * @throws The returned function throws {@link PlaceholderError}.
 */
export function createExpand(
  source: Tree,
  defaults: ReadonlyMap<string, TreeValue>,
  options: ConfigOptions,
  readSecret: (alias: string) => string,
): Expand {
  const known = new Map<string, TreeValue>()

  const expand = (text: string, trail: readonly string[]): TreeValue => {
    const broken = brokenPlaceholder(text)
    if (broken !== undefined) throw new PlaceholderError(broken)
    const [, reference] = wholeReference.exec(text) ?? []
    if (reference !== undefined) return readTarget(reference, trail)
    const expanded = text.replace(placeholder, (_, kind: string, name: string) => {
      if (kind === 'secret') return readSecret(name)
      return kind === 'ref' ? formatTarget(name, readTarget(name, trail)) : readVariable(kind, name, options)
    })
    if (expanded.length <= maxCharacters) return expanded
    throw new PlaceholderError(`becomes longer than ${maxCharacters} characters`)
  }

  const readTarget = (key: string, trail: readonly string[]): TreeValue => {
    const path = parseKey(key)
    if (path === undefined) throw new PlaceholderError('has a $ref{} that names no key')
    const name = formatKey(path)
    if (path[0] === 'secrets') throw new PlaceholderError('refers to [secrets], which is not allowed')
    if (known.has(name)) return known.get(name)
    if (trail.includes(name)) throw new PlaceholderError(`refers to itself: ${[...trail, name].join(' -> ')}`)
    if (trail.length === maxTrail) throw new PlaceholderError(`refers to ${name} over more than ${maxTrail} others`)
    const value = expandTarget(valueAt(source, path) ?? defaults.get(name), name, [...trail, name])
    known.set(name, value)
    return value
  }

  const expandTarget = (value: TreeValue, name: string, trail: readonly string[]): TreeValue => {
    if (value === undefined) throw new PlaceholderError(`refers to ${name}, which is not there`)
    if (typeof value === 'string') return expand(value, trail)
    if (Array.isArray(value) && !value.some((entry) => typeof entry === 'object')) {
      return value.map((entry) => (typeof entry === 'string' ? expand(entry, trail) : entry))
    }
    if (typeof value === 'object') throw new PlaceholderError(`refers to ${name}, which is a table`)
    return value
  }

  return (text) => expand(text, [])
}

function formatTarget(name: string, target: TreeValue): string {
  if (typeof target === 'object') throw new PlaceholderError(`can refer to ${name}, a list, only as its whole value`)
  return String(target)
}

function readVariable(kind: string, name: string, { env = process.env, systemProperties = {} }: ConfigOptions): string {
  const values: Readonly<Record<string, string | undefined>> = kind === 'env' ? env : systemProperties
  // As after the last line of a file, a line feed at the end is no part of the value.
  const value = Object.hasOwn(values, name) ? values[name]?.replace(/\r?\n$/, '') : undefined
  if (value !== undefined && (kind === 'env' || value !== '')) return value
  throw new PlaceholderError(
    kind === 'env'
      ? `needs the environment variable ${name}, which is not set`
      : `needs the system property ${name}, which is missing or empty`,
  )
}

/** Only `$env{}` and `$sys{}` may stand in `[secrets]`. The returned function throws {@link PlaceholderError}. */
export function createSecretExpand(options: ConfigOptions): (text: string) => string {
  return (text) => {
    const broken = fileOpening.test(text) ? 'has a $file{} that is not the whole entry' : brokenPlaceholder(text)
    if (broken !== undefined) throw new PlaceholderError(broken)
    return text.replace(placeholder, (_, kind: string, name: string) => {
      if (kind === 'env' || kind === 'sys') return readVariable(kind, name, options)
      throw new PlaceholderError(`has a $${kind}{}, which must not stand in [secrets]`)
    })
  }
}

/** Expands every text below a key of a table, in place. A value that cannot be expanded is taken out and reported. */
export function expandKey(table: Tree, path: KeyPath, expand: Expand, refuse: (finding: Finding) => void): void {
  const name = path.at(-1) as string
  const expanded = expandValue(table[name], path, expand, refuse)
  if (expanded === undefined) delete table[name]
  else table[name] = expanded
}

function expandValue(value: TreeValue, path: KeyPath, expand: Expand, refuse: (finding: Finding) => void): TreeValue {
  if (typeof value === 'string') {
    try {
      const expanded = expand(value)
      const [, variable] = /\$(?:env|sys)\{([^{}]*)\}/.exec(value) ?? []
      const isBroken = variable !== undefined && typeof expanded === 'string' && hasControlCharacter(expanded)
      if (!isBroken || !isSecretKey(path)) return expanded
      throw new PlaceholderError(`has a control character, such as a line break, that the variable ${variable} brings`)
    } catch (error) {
      if (!(error instanceof PlaceholderError)) throw error
      refuse({ path, rule: error.message, see: error.see })
      return undefined
    }
  }
  if (Array.isArray(value)) return value.map((entry, index) => expandValue(entry, [...path, index], expand, refuse))
  if (isTree(value)) for (const name of Object.keys(value)) expandKey(value, [...path, name], expand, refuse)
  return value
}
