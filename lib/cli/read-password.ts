/**
 * Reads a password for a command: from standard input, never from an argument, because other users of the machine can see
 * those.
 *
 * @module
 */

import { hasControlCharacter } from '../internal/control-character.js'
import { isPassword } from '../users/credential-limits.js'
import { maxPasswordBytes } from '../users/password-hash.js'
import { askHidden } from './ask-hidden.js'
import { readLine } from './read-line.js'

/** The parts of `process` that commands use. */
export interface CommandProcess {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: { write(text: string): unknown }
  readonly stderr: NodeJS.WritableStream
  exitCode?: number | string | null | undefined
}

/** What a command cannot do. The message is for the operator. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** NIST SP 800-63B-3 section 5.1.1.1. */
const advisedLength = 8

/**
 * Reads a password. On a terminal it is asked for twice and not shown; otherwise the first line is read. A short one gets a
 * warning.
 *
 * @throws {@link CommandError} when it cannot be used.
 */
export async function readPassword({ stdin, stderr }: CommandProcess): Promise<string> {
  const password = checked(await (stdin.isTTY ? askHidden('Password: ', stdin, stderr) : readLine(stdin)))
  if (stdin.isTTY && (await askHidden('Again: ', stdin, stderr)) !== password) {
    throw new CommandError('The passwords differ.')
  }
  if ([...password].length < advisedLength) {
    stderr.write(`Warning: a password of fewer than ${advisedLength} characters is easily guessed.\n`)
  }
  return password
}

function checked(password: string | undefined): string {
  if (password === undefined) throw new CommandError('The password is not valid UTF-8.')
  if (password === '') throw new CommandError('The password is empty.')
  if (!isPassword(password)) throw new CommandError(`The password is longer than ${maxPasswordBytes} bytes.`)
  if (hasControlCharacter(password)) {
    throw new CommandError('The password has a control character, which HTTP Basic cannot carry.')
  }
  return password
}
