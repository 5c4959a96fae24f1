/**
 * Placeholders in values: `$env{NAME}`, `$sys{name}`, `$ref{dotted.key}`, `$secret{alias}`; and `$env{}` and `$sys{}` in
 * `[secrets]`.
 *
 * @module
 */

import { hasControlCharacter } from '../internal/control-character.js'
import type { ConfigOptions } from './config-options.js'
import type { Finding } from './findings.js'
import { formatKey, isSecretKey, type KeyPath, parseKey } from './key-path.js'
import { PlaceholderError } from './placeholder-error.js'
import { isTree, type Tree, type TreeValue, valueAt } from './tree.js'

const placeholder = /\$(env|sys|ref|secret)\{([^{}]*)\}/g
/** What begins like a placeholder, in any case. */
const opening = /\$(?:env|sys|ref|secret)\{/gi
/** What is read in `[secrets]` only. Elsewhere it would be a password that everybody knows. */
const fileOpening = /\$file\{/i
/** A placeholder at one place of a text. */
const wellFormed = /\$(?:env|sys|ref|secret)\{[^{}]+\}/y
const wholePlaceholder = /^\$ref\{([^{}]*)\}$/

/** References that repeat references could grow without end; no real value is this long. */
const maxCharacters = 65_536

/** References that lead to references; no real file has more than two in a row. */
const maxTrail = 32

/** Whether a text has a placeholder. */
export function hasPlaceholder(text: string): boolean {
  return text.search(placeholder) !== -1
}

/**
 * What is wrong with the first broken placeholder of a text; `undefined` when none is. Nothing of what follows the brace is
 * shown: it may be a secret.
 */
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

/** Expands the placeholders of one text. */
export type Expand = (text: string) => TreeValue

/**
 * Returns the function that expands the values of a configuration.
 *
 * What a placeholder stands for is not searched for placeholders again, so that an environment variable cannot name
 * another; only the target of a `$ref{}` is expanded, as the value it is.
 *
 * @param source The configuration as written.
 * @param defaults What a `$ref{}` finds where the configuration has nothing.
 * @param secretOf Finds the text of a `$secret{}`.
 * @throws The returned function throws {@link PlaceholderError}.
 */
export function placeholders(
  source: Tree,
  defaults: ReadonlyMap<string, TreeValue>,
  options: ConfigOptions,
  secretOf: (alias: string) => string,
): Expand {
  const variables = variablesOf(options)
  const known = new Map<string, TreeValue>()

  const expand = (text: string, trail: readonly string[]): TreeValue => {
    const broken = brokenPlaceholder(text)
    if (broken !== undefined) throw new PlaceholderError(broken)
    const whole = wholePlaceholder.exec(text)
    if (whole !== null) return targetOf(whole[1]!, trail)
    const expanded = text.replace(placeholder, (_, kind: string, name: string) => textOf(kind, name, trail))
    if (expanded.length <= maxCharacters) return expanded
    throw new PlaceholderError(`becomes longer than ${maxCharacters} characters`)
  }

  const textOf = (kind: string, name: string, trail: readonly string[]): string => {
    if (kind === 'env' || kind === 'sys') return variables(kind, name)
    if (kind === 'secret') return secretOf(name)
    const target = targetOf(name, trail)
    if (typeof target === 'string') return target
    if (typeof target === 'object') throw new PlaceholderError(`can refer to ${name}, a list, only as its whole value`)
    return String(target)
  }

  const targetOf = (key: string, trail: readonly string[]): TreeValue => {
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

/** The value of a `$env{}` or `$sys{}`. */
function variablesOf({ env = process.env, systemProperties = {} }: ConfigOptions) {
  return (kind: 'env' | 'sys', name: string): string => {
    const values: Readonly<Record<string, string | undefined>> = kind === 'env' ? env : systemProperties
    // As after the last line of a file, a line feed at the end is no part of the value.
    const value = Object.hasOwn(values, name) ? values[name]?.replace(/\r?\n$/, '') : undefined
    if (kind === 'env' && value === undefined) {
      throw new PlaceholderError(`needs the environment variable ${name}, which is not set`)
    }
    if (value !== undefined && (kind === 'env' || value !== '')) return value
    throw new PlaceholderError(`needs the system property ${name}, which is missing or empty`)
  }
}

/**
 * Returns the function that expands an entry of `[secrets]`, in which only `$env{}` and `$sys{}` may stand.
 *
 * @throws The returned function throws {@link PlaceholderError}.
 */
export function secretPlaceholders(options: ConfigOptions): (text: string) => string {
  const variables = variablesOf(options)
  return (text) => {
    const broken = fileOpening.test(text) ? 'has a $file{} that is not the whole entry' : brokenPlaceholder(text)
    if (broken !== undefined) throw new PlaceholderError(broken)
    return text.replace(placeholder, (_, kind: string, name: string) => {
      if (kind === 'env' || kind === 'sys') return variables(kind, name)
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
