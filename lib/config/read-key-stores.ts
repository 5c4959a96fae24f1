/**
 * The key stores of a configuration file that need not be right in everything else.
 *
 * @module
 */

import { dirname, resolve } from 'node:path'
import { ConfigError } from '../core/errors.js'
import type { KeyStoresConfig } from './config.js'
import type { ConfigOptions } from './config-options.js'
import { describeFindings } from './findings.js'
import { interpret } from './interpret.js'
import { parseToml } from './parse-toml.js'
import { readText } from './read-text.js'

/**
 * Reads the tables of the key stores. The secret that is about to be encrypted may be missing in the file, so that other
 * mistakes are not looked at.
 *
 * @throws {@link ConfigError} when the file cannot be read, or is no TOML.
 */
export async function readKeyStores(path: string, options: ConfigOptions = {}): Promise<KeyStoresConfig> {
  const origin = { path: resolve(path), home: dirname(resolve(path)), options }
  const document = parseToml(await readText(path), path)
  const { keyStores, mistakes, source } = interpret(document, { ...origin, whyEncrypted: 'is encrypted' })
  if (keyStores !== undefined) return keyStores
  throw new ConfigError(describeFindings(mistakes, source, () => undefined))
}
