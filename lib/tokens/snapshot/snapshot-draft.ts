/**
 * A snapshot that is being written beside the one that it takes the place of.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Change, Frame } from './read-state.js'
import { FrameSealer } from './sealed-frames.js'
import type { StateFile, StateFiles } from './state-files.js'

/** Entries that are sealed in one turn of the event loop. */
const sliceSize = 256

export interface SnapshotDraftOptions {
  readonly files: StateFiles
  readonly snapshot: string
  readonly key: Uint8Array
  readonly clock: () => number
}

export class SnapshotDraft {
  readonly id: Buffer = randomBytes(16)
  readonly path: string
  readonly key: Uint8Array
  readonly #options: SnapshotDraftOptions
  readonly #sealer: FrameSealer
  #file: StateFile | undefined

  constructor(options: SnapshotDraftOptions) {
    const { snapshot, key } = options
    this.path = `${snapshot}.${this.id.toString('hex')}.tmp`
    this.key = key
    this.#options = options
    this.#sealer = new FrameSealer(key, 'snapshot', this.id)
  }

  /** Writes most of it, and syncs that: what takes long is done before changes have to wait. */
  async begin(entries: readonly Change[]): Promise<void> {
    this.#file = await this.#options.files.create(this.path)
    await this.#file.append(this.#sealer.header)
    for (let start = 0; start < entries.length; start += sliceSize) {
      await this.#append({ changes: entries.slice(start, start + sliceSize) })
      await nextTurn()
    }
    await this.#file.sync()
  }

  /** Writes what has changed since. */
  async finish(changes: readonly Change[], end: 'running' | 'stopped'): Promise<void> {
    await this.#append({ changes, end })
    await this.#file!.sync()
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }

  async #append(frame: Omit<Frame, 'at'>): Promise<void> {
    const content = JSON.stringify({ at: this.#options.clock(), ...frame } satisfies Frame)
    await this.#file!.append(this.#sealer.seal(content))
  }
}
