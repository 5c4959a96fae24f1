/** What `parseConfig` says of an object: the rule of each mistaken key, and the configuration where there is none. */

import type { Config } from '../../lib/config/config.js'
import type { ConfigOptions } from '../../lib/config/parse.js'
import { parseConfig } from '../../lib/config/parse.js'
import { ConfigError } from '../../lib/core/errors.js'

/** The rule of each mistaken key, with its suggestion behind it. */
export function problemsOf(source: object, options: ConfigOptions = { env: {} }): Record<string, string> {
  try {
    parseConfig(source, options)
    return {}
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return Object.fromEntries(
      error.problems.map(({ key, rule, suggestion }) => [
        key,
        suggestion === undefined ? rule : `${rule}; did you mean ${suggestion}?`,
      ]),
    )
  }
}

/** The rule of each key that is warned about. */
export function warningsOf(source: object, options: ConfigOptions = { env: {} }): Record<string, string> {
  return Object.fromEntries(parseConfig(source, options).warnings.map(({ key, rule }) => [key, rule]))
}

/** The configuration of `[management_api]` with these keys. */
export function managementApiOf(keys: object): Config['managementApi'] {
  return parseConfig({ management_api: keys }, { env: {} }).managementApi
}
