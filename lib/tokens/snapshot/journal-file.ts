/**
 * One journal: what has changed since the snapshot that it belongs to.
 *
 * @module
 */

import { dirname } from 'node:path'
import { journalPath } from './read-state.js'
import { FrameSealer } from './sealed-frames.js'
import type { StateFile, StateFiles } from './state-files.js'

export interface JournalFileOptions {
  readonly files: StateFiles
  /** The snapshot, and the id that both have. */
  readonly snapshot: string
  readonly id: Buffer
  readonly key: Uint8Array
}

export class JournalFile {
  readonly path: string
  /** Of its frames. */
  bytes = 0
  readonly #file: StateFile
  readonly #sealer: FrameSealer
  #isSynced = true

  private constructor(path: string, file: StateFile, sealer: FrameSealer) {
    this.path = path
    this.#file = file
    this.#sealer = sealer
  }

  /** Resolves when the file is there also after a power failure. */
  static async create({ files, snapshot, id, key }: JournalFileOptions): Promise<JournalFile> {
    const path = journalPath(snapshot, id.toString('hex'))
    const sealer = new FrameSealer(key, 'journal', id)
    const file = await files.create(path)
    try {
      await file.append(sealer.header)
      await file.sync()
      await files.syncFolder(dirname(path))
    } catch (error) {
      await file.close().catch(() => undefined)
      await files.remove(path).catch(() => undefined)
      throw error
    }
    return new JournalFile(path, file, sealer)
  }

  /** Whether all that was appended survives a power failure. */
  get isSynced(): boolean {
    return this.#isSynced
  }

  /** One at a time. After a failure the end of the file can be anything: nothing may be appended any more. */
  async append(frame: string): Promise<void> {
    const bytes = this.#sealer.seal(frame)
    this.bytes += bytes.length
    this.#isSynced = false
    await this.#file.append(bytes)
  }

  async sync(): Promise<void> {
    await this.#file.sync()
    this.#isSynced = true
  }

  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined)
  }
}
