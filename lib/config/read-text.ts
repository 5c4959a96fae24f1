/**
 * The text of a configuration file.
 *
 * @module
 */

import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConfigError } from '../errors.js'

/** A `deployment.toml` has some ten kilobytes; what is longer than this is another file. */
const maxBytes = 1_048_576

/** @throws {@link ConfigError} that names the absolute path, and says why the file cannot be read. */
export async function readText(file: string): Promise<string> {
  const path = resolve(file)
  const refuse = (rule: string, cause?: unknown) => new ConfigError([{ key: path, rule }], { cause })
  let bytes: Buffer
  try {
    const status = await stat(path)
    if (!status.isFile()) throw refuse('is a folder or a device, not a file')
    if (status.size > maxBytes) throw refuse(`has ${status.size} bytes, more than the ${maxBytes} that are read`)
    bytes = await readFile(path)
  } catch (error) {
    throw error instanceof ConfigError ? error : refuse(`cannot be read: ${reasonOf(error)}`, error)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw refuse('is not UTF-8', error)
  }
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' ? 'there is no such file; an empty one is enough for a start' : String(code)
}
