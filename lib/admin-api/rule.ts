/**
 * Where the configuration has what an answer tells of.
 *
 * @module
 */

import type { Origin } from '../core/errors.js'

/** A key of the configuration. Without a file it is a default, or the configuration is an object. */
export interface RuleEntry {
  readonly key: string
  readonly file?: string
  readonly line?: number
}

export function ruleFrom({ key, position }: Origin): RuleEntry {
  return position === undefined ? { key } : { key, file: position.file, line: position.line }
}
