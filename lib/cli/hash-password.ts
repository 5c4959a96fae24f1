/**
 * `sallyport hash-password`: a password in, its hash for the configuration file out.
 *
 * @module
 */

import { Command } from 'commander'
import { hashPassword } from '../users/passwords/password-hash.js'
import { type CommandProcess, readPassword, runCommand } from './command.js'

/** Only the hash goes to standard output. */
export function hashPasswordCommand(process: CommandProcess): Command {
  return new Command('hash-password')
    .description('Reads a password from standard input and prints its hash for the configuration file.')
    .allowExcessArguments(false)
    .action(() => runCommand(process, async () => hashPassword(await readPassword(process))))
}
