/**
 * Where the configuration has what an answer tells of.
 *
 * @module
 */

import type { Origin } from '../core/errors.js'
import type { RuleEntry } from './schemas/configuration.js'

export function ruleFrom({ key, position }: Origin): RuleEntry {
  return position === undefined ? { key } : { key, file: position.file, line: position.line }
}
