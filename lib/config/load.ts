/**
 * A configuration from a file.
 *
 * @module
 */

import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, TomlError } from 'smol-toml'
import { ConfigError } from '../core/errors.js'
import { readRegularFile } from '../files/read-file.js'
import { describeFindings, type Locate, nowhere } from './checks/findings.js'
import { isConfig } from './checks/origins.js'
import type { Config, KeyStoresConfig } from './config.js'
import { type Interpretation, interpret } from './interpret.js'
import { type ConfigOptions, conclude, interpretSecrets, parseEncryptedConfig } from './parse.js'
import { sizeProblem } from './values/tree.js'

/** A path or file URL of a TOML file, a parsed TOML object, or a configuration that was read before. */
export type ConfigSource = string | URL | object

/** Reads a configuration; one that was read before is returned as it is. @throws `ConfigError` that lists every mistake. */
export async function readConfig(source: ConfigSource, options: ConfigOptions = {}): Promise<Config> {
  if (typeof source === 'string' || source instanceof URL) return loadConfig(source, options)
  return typeof source === 'object' && source !== null && isConfig(source)
    ? source
    : parseEncryptedConfig(source, options)
}

/**
 * Reads a `deployment.toml`. Relative paths in it start from its folder.
 *
 * @example
 * ```ts
 * const config = await loadConfig('conf/deployment.toml')
 * for (const { key, rule } of config.warnings) console.warn(`${key} ${rule}`)
 * ```
 *
 * @throws `ConfigError` that lists every mistake with its line and column, or says why the file cannot be read.
 */
export async function loadConfig(path: string | URL, options: ConfigOptions = {}): Promise<Config> {
  return parseConfigFile(await readConfigFile(path), options)
}

/** The text of a file, and its name as it was given. */
export interface ConfigFile {
  readonly file: string
  readonly text: string
}

/** @throws `ConfigError` that says why the file cannot be read. */
export async function readConfigFile(path: string | URL): Promise<ConfigFile> {
  const file = filePath(path)
  return { file, text: await readText(file) }
}

/** Does what {@link loadConfig} does with a file that was read before. */
export async function parseConfigFile({ file, text }: ConfigFile, options: ConfigOptions): Promise<Config> {
  const { interpretation, locate } = await interpretText(text, file, options)
  return conclude(interpretation, locate, text)
}

/** A document that was read from a text, and where its keys stand. */
export interface LocatedInterpretation {
  readonly interpretation: Interpretation
  readonly locate: Locate
}

/** Interprets the text of a file. @throws `ConfigError` for what is no TOML. */
export async function interpretText(
  text: string,
  file: string,
  options: ConfigOptions,
): Promise<LocatedInterpretation> {
  const document = parseToml(text, file)
  const rule = sizeProblem(document)
  if (rule !== undefined) throw new ConfigError([{ key: resolve(file), rule }])
  const { readPositions } = await import('./checks/positions.js')
  const locate = readPositions(text, file)
  return { interpretation: await interpretSecrets(document, { ...createPlace(file), options, locate }), locate }
}

/** Reads the key stores of a file, whatever else is wrong in it: the secret that is to be encrypted may be missing. */
export async function readKeyStores(path: string, options: ConfigOptions = {}): Promise<KeyStoresConfig> {
  const document = parseToml(await readText(path), path)
  const where = { ...createPlace(path), options, locate: nowhere, whyEncrypted: 'is encrypted' }
  const { keyStores, mistakes, source } = interpret(document, where)
  if (keyStores !== undefined) return keyStores
  throw new ConfigError(describeFindings(mistakes, source, nowhere))
}

function createPlace(file: string): { readonly path: string; readonly home: string } {
  return { path: resolve(file), home: dirname(resolve(file)) }
}

function filePath(path: string | URL): string {
  if (typeof path === 'string') return path
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path)
  const got = path instanceof URL ? `a URL of ${path.protocol}` : typeof path
  throw new ConfigError([{ key: 'configuration', rule: `must be a path or a file: URL, got ${got}` }])
}

/** A `deployment.toml` has some ten kilobytes; what is longer than this is another file. */
const maxBytes = 1_048_576

/** @throws `ConfigError` that says why the file cannot be read. */
export async function readText(file: string): Promise<string> {
  const path = resolve(file)
  const refuse = (rule: string, cause?: unknown) => new ConfigError([{ key: path, rule }], { cause })
  const bytes = await readRegularFile(path, maxBytes).catch((error: NodeJS.ErrnoException) => {
    const { code } = error
    if (code === 'EISDIR' || code === 'ENOTFILE') throw refuse('is a folder or a device, not a file', error)
    const reason = code === 'ENOENT' ? 'there is no such file; an empty one is enough for a start' : code
    throw refuse(`cannot be read: ${reason}`, error)
  })
  if (bytes === undefined) throw refuse(`has more than the ${maxBytes} bytes that are read`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw refuse('is not UTF-8', error)
  }
}

/** What operators get wrong most: by the message of the parser, and the rest of the line. */
const hints: readonly (readonly [message: RegExp, rest: RegExp, hint: string])[] = [
  [/^invalid value/, /^(?:true|false)\b/i, 'true and false are written in lower case'],
  [/^invalid value/, /^[^\s,=#"'[\]{}]/, 'texts need quotes'],
  [/numeric literal$/, /^/, 'texts need quotes'],
  [/^control characters/, /^\r?$/, 'a closing quote is missing'],
  [/^trying to redefine/, /^/, 'it stands above already, and is written once'],
]

const openHeader = /^\s*(?:\[[^\]]*|\[\[[^\]]*\]\s*(?:#.*)?)$/

/** The message of the parser ends with the lines around the mistake, which may have passwords: only its first line is kept. */
export function parseToml(text: string, file: string): object {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const message = error.message.split('\n', 1)[0]!.replace(/^Invalid TOML document: /, '')
    const { line, column } = error
    const written = text.split('\n')[line - 1] ?? ''
    const rest = written.slice(column - 1)
    const hint = openHeader.test(written)
      ? 'a closing bracket is missing'
      : hints.find(([about, start]) => about.test(message) && start.test(rest))?.[2]
    const rule = hint === undefined ? message : `${message}: ${hint}`
    throw new ConfigError([{ key: 'TOML syntax', rule, position: { file, line, column } }])
  }
}
