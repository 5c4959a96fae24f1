/**
 * Reads files that a configuration names.
 *
 * @module
 */

import { constants } from 'node:fs'
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
