/**
 * The administrator of a configuration without users: a random password instead of a default that everybody knows.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileUserConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import { readFlags } from '../internal/read-regular-file.js'
import { replaceFile } from '../internal/replace-file.js'
import { hashPassword } from './password-hash.js'

/** Options of {@link createInitialAdmin}. */
export interface InitialAdminOptions {
  /** Folder for `initial-admin-password`: the one of the configuration file. Not used when `stderr` is a terminal. */
  readonly directory: string
  /**
   * Where the password is shown, if it is a terminal.
   *
   * @defaultValue `process.stderr`
   */
  readonly stderr?: { readonly isTTY?: boolean; write(text: string): unknown }
}

/** The administrator that {@link createInitialAdmin} made. Its `password` is a hash. */
export interface InitialAdmin extends FileUserConfig {
  /** Where the password was written; `undefined` when it was shown on the terminal. */
  readonly passwordFile: string | undefined
}

const fileName = 'initial-admin-password'
const passwordBytes = 24

/**
 * Makes one administrator named `admin` with a random password of 192 bits.
 *
 * On a terminal the password is shown, and is good until the process ends. Elsewhere it is written to a file that only its
 * owner can read, and the next start takes it from there: a second process does not lock the first one's administrator
 * out. It never passes the logger. A link of that name, or a file that others can read or that another user owns, is
 * replaced, never read or written through.
 *
 * @throws {@link ConfigError} when the file cannot be written.
 */
export async function createInitialAdmin(options: InitialAdminOptions): Promise<InitialAdmin> {
  const { directory, stderr = process.stderr } = options
  const file = join(directory, fileName)
  const known = stderr.isTTY === true ? undefined : await readPassword(file)
  const password = known ?? randomBytes(passwordBytes).toString('base64url')
  const admin: FileUserConfig = { name: 'admin', password: await hashPassword(password), isAdmin: true, roles: [] }

  if (stderr.isTTY === true) {
    stderr.write(
      `\nNo user is configured. Until the next start, log in as "admin" with the password\n\n  ${password}\n\n`,
    )
    return { ...admin, passwordFile: undefined }
  }
  try {
    if (known === undefined) replaceFile(file, `${password}\n`)
  } catch (cause) {
    const rule = `no user is given, and the password of a first administrator cannot be written to ${file}`
    throw new ConfigError([{ key: 'internal_apis.users', rule }], { cause })
  }
  return { ...admin, passwordFile: file }
}

/** What {@link createInitialAdmin} writes: one line of base64url. */
const passwordLine = /^([A-Za-z0-9_-]{32})\n$/

/** The password of an earlier start; `undefined` when there is no file that only this user could have written and read. */
async function readPassword(file: string): Promise<string | undefined> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, readFlags | (constants.O_NOFOLLOW ?? 0))
    const status = await handle.stat()
    const isOurs = status.isFile() && status.uid === process.getuid?.() && (status.mode & 0o077) === 0
    return isOurs && status.size < 100 ? passwordLine.exec(await handle.readFile('utf8'))?.[1] : undefined
  } catch {
    return undefined
  } finally {
    await handle?.close()
  }
}
