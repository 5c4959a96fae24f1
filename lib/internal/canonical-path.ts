/**
 * One path for a file, however many symbolic links lead to it: for what is written in its place, beside it, or locked.
 *
 * @module
 */

import { readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

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
