/**
 * One command at a time on a file: two would both read it, and the later one would undo what the earlier one wrote.
 *
 * @module
 */

import { closeSync, openSync, rmSync } from 'node:fs'
import { canonicalPath } from '../internal/canonical-path.js'
import { CommandError } from './read-password.js'

/**
 * Does something while `<file>.lock` is there, which no two commands can make at the same time, by whatever link they name
 * the file. A command that is killed leaves it behind; as nothing tells that for sure, only a person takes it away.
 *
 * @throws {@link CommandError} when the lock is there already, and whatever `work` throws; what the file system throws when it
 * cannot be made.
 */
export async function whileLocked<Result>(file: string, work: () => Result | Promise<Result>): Promise<Result> {
  const lock = `${canonicalPath(file)}.lock`
  try {
    closeSync(openSync(lock, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new CommandError(
      `Another sallyport command is working on ${file}. If none is, one was killed: delete ${lock}`,
    )
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}
