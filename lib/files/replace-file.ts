/**
 * Writes a file so that readers see the old text or the new one, whatever happens meanwhile.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Options of {@link replaceFile}. */
export interface ReplaceFileOptions {
  /** User and group that the file is given to, where this process may do that: those of the file that is replaced. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** Rights of the file. @defaultValue `0o600`: its owner alone reads it */
  readonly mode?: number
}

/**
 * Writes beside the file, and renames. A link of that name is replaced itself, so that nobody sends elsewhere what a server
 * writes by itself; for a file that an operator names or links, pass its `canonicalPath`. It blocks the process for the time of
 * the writing, and is for a few small files at a start or in a command.
 *
 * @throws what the file system throws.
 */
export function replaceFile(file: string, text: string, { owner, mode = 0o600 }: ReplaceFileOptions = {}): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const descriptor = openSync(draft, 'wx', mode)
    try {
      if (owner !== undefined && process.getuid?.() === 0) fchownSync(descriptor, owner.uid, owner.gid)
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
  syncFolder(dirname(file))
}

/**
 * Only after this is the new name there after a power failure too. Where it cannot be done, on Windows, in a folder that may
 * not be read, on some file systems, the file is in its place all the same.
 */
export function syncFolder(folder: string): void {
  let descriptor: number | undefined
  try {
    descriptor = openSync(folder, 'r')
    fsyncSync(descriptor)
  } catch {
    // See above.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** As many links as Linux follows. */
const maxLinks = 40

/**
 * Follows symbolic links to the file itself, which need not be there: a dangling link leads to where the file would be made.
 *
 * @throws what the file system throws, `ELOOP` for example; a file that is not there is no error.
 */
export function canonicalPath(file: string): string {
  let path = resolve(file)
  for (let links = 0; links < maxLinks; links++) {
    const real = unlessMissing(() => realpathSync(path))
    if (real !== undefined) return real
    // Relative links start from the real folder of the link.
    const folder = unlessMissing(() => realpathSync(dirname(path))) ?? dirname(path)
    path = join(folder, basename(path))
    const target = unlessMissing(() => readlinkSync(path))
    if (target === undefined) return path
    path = resolve(folder, target)
  }
  throw Object.assign(new Error(`ELOOP: too many symbolic links, ${file}`), { code: 'ELOOP', syscall: 'readlink' })
}

/** `EINVAL`: what is there is no link. */
function unlessMissing(work: () => string): string | undefined {
  try {
    return work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EINVAL') return undefined
    throw error
  }
}
