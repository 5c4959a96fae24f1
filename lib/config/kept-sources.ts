/**
 * What a configuration was read from, for as long as it is in effect: questions about it are answered from what was read, not from what the
 * file says by now.
 *
 * @module
 */

import type { Locate } from './checks/findings.js'
import type { Config } from './config.js'
import type { Interpretation } from './interpret.js'

/** A document as it was read. It has secrets, as its configuration has. */
export interface KeptSource {
  readonly interpretation: Interpretation
  readonly locate: Locate
  /** The text of the file; `undefined`: the configuration is an object. */
  readonly text: string | undefined
}

const sources = new WeakMap<Config, KeptSource>()

export function keepSource(config: Config, source: KeptSource): void {
  sources.set(config, source)
}

/** `undefined` for a configuration that was made of another one. */
export function findSource(config: Config): KeptSource | undefined {
  return sources.get(config)
}
