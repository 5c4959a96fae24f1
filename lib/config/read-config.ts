/**
 * A configuration from whatever describes one.
 *
 * @module
 */

import type { Config } from './config.js'
import type { ConfigOptions } from './config-options.js'
import { loadConfig } from './load-config.js'
import { isConfig, parseEncryptedConfig } from './parse-config.js'

/** A path or file URL of a TOML file, a parsed TOML object, or a configuration that was read before. */
export type ConfigSource = string | URL | object

/**
 * Reads a configuration; one that was read before is returned as it is.
 *
 * @throws {@link ConfigError} that lists every mistake.
 */
export async function readConfig(source: ConfigSource, options: ConfigOptions = {}): Promise<Config> {
  if (typeof source === 'string' || source instanceof URL) return loadConfig(source, options)
  return typeof source === 'object' && source !== null && isConfig(source)
    ? source
    : parseEncryptedConfig(source, options)
}
