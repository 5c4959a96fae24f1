import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CommandProcess } from '../../../lib/cli/command.js'
import { secretsCommand } from '../../../lib/cli/secrets.js'
import { loadConfig } from '../../../lib/config/load.js'

/** How WSO2's tools encrypt: `RSA/ECB/OAEPwithSHA1andMGF1Padding`. */
const oaep = ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha1', 'rsa_mgf1_md:sha1'].flatMap((option) => ['-pkeyopt', option])

let home: string
const file = (name: string): string => join(home, name)

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-openssl-'))
  copyFileSync(new URL('../../corpora/keystores/wso2carbon.jks', import.meta.url), file('wso2carbon.jks'))
  const store = ['-storepass', 'wso2carbon', '-alias', 'wso2carbon']
  execFileSync(
    'keytool',
    ['-exportcert', '-rfc', '-keystore', file('wso2carbon.jks'), ...store, '-file', file('jks.pem')],
    {
      stdio: 'ignore',
    },
  )
  const own = [
    '-storetype',
    'PKCS12',
    '-keystore',
    file('own.p12'),
    '-storepass',
    'the-store-password',
    '-alias',
    'own',
  ]
  execFileSync('keytool', ['-genkeypair', '-keyalg', 'RSA', '-keysize', '2048', '-dname', 'CN=own', ...own], {
    stdio: 'ignore',
  })
  execFileSync('openssl', [
    ...['pkcs12', '-in', file('own.p12'), '-passin', 'pass:the-store-password', '-nodes'],
    ...['-out', file('own.pem')],
  ])
})

afterAll(() => {
  rmSync(home, { recursive: true })
})

const jksTable = [
  '[keystore.primary]',
  'file_name = "wso2carbon.jks"',
  'password = "wso2carbon"',
  'alias = "wso2carbon"',
]
const ownTable = ['[keystore.primary]', 'file_name = "own.p12"', 'password = "the-store-password"', 'alias = "own"']

function writeConfig(secrets: readonly string[], keyStore: readonly string[]): string {
  const user = ['[[internal_apis.users]]', 'user.name = "alice"', 'user.password = "$secret{admin.pwd}"']
  writeFileSync(file('deployment.toml'), ['[secrets]', ...secrets, ...keyStore, ...user].join('\n'))
  return file('deployment.toml')
}

async function passwordIn(path: string): Promise<string | undefined> {
  return (await loadConfig(path, { env: {} })).fileUsers.users[0]?.password
}

async function encrypt(args: readonly string[], input: string): Promise<{ out: string; err: string; code: unknown }> {
  const stdin = Object.assign(new PassThrough(), { isTTY: false })
  stdin.end(input)
  const [out, err] = [[] as string[], [] as string[]]
  const process = {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) } as unknown as NodeJS.WritableStream,
    exitCode: undefined,
  } as CommandProcess
  await secretsCommand(process).parseAsync(['encrypt', ...args], { from: 'user' })
  return { out: out.join(''), err: err.join(''), code: process.exitCode ?? 0 }
}

describe('what openssl encrypts', () => {
  it.each(['jks.pem', 'own.pem'])('with the certificate of a key store is read: %s', async (certificate) => {
    const args = ['pkeyutl', '-encrypt', '-certin', '-inkey', file(certificate), ...oaep]
    const ciphertext = execFileSync('openssl', args, { input: 'pass w\u00f6rd 1' }).toString('base64')
    const table = certificate === 'jks.pem' ? jksTable : ownTable
    expect(await passwordIn(writeConfig([`"admin.pwd" = "${ciphertext}"`], table))).toBe('pass w\u00f6rd 1')
  })

  it('in another way is not read, and not taken for the secret', async () => {
    const args = ['pkeyutl', '-encrypt', '-certin', '-inkey', file('own.pem')]
    const ciphertext = execFileSync('openssl', args, { input: 'hunter22' }).toString('base64')
    await expect(passwordIn(writeConfig([`"admin.pwd" = "${ciphertext}"`], ownTable))).rejects.toThrow(
      /needs the secret admin\.pwd, which cannot be decrypted with keystore\.primary/,
    )
  })
})

describe('sallyport secrets encrypt', () => {
  it('writes what openssl decrypts with the private key', async () => {
    const { out, err, code } = await encrypt(['--config', writeConfig([], ownTable)], 'pass w\u00f6rd 1\n')
    expect({ err, code }).toEqual({ err: '', code: 0 })
    const args = ['pkeyutl', '-decrypt', '-inkey', file('own.pem'), ...oaep]
    const plain = execFileSync('openssl', args, { input: Buffer.from(out.trim(), 'base64') }).toString()
    expect(plain).toBe('pass w\u00f6rd 1')
  })

  it('writes the whole line, which loadConfig reads', async () => {
    const { out, err, code } = await encrypt(
      ['--config', writeConfig([], ownTable), '--alias', 'admin.pwd'],
      'hunter22',
    )
    expect(code).toBe(0)
    expect(out).toMatch(/^'admin\.pwd' = "[A-Za-z0-9+/]+=*"\n$/)
    expect(err).toBe('Put this line below [secrets], and write $secret{admin.pwd} where the secret belongs.\n')
    expect(await passwordIn(writeConfig([out], ownTable))).toBe('hunter22')
  })

  it('warns of the key that WSO2 publishes', async () => {
    const { err, code } = await encrypt(['--config', writeConfig([], jksTable)], 'hunter22')
    expect(code).toBe(0)
    expect(err).toMatch(/^Warning: keystore\.primary has the key that WSO2 publishes/)
  })
})
