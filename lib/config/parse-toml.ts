/**
 * TOML, and what is wrong with a text that is none.
 *
 * @module
 */

import { parse, TomlError } from 'smol-toml'
import { ConfigError } from '../core/errors.js'

/** What operators get wrong most, by the parser's message and what stands from the place of the mistake to the line's end. */
const hints: readonly (readonly [message: RegExp, rest: RegExp, hint: string])[] = [
  [/^invalid value/, /^(?:true|false)\b/i, 'true and false are written in lower case'],
  [/^invalid value/, /^[^\s,=#"'[\]{}]/, 'texts need quotes'],
  [/numeric literal$/, /^/, 'texts need quotes'],
  [/^control characters/, /^\r?$/, 'a closing quote is missing'],
]

/** The header of a table or of an array of tables that lacks a bracket. */
const openHeader = /^\s*(?:\[[^\]]*|\[\[[^\]]*\]\s*(?:#.*)?)$/

/**
 * Parses a TOML text.
 *
 * The parser's message goes on with the lines around the error, which may have passwords: only its first line is kept.
 *
 * @throws {@link ConfigError} with the place of the first mistake.
 */
export function parseToml(text: string, file: string): object {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const message = error.message.split('\n', 1)[0]!.replace(/^Invalid TOML document: /, '')
    const { line, column } = error
    const hint = hintFor(message, text.split('\n')[line - 1] ?? '', column)
    const rule = hint === undefined ? message : `${message}: ${hint}`
    throw new ConfigError([{ key: 'TOML syntax', rule, position: { file, line, column } }])
  }
}

function hintFor(message: string, line: string, column: number): string | undefined {
  if (openHeader.test(line)) return 'a closing bracket is missing'
  const rest = line.slice(column - 1)
  return hints.find(([about, start]) => about.test(message) && start.test(rest))?.[2]
}
