/**
 * What all commands share: the process, errors for the operator, and secrets from standard input. They are never arguments,
 * which other users of the machine can see.
 *
 * @module
 */

import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { ConfigError, HttpError, StoreError } from '../core/errors.js'
import { hasControlCharacter } from '../core/names.js'
import { FileLockedError } from '../files/lock.js'
import { UserChangeError } from '../users/managed-user-store.js'
import { maxPasswordBytes } from '../users/passwords/password-hash.js'
import { isPassword } from '../users/user-store.js'

export interface CommandProcess {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream
  /** @defaultValue that of the process */
  readonly env?: NodeJS.ProcessEnv
  exitCode?: number | string | null | undefined
  /** Ends the process. Without it, what would end it throws. */
  readonly exit?: (code: number) => never
}

/** What a command ends with; 0 is success. */
export const exitCodes = {
  /** It was refused, or has failed. */
  failed: 1,
  /** It was not understood. */
  usage: 2,
  /** The user has to sign in first. */
  signedOut: 3,
  /** The server cannot be reached, or is not to be trusted. */
  unreachable: 4,
} as const

export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

const expectedErrors = [CommandError, ConfigError, FileLockedError, HttpError, StoreError, UserChangeError]

/** Prints what the work returns. An expected error is one line on standard error, with exit code 1. */
export async function runCommand(process: CommandProcess, work: () => Promise<string>): Promise<void> {
  try {
    const text = await work()
    if (text !== '') process.stdout.write(`${text}\n`)
  } catch (error) {
    if (!isExpected(error)) throw error
    process.stderr.write(`${reasonFrom(error as Error)}\n`)
    process.exitCode = error instanceof CommandError ? error.exitCode : exitCodes.failed
  }
}

/** Whether an error is for the operator, and no mistake in this program. */
export function isExpected(error: unknown): boolean {
  const isFileError = error instanceof Error && 'syscall' in error
  return isFileError || expectedErrors.some((kind) => error instanceof kind)
}

/** That of a store has what the server said: it holds no data. */
export function reasonFrom({ message, cause }: Error): string {
  return cause instanceof Error && !message.includes(cause.message) ? `${message} (${cause.message})` : message
}

/** NIST SP 800-63B-3 section 5.1.1.1. */
const advisedLength = 8

/** Reads a password, with a warning for a short one. */
export async function readPassword(process: CommandProcess): Promise<string> {
  const password = await readSecret(process, 'Password', (text) => {
    if (!isPassword(text)) throw new CommandError(`The password is longer than ${maxPasswordBytes} bytes.`)
    if (hasControlCharacter(text)) {
      throw new CommandError('The password has a control character, which HTTP Basic cannot carry.')
    }
  })
  if ([...password].length < advisedLength) {
    process.stderr.write(`Warning: a password of fewer than ${advisedLength} characters is easily guessed.\n`)
  }
  return password
}

/** On a terminal the secret is asked for, twice where it is a new one, and not shown; otherwise the first line is read. */
export async function readSecret(
  { stdin, stderr }: CommandProcess,
  label: 'Password' | 'Secret',
  validate?: (text: string) => void,
  isRepeated = true,
): Promise<string> {
  const name = label.toLowerCase()
  const text = await (stdin.isTTY ? askHidden(`${label}: `, stdin, stderr) : readLine(stdin))
  if (text === undefined) throw new CommandError(`The ${name} is not valid UTF-8.`)
  if (text === '') throw new CommandError(`The ${name} is empty: type it, or write it to standard input.`)
  validate?.(text)
  if (stdin.isTTY && isRepeated && (await askHidden('Again: ', stdin, stderr)) !== text) {
    throw new CommandError(`The ${name}s differ.`)
  }
  return text
}

const maxBytes = 64 * 1024

const newline = 0x0a

/** The first line without its end (`\n` or `\r\n`); `undefined` when it is not UTF-8. */
async function readLine(stream: AsyncIterable<Buffer | string>): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    length += bytes.length
    if (bytes.includes(newline) || length > maxBytes) break
  }
  const bytes = Buffer.concat(chunks)
  const end = bytes.indexOf(newline)
  const line = end === -1 ? bytes : bytes.subarray(0, end)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(line).replace(/\r$/, '')
  } catch {
    return undefined
  }
}

/** Reads one line that is not shown. The end of the input gives an empty text; Ctrl-C ends the process. */
function askHidden(question: string, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input, output: nowhere, terminal: true, historySize: 0 })

  return new Promise((resolve) => {
    let answer = ''
    terminal.once('line', (line) => {
      answer = line
      terminal.close()
    })
    terminal.once('SIGINT', () => {
      terminal.close()
      process.kill(process.pid, 'SIGINT')
    })
    terminal.once('close', () => {
      output.write('\n')
      resolve(answer)
    })
    output.write(question)
  })
}
