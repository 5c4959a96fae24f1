/**
 * A configuration from a file.
 *
 * @module
 */

import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../core/errors.js'
import type { Config } from './config.js'
import type { ConfigOptions } from './config-options.js'
import { interpretSecrets } from './interpret-secrets.js'
import { conclude } from './parse-config.js'
import { parseToml } from './parse-toml.js'
import { readText } from './read-text.js'

/**
 * Reads a `deployment.toml`. Relative paths in it start from its folder.
 *
 * @example
 * ```ts
 * const config = await loadConfig('conf/deployment.toml')
 * for (const { key, rule } of config.warnings) console.warn(`${key} ${rule}`)
 * ```
 *
 * @throws {@link ConfigError} that lists every mistake with its line and column, or says why the file cannot be read.
 */
export async function loadConfig(path: string | URL, options: ConfigOptions = {}): Promise<Config> {
  const file = fileOf(path)
  const text = await readText(file)
  const origin = { path: resolve(file), home: dirname(resolve(file)), options }
  const interpretation = await interpretSecrets(parseToml(text, file), origin)

  if (interpretation.mistakes.length === 0 && interpretation.warnings.length === 0) {
    return conclude(interpretation, () => undefined)
  }
  const { positionsIn } = await import('./positions.js')
  return conclude(interpretation, positionsIn(text, file))
}

function fileOf(path: string | URL): string {
  if (typeof path === 'string') return path
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path)
  const got = path instanceof URL ? `a URL of ${path.protocol}` : typeof path
  throw new ConfigError([{ key: 'configuration', rule: `must be a path or a file: URL, got ${got}` }])
}
