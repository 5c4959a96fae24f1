/**
 * What is done to files, one operation each: what a test cuts off between any two of them.
 *
 * @module
 */

import { open, rename, rm } from 'node:fs/promises'
import { syncFolder } from '../../files/replace-file.js'

/** A file that is only ever appended to. */
export interface StateFile {
  /** Writes all of it, or rejects and has written a part. */
  append(bytes: Uint8Array): Promise<void>
  /** Resolves when what was appended survives a power failure. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** Each rejects with what the file system rejects with. */
export interface StateFiles {
  /** Creates a file that its owner alone reads. It must not be there. */
  create(path: string): Promise<StateFile>
  rename(from: string, to: string): Promise<void>
  /** A file that is not there is no error. */
  remove(path: string): Promise<void>
  syncFolder(path: string): Promise<void>
}

export const realFiles: StateFiles = {
  async create(path) {
    const handle = await open(path, 'wx', 0o600)
    return {
      append: (bytes) => handle.appendFile(bytes),
      sync: () => handle.datasync(),
      close: () => handle.close(),
    }
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder: async (path) => syncFolder(path),
}
