/**
 * Which servers the user of this machine is signed in to: a file that nobody else may read.
 *
 * @module
 */

import { lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { withFileLock } from '../../files/lock.js'
import { replaceFile } from '../../files/replace-file.js'
import { CommandError } from '../command.js'

/** What is kept of one server. */
export interface SignIn {
  readonly user: string
  readonly token: string
  /** Absolute path of the authority that the server's certificate is checked with; `undefined`: those of Node. */
  readonly caFile?: string | undefined
}

/** By the URL of the management API. */
export type SignIns = ReadonlyMap<string, SignIn>

/** `$XDG_CONFIG_HOME/sallyport/servers.json`. */
export function signInsFile(env: NodeJS.ProcessEnv): string {
  const { XDG_CONFIG_HOME: configured = '' } = env
  // The specification has relative paths ignored.
  return join(isAbsolute(configured) ? configured : join(homedir(), '.config'), 'sallyport', 'servers.json')
}

/** @throws {@link CommandError} for a file that others can read, or that cannot be read as what it is. */
export function readSignIns(file: string): SignIns {
  const text = readOwn(file)
  if (text === undefined) return new Map()
  try {
    const servers = Object.entries((JSON.parse(text) as { servers: Record<string, SignIn> }).servers)
    if (servers.every(([, { user, token }]) => typeof user === 'string' && typeof token === 'string')) {
      return new Map(servers)
    }
  } catch {
    // Below.
  }
  throw new CommandError(`${file} is broken: delete it, and sign in again.`)
}

function readOwn(file: string): string | undefined {
  try {
    const { mode, uid } = lstatSync(file)
    const isForeign = process.getuid !== undefined && uid !== process.getuid()
    if (process.platform !== 'win32' && ((mode & 0o077) !== 0 || isForeign)) {
      throw new CommandError(
        `${file} has tokens, and others than you may read or change it. ` +
          `Delete it, sign in again, and end what was signed in: sallyport sessions end --user NAME`,
      )
    }
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Keeps a sign-in, or forgets it. */
export async function keepSignIn(file: string, url: string, signIn: SignIn | undefined): Promise<void> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  await withFileLock(file, () => {
    const signIns = new Map(readSignIns(file))
    if (signIn === undefined) signIns.delete(url)
    else signIns.set(url, signIn)
    replaceFile(file, `${JSON.stringify({ servers: Object.fromEntries(signIns) }, null, 2)}\n`)
  })
}
