/**
 * A configuration from an object.
 *
 * @module
 */

import { ConfigError } from '../core/errors.js'
import { noteTables } from './changed-tables.js'
import type { Config } from './config.js'
import type { ConfigOptions } from './config-options.js'
import { describeFindings, type Locate } from './findings.js'
import { type Interpretation, interpret } from './interpret.js'
import { interpretSecrets } from './interpret-secrets.js'
import { deepFreeze } from './tree.js'

const configs = new WeakSet<object>()

/** Whether a value is a configuration that {@link parseConfig} or `loadConfig` made. */
export function isConfig(value: object): value is Config {
  return configs.has(value)
}

/**
 * Reads the configuration that an object holds: what a TOML parser makes of a `deployment.toml`, or an object of the
 * same keys. The object is neither changed nor kept. Encrypted secrets are a mistake here: to open a key store takes time,
 * which `loadConfig` and `createSecurity` have.
 *
 * @example
 * ```ts
 * const config = parseConfig({ management_api: { control_access: { enable: true, allow: ['10.0.0.0/8'] } } })
 * ```
 *
 * @throws {@link ConfigError} that lists every mistake.
 */
export function parseConfig(source: object, options: ConfigOptions = {}): Config {
  demandTable(source)
  const whyEncrypted = 'is encrypted, and parseConfig opens no key store: give the object to createSecurity'
  const interpretation = interpret(source, { path: undefined, home: options.home ?? '', options, whyEncrypted })
  return conclude(interpretation, () => undefined)
}

/**
 * Does what {@link parseConfig} does, and opens the key store where the configuration uses encrypted secrets.
 *
 * @throws {@link ConfigError} that lists every mistake.
 */
export async function parseEncryptedConfig(source: object, options: ConfigOptions): Promise<Config> {
  demandTable(source)
  const interpretation = await interpretSecrets(source, { path: undefined, home: options.home ?? '', options })
  return conclude(interpretation, () => undefined)
}

function demandTable(source: unknown): void {
  if (typeof source === 'object' && source !== null && !Array.isArray(source)) return
  const got = source === null ? 'null' : Array.isArray(source) ? 'a list' : typeof source
  throw new ConfigError([{ key: 'configuration', rule: `must be an object, got ${got}` }])
}

/**
 * Makes the configuration of an interpretation, its warnings put into words.
 *
 * @throws {@link ConfigError} when there are mistakes.
 */
export function conclude({ source, values, config, mistakes, warnings }: Interpretation, locate: Locate): Config {
  if (config === undefined) throw new ConfigError(describeFindings(mistakes, source, locate))
  const complete = deepFreeze({ ...config, warnings: describeFindings(warnings, source, locate) })
  configs.add(complete)
  noteTables(complete, values)
  return complete
}
