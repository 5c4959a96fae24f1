/**
 * Why a value cannot be expanded.
 *
 * @module
 */

import type { KeyPath } from './key-path.js'

/** Why a value cannot be expanded. The message is a rule for a finding, and shows no value. */
export class PlaceholderError extends Error {
  override readonly name = 'PlaceholderError'
  /** Another place that has to be put right. */
  readonly see: KeyPath | undefined

  constructor(rule: string, see?: KeyPath) {
    super(rule)
    this.see = see
  }
}
