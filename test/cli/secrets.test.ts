import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CommandProcess } from '../../lib/cli/command.js'
import { secretsCommand } from '../../lib/cli/secrets.js'
import { decryptWithKey, parseCiphertext } from '../../lib/config/values/ciphertext.js'
import { keyPair } from '../helpers/key-files.js'
import { runOne } from './one-command.js'

const { key, certificate, pem } = keyPair({ type: 'rsa' })
let home: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-encrypt-'))
  writeFileSync(join(home, 'store.pem'), pem)
  writeFileSync(join(home, 'ec.pem'), keyPair().pem)
})

afterAll(() => {
  rmSync(home, { recursive: true })
})

function configWith(...lines: readonly string[]): string {
  const file = join(home, 'deployment.toml')
  writeFileSync(file, lines.join('\n'))
  return file
}

/** With a list of answers standard input is a terminal, on which each prompt gets the next one. */
async function run(input: string | Buffer | string[], args: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: Array.isArray(input) })
  if (!Array.isArray(input)) stdin.end(input)
  const err: string[] = []
  const write = (text: string): void => {
    err.push(text)
    if (Array.isArray(input) && text.endsWith(': ')) setImmediate(() => stdin.write(`${input.shift()}\n`))
  }
  const streams = { stdin, stderr: { write } } as unknown as Partial<CommandProcess>
  const outcome = await runOne(secretsCommand, ['encrypt', ...args], streams)
  return { ...outcome, stderr: err.join('') }
}

function decrypted(text: string): string | undefined {
  const ciphertext = parseCiphertext(text)
  return ciphertext?.kind === 'rsa' ? decryptWithKey(ciphertext, { key, certificates: [certificate] }) : undefined
}

describe('sallyport secrets encrypt', () => {
  const store = ['[keystore.primary]', 'file_name = "store.pem"']

  it('prints nothing but the ciphertext of the first line', async () => {
    const { code, stdout, stderr } = await run('hunter22\nmore', ['--config', configWith(...store)])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(decrypted(stdout)).toBe('hunter22')
  })

  it('encrypts for the internal key store where there is one', async () => {
    const config = configWith(
      '[keystore.primary]',
      'file_name = "ec.pem"',
      '[keystore.internal]',
      'file_name = "store.pem"',
    )
    expect(decrypted((await run('hunter22', ['--config', config])).stdout)).toBe('hunter22')
  })

  it('works on a file that uses the secret already, and has other mistakes', async () => {
    const user = ['[[internal_apis.users]]', 'user.name = "a"', 'user.password = "$secret{db}"']
    const config = configWith('[management_api.cors]', 'enable = "x"', ...store, ...user)
    expect(decrypted((await run('hunter22', ['--config', config])).stdout)).toBe('hunter22')
  })

  it.each([
    ['db', 'db'],
    ['a.b', "'a.b'"],
    ['my secret', "'my secret'"],
    ["it's", '"it\'s"'],
  ])('prints the line for the alias %s', async (alias, printed) => {
    const { stdout, stderr } = await run('x', ['--config', configWith(...store), '--alias', alias])
    expect(stdout.startsWith(`${printed} = "`)).toBe(true)
    expect(decrypted(stdout.slice(`${printed} = "`.length, -2))).toBe('x')
    expect(stderr).toContain(`$secret{${alias}}`)
  })

  it.each(['', 'a{b', 'a}', 'a\nb'])('refuses the alias %j', async (alias) => {
    const { code, stdout, stderr } = await run('x', ['--config', configWith(...store), '--alias', alias])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^The alias must not be empty/)
  })

  it.each<[string, string | Buffer, RegExp]>([
    ['is empty', '\n', /^The secret is empty: type it, or write it to standard input\.$/],
    ['is no UTF-8', Buffer.from([0xff]), /^The secret is not valid UTF-8\.$/],
    ['is longer than the key takes', 'x'.repeat(215), /^The secret is longer than the 214 bytes/],
  ])('refuses a secret that %s', async (_, input, message) => {
    const { code, stdout, stderr } = await run(input, ['--config', configWith(...store)])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.trim()).toMatch(message)
  })

  it('asks on a terminal, without showing what is typed', async () => {
    const { stdout, stderr } = await run(['hunter22', 'hunter22'], ['--config', configWith(...store)])
    expect(decrypted(stdout)).toBe('hunter22')
    expect(stderr).toBe('Secret: \nAgain: \n')
  })

  it('refuses two texts that differ', async () => {
    const { code, stdout, stderr } = await run(['hunter22', 'hunter23'], ['--config', configWith(...store)])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe('Secret: \nAgain: \nThe secrets differ.\n')
  })

  it.each([
    ['[keystore.primary]\nfile_name = "nope.pem"', /keystore\.primary\.file_name: names a file that is not there/],
    ['[keystore.primary]\nfile_name = "ec.pem"', /keystore\.primary: secrets are encrypted with an RSA key/],
    ['', /keystore\.primary\.file_name: is not given: name a file of your own here, and give its password/],
    ['[keystore', /TOML syntax/],
  ])('says what is wrong with the file: %j', async (toml, message) => {
    const { code, stdout, stderr } = await run('x', ['--config', configWith(toml)])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(message)
  })

  it('says that there is no such file', async () => {
    expect((await run('x', ['--config', join(home, 'missing.toml')])).stderr).toMatch(/there is no such file/)
  })
})
