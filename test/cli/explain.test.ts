import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CommandProcess } from '../../lib/cli/command.js'
import { coverageCommand } from '../../lib/cli/coverage.js'
import { diffCommand } from '../../lib/cli/diff.js'
import { explainCommand } from '../../lib/cli/explain.js'

let home: string
let file: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-explain-'))
  file = join(home, 'deployment.toml')
  writeFileSync(file, '[[internal_apis.users]]\nuser.name = "alice"\nuser.password = "made-up"\nuser.is_admin = true\n')
  writeFileSync(join(home, 'empty.mjs'), 'export const nothing = 1\n')
})
afterAll(() => rmSync(home, { recursive: true }))

async function run(create: (process: CommandProcess) => Command, ...args: readonly string[]) {
  const [out, err] = [[] as string[], [] as string[]]
  const process = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    exitCode: undefined,
  } as unknown as CommandProcess
  await create(process).parseAsync(args, { from: 'user' })
  return { code: process.exitCode ?? 0, stdout: out.join(''), stderr: err.join('') }
}

describe('sallyport explain', () => {
  it('knows the users of the file', async () => {
    const { code, stdout } = await run(explainCommand, file, '--path', '/configs', '--user', 'alice')
    expect(code).toBe(0)
    expect(stdout).toContain('passed: on to the app')
  })

  it.each([
    ['a user that the file does not have', ['--path', '/', '--user', 'bob'], 'the file has no such user'],
    ['what is no header', ['--path', '/', '--header', 'Accept'], 'is no header: write it like'],
    ['a portal that the file does not have', ['--path', '/', '--portal', 'nope'], 'is no portal of this configuration'],
  ])('says what is wrong with %s', async (_name, args, message) => {
    const { code, stdout, stderr } = await run(explainCommand, file, ...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
  })

  it('shows no control character and no header value', async () => {
    const secret = 'Bearer made-up-token'
    const args = [file, '--path', '/\u001b[2J', '--header', `Authorization: ${secret}`]
    const text = await run(explainCommand, ...args)
    const json = await run(explainCommand, ...args, '--json')
    expect(text.stdout).toContain('/\\u{1b}[2J')
    expect(`${text.stdout}${json.stdout}`).not.toContain('made-up-token')
    expect(JSON.parse(json.stdout)).toMatchObject({
      request: { subject: { type: 'user', id: 'anonymous' }, action: { name: 'GET' } },
      response: { decision: false, context: { status: 401, code: 'ERR_TOKEN_INVALID' } },
    })
  })
})

describe('sallyport coverage', () => {
  it('says so when the module makes no app', async () => {
    const { code, stderr } = await run(coverageCommand, join(home, 'empty.mjs'))
    expect([code, stderr]).toEqual([1, expect.stringContaining('makes no Express app that can be seen')])
  })

  it('takes no other words', async () => {
    const { code, stderr } = await run(coverageCommand, join(home, 'empty.mjs'), '--fail-on', 'opne')
    expect([code, stderr]).toEqual([1, expect.stringContaining('"opne" is none of public, user')])
  })
})

describe('sallyport diff', () => {
  it('ends with 0 where nothing is newly let in, and prints JSON', async () => {
    const { code, stdout } = await run(diffCommand, file, file, '--json')
    expect([code, JSON.parse(stdout)]).toEqual([0, []])
  })

  it('ends with 1 and says where a file is wrong', async () => {
    const broken = join(home, 'broken.toml')
    writeFileSync(broken, '[portal\n')
    const { code, stderr } = await run(diffCommand, file, broken)
    expect([code, stderr]).toEqual([1, expect.stringContaining('broken.toml:1')])
  })
})
