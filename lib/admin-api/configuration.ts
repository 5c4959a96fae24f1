/**
 * `/configuration`: what holds, where it is written, and what should be put right. Secrets are masked.
 *
 * @module
 */

import type { CheckFinding } from '../config/check-file.js'
import type { KeyClass } from '../config/checks/classify-keys.js'
import type { ValueOrigin } from '../config/checks/effective-values.js'
import type { Position } from '../core/errors.js'
import type { Gate } from '../http/gate.js'
import { administratorsOnly, type Call, readMember, resourceGate } from './resource.js'

/** A key of the configuration: one that the file has, or one that holds by default. */
export interface ConfigurationKey {
  readonly key: string
  /** In JSON's form, as it is written; `***` in the place of a secret. Empty: nothing here reads it, and it is not shown. */
  readonly value: string
  readonly origin: ValueOrigin['kind']
  /** What its placeholders name: variables, keys or secrets. */
  readonly names?: readonly string[]
  /** `null`: it is not written in a file. */
  readonly position: Position | null
  readonly class: KeyClass
  /** Why it has no effect. */
  readonly note?: string
}

/** A finding of `sallyport check`. */
export interface ConfigurationFinding extends Pick<CheckFinding, 'class' | 'key' | 'rule' | 'isFixable'> {
  readonly position: Position | null
  readonly suggestion?: string
}

/** What `GET /configuration` answers. Moments are texts of ISO 8601. */
export interface ConfigurationView {
  /** `null`: the app has made the configuration itself. */
  readonly file: string | null
  /** When the configuration in effect was read. */
  readonly readAt: string
  /** Those of the file, in its order; then those that are not written. */
  readonly keys: readonly ConfigurationKey[]
  readonly findings: readonly ConfigurationFinding[]
  /** Whether the file says something else by now, or cannot be read. */
  readonly hasChangedOnDisk: boolean
  /** `false`: the file cannot be read now. `true` where there is none. */
  readonly isReadableOnDisk: boolean
}

/** Answers `GET /configuration`, of administrators only, with {@link ConfigurationView}: of the configuration in effect. */
export function configurationGate(describe: () => Promise<ConfigurationView>): Gate {
  const read = (_call: Call): Promise<object> => describe()
  return administratorsOnly(
    (path) => readMember('configuration', path) !== undefined,
    resourceGate('configuration', { GET: read }),
  )
}
