/**
 * Reads files with a private key in them, which nobody but their owner may read.
 *
 * @module
 */

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { readFlags } from '../internal/read-regular-file.js'

const maxBytes = 64 * 1024

/**
 * Reads a file that only this user could have written and read.
 *
 * @returns `undefined` for a link, for a file that others can read or that another user owns, and when there is none.
 */
export function readPrivateFile(file: string): string | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, readFlags | (constants.O_NOFOLLOW ?? 0))
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
