/**
 * Placeholders in values: `$env{NAME}`, `$sys{name}`, `$ref{dotted.key}`, `$secret{alias}`.
 *
 * @module
 */

import type { ConfigOptions } from './config-options.js'
import { formatKey, type KeyPath, parseKey } from './key-path.js'
import { isTree, type Tree, type TreeValue, valueAt } from './tree.js'

const placeholder = /\$(env|sys|ref|secret)\{([^{}]*)\}/g
/** What begins like a placeholder, in any case. */
const opening = /\$(?:env|sys|ref|secret)\{/gi
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
  return undefined
}

/** Why a value cannot be expanded. The message is a rule for a finding, and shows no value. */
class PlaceholderError extends Error {
  override readonly name = 'PlaceholderError'
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
 * @throws The returned function throws {@link PlaceholderError}.
 */
export function placeholders(source: Tree, defaults: ReadonlyMap<string, TreeValue>, options: ConfigOptions): Expand {
  const env = options.env ?? process.env
  const systemProperties = options.systemProperties ?? {}
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
    if (kind === 'env') {
      const value = Object.hasOwn(env, name) ? env[name] : undefined
      if (value !== undefined) return value
      throw new PlaceholderError(`needs the environment variable ${name}, which is not set`)
    }
    if (kind === 'sys') {
      const value = Object.hasOwn(systemProperties, name) ? systemProperties[name] : undefined
      if (value !== undefined && value !== '') return value
      throw new PlaceholderError(`needs the system property ${name}, which is missing or empty`)
    }
    if (kind === 'secret') {
      throw new PlaceholderError(
        'cannot be read: $secret{} needs key store support, which this version does not have yet; ' +
          'use $env{NAME} and put the password into an environment variable',
      )
    }
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

/** Expands every text below a key of a table, in place. A value that cannot be expanded is taken out and reported. */
export function expandKey(
  table: Tree,
  path: KeyPath,
  expand: Expand,
  refuse: (path: KeyPath, rule: string) => void,
): void {
  const name = path.at(-1) as string
  const expanded = expandValue(table[name], path, expand, refuse)
  if (expanded === undefined) delete table[name]
  else table[name] = expanded
}

function expandValue(
  value: TreeValue,
  path: KeyPath,
  expand: Expand,
  refuse: (path: KeyPath, rule: string) => void,
): TreeValue {
  if (typeof value === 'string') {
    try {
      return expand(value)
    } catch (error) {
      if (!(error instanceof PlaceholderError)) throw error
      refuse(path, error.message)
      return undefined
    }
  }
  if (Array.isArray(value)) return value.map((entry, index) => expandValue(entry, [...path, index], expand, refuse))
  if (isTree(value)) for (const name of Object.keys(value)) expandKey(value, [...path, name], expand, refuse)
  return value
}
