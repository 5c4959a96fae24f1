import { spawn } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { CommandProcess } from '../../lib/cli/command.js'
import { hashPasswordCommand } from '../../lib/cli/hash-password.js'
import { verifyPassword } from '../../lib/users/passwords/password-hash.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function sallyport(args: readonly string[], input: string | Buffer = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'lib/cli/main.ts', ...args], { cwd: root })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString()
    })
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

describe('sallyport', () => {
  it('prints a hash of the first line of the input, and nothing else', async () => {
    const { code, stdout, stderr } = await sallyport(['hash-password'], 'correct horse battery\nsecond line\n')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$\S+\n$/)
    expect(await verifyPassword('correct horse battery', stdout.trimEnd())).toBe(true)
  })

  it('takes no password as an argument', async () => {
    const { code, stdout } = await sallyport(['hash-password', 'hunter2-secret'], 'correct horse\n')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  })

  it('ends with 1 for an empty input', async () => {
    expect(await sallyport(['hash-password'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The password is empty: type it, or write it to standard input.\n',
    })
  })

  it('ends with 1 for a command that is not known, and names those that are', async () => {
    expect(await sallyport(['hash-pasword'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('hash-password'),
    })
    expect((await sallyport(['--help'])).stdout).toContain('hash-password')
  })

  it('tells its version', async () => {
    expect(await sallyport(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+/) })
  })
})

/** Runs the command in this process. `typed` goes to a terminal line by line, or through a pipe as it is. */
async function hashPassword(typed: string | Buffer, { isTTY = false } = {}) {
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: () => undefined })
  const stderr = new PassThrough()
  let shown = ''
  stderr.on('data', (data: Buffer) => {
    shown += data.toString()
    // The next line is typed when it is asked for.
    if (isTTY && data.toString().endsWith(': ')) stdin.write(`${lines.shift() ?? '\u0004'}\r`)
  })
  const lines = isTTY ? String(typed).split('\n') : []
  let stdout = ''
  const process = {
    stdin,
    stderr,
    stdout: {
      write: (text: string) => {
        stdout += text
      },
    },
  } as unknown as CommandProcess
  if (!isTTY) stdin.end(typed)
  await hashPasswordCommand(process).parseAsync([], { from: 'user' })
  await new Promise(setImmediate)
  return { code: process.exitCode ?? 0, stdout, stderr: shown }
}

describe('hash-password, through a pipe,', () => {
  it.each([
    ['a line end of Windows', 'correct horse\r\n', 'correct horse'],
    ['no line end', 'correct horse', 'correct horse'],
    ['blanks at both ends', ' correct horse \n', ' correct horse '],
    ['a decomposed letter', 'pa\u0308ssword\n', 'p\u00e4ssword'],
    ['1024 bytes', `${'x'.repeat(1024)}\n`, 'x'.repeat(1024)],
  ])('takes a password with %s', async (_what, typed, password) => {
    const { code, stdout, stderr } = await hashPassword(typed)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(await verifyPassword(password, stdout.trimEnd())).toBe(true)
  })

  it.each([
    ['nothing', '', 'empty'],
    ['an empty line', '\ncorrect horse\n', 'empty'],
    ['1025 bytes', 'x'.repeat(1025), '1024 bytes'],
    ['1 MB without a line end', 'x'.repeat(1_000_000), '1024 bytes'],
    ['a NUL', 'correct\0horse\n', 'control character'],
    ['a tab', 'correct\thorse\n', 'control character'],
    ['what is not UTF-8', Buffer.from([0x63, 0xff, 0xfe, 0x0a]), 'UTF-8'],
  ])('refuses %s', async (_what, typed, message) => {
    const { code, stdout, stderr } = await hashPassword(typed)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(message)
  })

  it.each([
    ['1234567', true],
    ['12345678', false],
    ['\u{1f511}'.repeat(7), true],
    ['\u{1f511}'.repeat(8), false],
  ])('warns below 8 characters: %s', async (password, isWarned) => {
    const { code, stderr } = await hashPassword(`${password}\n`)
    expect(code).toBe(0)
    expect(stderr.includes('Warning')).toBe(isWarned)
  })
})

describe('hash-password, on a terminal,', () => {
  it('asks twice and shows nothing of what is typed', async () => {
    const { code, stdout, stderr } = await hashPassword('correct horse\ncorrect horse', { isTTY: true })
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Password: \nAgain: \n' })
    expect(await verifyPassword('correct horse', stdout.trimEnd())).toBe(true)
  })

  it('refuses two that differ', async () => {
    const { code, stdout, stderr } = await hashPassword('correct horse\ncorrect house', { isTTY: true })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe('Password: \nAgain: \nThe passwords differ.\n')
  })

  it('asks once when the first is empty, as at the end of the input', async () => {
    for (const typed of ['', '\u0004']) {
      const { code, stderr } = await hashPassword(typed, { isTTY: true })
      expect(code).toBe(1)
      expect(stderr).toContain('The password is empty: type it')
      expect(stderr).not.toContain('Again')
    }
  })
})
