/**
 * `sallyport hash-password`: a password in, its hash for the configuration file out.
 *
 * @module
 */

import { Command } from 'commander'
import { hashPassword } from '../users/password-hash.js'
import { CommandError, type CommandProcess, readPassword } from './read-password.js'

export type { CommandProcess }

/**
 * Makes the command. The exit code is 0, or 1 when the password cannot be used. Only the hash goes to standard output.
 */
export function hashPasswordCommand(process: CommandProcess): Command {
  return new Command('hash-password')
    .description('Reads a password from standard input and prints its hash for the configuration file.')
    .allowExcessArguments(false)
    .action(async () => {
      try {
        process.stdout.write(`${await hashPassword(await readPassword(process))}\n`)
      } catch (error) {
        if (!(error instanceof CommandError)) throw error
        process.stderr.write(`${error.message}\n`)
        process.exitCode = 1
      }
    })
}
