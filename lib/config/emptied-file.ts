/**
 * A file that was emptied while it was in effect: by an editor that is just writing it, or by mistake.
 *
 * @module
 */

import { ConfigError } from '../core/errors.js'
import type { Config } from './config.js'
import { findSource } from './kept-sources.js'

/**
 * At a start an empty file is enough. To take one over would end all rules, users and limits of the file at once.
 *
 * @throws `ConfigError` for a file without a key, where the configuration in effect has some.
 */
export function assertNotEmptied(next: Config, inEffect: Config): void {
  if (!isEmpty(next) || isEmpty(inEffect)) return
  const rule =
    'the file is empty: nothing that it said would hold any more; where that is meant, write an empty table into it, such as [management_api]'
  throw new ConfigError([{ key: 'configuration', rule, position: { file: next.path ?? '', line: 1, column: 1 } }])
}

function isEmpty(config: Config): boolean {
  const source = findSource(config)?.interpretation.source
  return source !== undefined && Object.keys(source).length === 0
}
