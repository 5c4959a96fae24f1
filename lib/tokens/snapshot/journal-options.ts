/**
 * What a journal of state is made for, and what it keeps.
 *
 * @module
 */

import type { Logger } from '../../core/logger.js'
import type { Change, RestoredState } from './read-state.js'
import type { StateFiles } from './state-files.js'

export interface StateJournalOptions {
  /** The snapshot. The journal is beside it. */
  readonly file: string
  readonly key: Uint8Array
  /** Between two snapshots. */
  readonly intervalMs: number
  readonly clock: () => number
  readonly logger: Logger
  /** @defaultValue those of the system */
  readonly files?: StateFiles | undefined
  /**
   * Gives a sign of life of this process; with `mayBeOlder` only where the last one is not recent enough to keep others away. @throws
   * `FileLockedError` when another process has taken the files over.
   */
  readonly confirmLock: (mayBeOlder: boolean) => void
}

/** A store whose state is kept. */
export interface StatePart {
  /** What there is, in the order in which it is to be restored. A value is turned into JSON later, in slices. */
  entries(): Iterable<Change>
  /** Whether the last snapshot has what it may not have any more, although nothing was changed. */
  isOutdated?(): boolean
  /** Called once, before anything is written. */
  restore(state: RestoredState): void
}
