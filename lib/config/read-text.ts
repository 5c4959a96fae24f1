/**
 * The text of a configuration file.
 *
 * @module
 */

import { resolve } from 'node:path'
import { ConfigError } from '../core/errors.js'
import { readRegularFile } from '../internal/read-regular-file.js'

/** A `deployment.toml` has some ten kilobytes; what is longer than this is another file. */
const maxBytes = 1_048_576

/** @throws {@link ConfigError} that names the absolute path, and says why the file cannot be read. */
export async function readText(file: string): Promise<string> {
  const path = resolve(file)
  const refuse = (rule: string, cause?: unknown) => new ConfigError([{ key: path, rule }], { cause })
  const bytes = await readRegularFile(path, maxBytes).catch((error: unknown) => {
    throw refuse(reasonOf(error), error)
  })
  if (bytes === undefined) throw refuse(`has more than the ${maxBytes} bytes that are read`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw refuse('is not UTF-8', error)
  }
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EISDIR' || code === 'ENOTFILE') return 'is a folder or a device, not a file'
  return `cannot be read: ${code === 'ENOENT' ? 'there is no such file; an empty one is enough for a start' : code}`
}
