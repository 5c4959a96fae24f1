/**
 * Files with a private key in them, which nobody but their owner may read.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'

const maxBytes = 64 * 1024

/**
 * Reads a file that only this user could have written and read.
 *
 * @returns `undefined` for a link, for a file that others can read or that another user owns, and when there is none.
 */
export function readPrivateFile(file: string): string | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    const status = fstatSync(descriptor)
    // Windows has no such modes; there the folder's own list of rights decides.
    const isOurs = process.getuid === undefined || (status.uid === process.getuid() && (status.mode & 0o077) === 0)
    return isOurs && status.isFile() && status.size <= maxBytes ? readFileSync(descriptor, 'utf8') : undefined
  } catch {
    return undefined
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/**
 * Writes beside the file and renames: readers see the old text or the new one, and a link is replaced itself.
 *
 * @param mode Rights of the file. @defaultValue its owner alone
 * @throws what the file system throws.
 */
export function replacePrivateFile(file: string, text: string, mode: number = 0o600): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const descriptor = openSync(draft, 'wx', mode)
    try {
      // Unlike writeSync, this goes on until all of it is written.
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
