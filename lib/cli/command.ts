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

/** Reads a new secret: on a terminal it is asked for twice. */
export async function readSecret(
  process: CommandProcess,
  label: 'Password' | 'Secret',
  validate?: (text: string) => void,
): Promise<string> {
  const secrets = openSecrets(process)
  try {
    const text = await secrets.read(label)
    validate?.(text)
    if (process.stdin.isTTY && (await secrets.ask('Again')) !== text) {
      throw new CommandError(`The ${label.toLowerCase()}s differ.`)
    }
    return text
  } finally {
    await secrets.close()
  }
}

/** Secrets that are read one after the other. */
export interface Secrets {
  /** `undefined` for what is not UTF-8; empty where there is no more. */
  ask(label: string): Promise<string | undefined>
  /** @throws {@link CommandError} for one that is empty, or not UTF-8. */
  read(label: string): Promise<string>
  /** Reads no more. */
  close(): Promise<unknown>
}

/** On a terminal each is asked for, and not shown; otherwise it is the next line. Nothing is read before. */
export function openSecrets({ stdin, stderr }: CommandProcess): Secrets {
  const lines = readLines(stdin)
  async function ask(label: string): Promise<string | undefined> {
    if (stdin.isTTY) return askHidden(`${label}: `, stdin, stderr)
    const { done, value } = await lines.next()
    return done ? '' : value
  }
  return {
    ask,
    async read(label) {
      const name = label.toLowerCase()
      const text = await ask(label)
      if (text === undefined) throw new CommandError(`The ${name} is not valid UTF-8.`)
      if (text === '') throw new CommandError(`The ${name} is empty: type it, or write it to standard input.`)
      return text
    },
    close: () => lines.return(),
  }
}

const maxBytes = 64 * 1024

const newline = 0x0a

/** The lines without their ends (`\n` or `\r\n`); `undefined` for one that is not UTF-8. */
async function* readLines(stream: AsyncIterable<Buffer | string>): AsyncGenerator<string | undefined, void, void> {
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, Buffer.from(chunk)])
    for (let end = rest.indexOf(newline); end !== -1; end = rest.indexOf(newline)) {
      yield decodeLine(rest.subarray(0, end))
      rest = rest.subarray(end + 1)
    }
    if (rest.length > maxBytes) break
  }
  yield decodeLine(rest)
}

function decodeLine(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r$/, '')
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
