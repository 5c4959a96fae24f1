/**
 * Reads files that a configuration names.
 *
 * @module
 */

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** How files are opened for reading: without O_NONBLOCK a pipe that nobody writes to would not even open. */
export const readFlags: number = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/**
 * Reads a file, through links too. What is no file, such as a pipe or a device, is refused at once: reading it might never
 * end.
 *
 * @returns `undefined` for a file of more than `maxBytes`.
 * @throws what the file system throws; for a pipe or a device an error with the code `ENOTFILE`.
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const handle = await open(path, readFlags)
  try {
    const status = await handle.stat()
    if (status.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' })
    if (!status.isFile()) throw Object.assign(new Error('a pipe or a device'), { code: 'ENOTFILE' })
    return status.size <= maxBytes ? await handle.readFile() : undefined
  } finally {
    await handle.close()
  }
}

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
