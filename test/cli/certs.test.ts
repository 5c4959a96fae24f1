import { execFile } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import forge from 'node-forge'
import { describe, expect, it } from 'vitest'
import { certsCommand } from '../../lib/cli/certs.js'
import type { CommandProcess } from '../../lib/cli/read-password.js'
import { dayMs, folderWith, keyPair } from '../helpers/key-files.js'

interface Outcome {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** Runs `sallyport certs` in this process. */
async function run(args: readonly string[], now: () => number = Date.now): Promise<Outcome> {
  const [out, err] = [[] as string[], [] as string[]]
  const stderr = { write: (text: string) => err.push(text) } as unknown as NodeJS.WritableStream
  const process: CommandProcess = {
    stdin: globalThis.process.stdin,
    stderr,
    stdout: { write: (text) => out.push(text) },
  }
  await certsCommand(process, now).parseAsync(args, { from: 'user' })
  return { code: process.exitCode ?? 0, stdout: out.join(''), stderr: err.join('') }
}

/** Runs the command in a process of its own. */
function runProcess(args: readonly string[]): Promise<Outcome> {
  const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url))
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', main, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? 'killed'), stdout, stderr })
    })
  })
}

const certificateIn = (file: string): X509Certificate => new X509Certificate(readFileSync(file))
const modeOf = (file: string): number => statSync(file).mode & 0o777

describe('sallyport certs', () => {
  it.skipIf(process.platform === 'win32')('writes where links lead to, and keeps the links', async () => {
    const [folder, elsewhere] = [folderWith(), folderWith()]
    const names = ['sallyport-ca.pem', 'sallyport-ca.key', 'sallyport-server.pem', 'sallyport-server.key']
    for (const name of names) symlinkSync(join(elsewhere, name), join(folder, name))
    for (let round = 0; round < 2; round++) expect((await run(['--directory', folder])).code).toBe(0)
    expect((await run(['csr', '--directory', folder, '--host', 'api.example.com'])).code).toBe(0)
    for (const name of names) expect(lstatSync(join(folder, name)).isSymbolicLink(), name).toBe(true)
    expect(readdirSync(elsewhere).sort()).toEqual([...names].sort())
    const [authority, server] = [names[0]!, names[2]!].map((name) => certificateIn(join(elsewhere, name)))
    expect(server?.checkIssued(authority!)).toBe(true)
  })

  it('makes an authority and a certificate from it, and says what to do with them', async () => {
    const folder = folderWith()
    const { code, stdout } = await run(['--directory', folder, '--host', 'api.example.com', '192.0.2.7'])
    expect(code).toBe(0)
    const [authority, server] = ['sallyport-ca.pem', 'sallyport-server.pem'].map((name) =>
      certificateIn(join(folder, name)),
    )
    expect(server?.checkIssued(authority!)).toBe(true)
    expect(server?.verify(authority!.publicKey)).toBe(true)
    expect(server?.subjectAltName).toBe(
      'DNS:api.example.com, IP Address:192.0.2.7, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    )
    expect([authority?.ca, server?.ca]).toEqual([true, false])
    expect(
      ['sallyport-ca.key', 'sallyport-server.pem', 'sallyport-ca.pem'].map((name) => modeOf(join(folder, name))),
    ).toEqual([0o600, 0o600, 0o644])
    expect(stdout).toContain('[keystore.tls]\n  file_name = "sallyport-server.pem"')
    expect(stdout).toContain(`curl --cacert ${join(folder, 'sallyport-ca.pem')} https://api.example.com:9164/`)
    expect(stdout).not.toContain('PRIVATE KEY')
  })

  it('keeps the authority, so that clients go on trusting it, until it is about to end', async () => {
    const folder = folderWith()
    const authority = (): string => certificateIn(join(folder, 'sallyport-ca.pem')).fingerprint256
    await run(['--directory', folder])
    const [first, server] = [authority(), certificateIn(join(folder, 'sallyport-server.pem')).fingerprint256]
    await run(['--directory', folder], () => Date.now() + 3000 * dayMs)
    expect(authority()).toBe(first)
    expect(certificateIn(join(folder, 'sallyport-server.pem')).fingerprint256).not.toBe(server)
    await run(['--directory', folder], () => Date.now() + 3500 * dayMs)
    expect(authority()).not.toBe(first)
  })

  it('leaves files that belong together when several run at the same time', async () => {
    const folder = folderWith()
    const outcomes = await Promise.all([1, 2, 3].map(() => runProcess(['certs', '--directory', folder])))
    const done = outcomes.filter(({ code }) => code === 0)
    for (const { stderr } of outcomes) expect(stderr).toMatch(/^(?:Another sallyport command is working on .*\n)?$/)
    expect(done.filter(({ stdout }) => stdout.includes('which is new'))).toHaveLength(1)
    const [authority, server] = ['sallyport-ca.pem', 'sallyport-server.pem'].map((name) =>
      certificateIn(join(folder, name)),
    )
    const keyIn = (name: string) => createPrivateKey(readFileSync(join(folder, name)))
    expect(server?.checkIssued(authority!)).toBe(true)
    expect(authority?.checkPrivateKey(keyIn('sallyport-ca.key'))).toBe(true)
    expect(server?.checkPrivateKey(keyIn('sallyport-server.pem'))).toBe(true)
    expect(readdirSync(folder)).toHaveLength(3)
  })

  it.each([
    [[], 'sallyport-ca.key'],
    [['csr', '--host', 'a.example'], 'sallyport-server.key'],
  ])('makes nothing while another works in the folder, and says what to delete: %j', async (args, name) => {
    const file = join(folderWith(), name)
    writeFileSync(`${file}.lock`, '')
    expect(await run([...args, '--directory', dirname(file)])).toEqual({
      code: 1,
      stdout: '',
      stderr: `Another sallyport command is working on ${file}. If none is, one was killed: delete ${file}.lock\n`,
    })
    expect(readdirSync(dirname(file))).toEqual([`${name}.lock`])
  })

  it.each([
    ['a key that others can read', (folder: string) => chmodSync(join(folder, 'sallyport-ca.key'), 0o644)],
    ['no key', (folder: string) => rmSync(join(folder, 'sallyport-ca.key'))],
    ['no certificate', (folder: string) => rmSync(join(folder, 'sallyport-ca.pem'))],
    ['a certificate of another', (folder: string) => writeFileSync(join(folder, 'sallyport-ca.pem'), keyPair().pem)],
    ['a broken key', (folder: string) => writeFileSync(join(folder, 'sallyport-ca.key'), 'x')],
  ])('refuses an authority with %s, and makes nothing', async (_, harm) => {
    const folder = folderWith()
    await run(['--directory', folder])
    harm(folder)
    const before = readFileSync(join(folder, 'sallyport-server.pem'), 'utf8')
    const { code, stderr } = await run(['--directory', folder])
    expect(code).toBe(1)
    expect(stderr).toMatch(/sallyport-ca\.(?:key|pem): not /)
    expect(readFileSync(join(folder, 'sallyport-server.pem'), 'utf8')).toBe(before)
  })

  it.each(['no host', 'a..b', '-x.example', 'https://a.example'])('refuses the host name %j', async (host) => {
    const folder = folderWith()
    const { code, stderr } = await run(['--directory', folder, `--host=${host}`])
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${JSON.stringify(host)} is no host name and no address.\n` })
    expect(existsSync(join(folder, 'sallyport-ca.pem'))).toBe(false)
  })
})

describe('sallyport certs csr', () => {
  it('makes a new key, and a request that proves it', async () => {
    const folder = folderWith()
    const { code, stdout, stderr } = await run([
      'csr',
      '--rsa',
      '--directory',
      folder,
      '--host',
      'a.example',
      'b.example',
    ])
    expect(code).toBe(0)
    const request = forge.pki.certificationRequestFromPem(stdout)
    expect(request.verify()).toBe(true)
    expect(request.subject.getField('CN').value).toBe('a.example')
    expect(modeOf(join(folder, 'sallyport-server.key'))).toBe(0o600)
    expect(stderr).toContain('key_file = "sallyport-server.key"')
    expect(stdout + stderr).not.toContain('PRIVATE KEY')
  })

  it('makes an ECDSA key unless it is told otherwise, and never overwrites one', async () => {
    const folder = folderWith()
    const args = ['csr', '--directory', folder, '--host', 'a.example']
    expect((await run(args)).stdout).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/)
    const key = readFileSync(join(folder, 'sallyport-server.key'), 'utf8')
    const { code, stderr } = await run(args)
    expect(code).toBe(1)
    expect(stderr).toContain('is there already')
    expect(readFileSync(join(folder, 'sallyport-server.key'), 'utf8')).toBe(key)
  })

  it('takes the key and the host name of a configuration', async () => {
    const toml = '[server]\nhostname = "api.example.com"\n[keystore.tls]\nfile_name = "server.pem"\n'
    const pair = keyPair({ type: 'rsa' })
    const folder = folderWith({ 'deployment.toml': toml, 'server.pem': pair.pem })
    const { stdout } = await run(['csr', '--config', join(folder, 'deployment.toml')])
    const request = forge.pki.certificationRequestFromPem(stdout)
    expect(request.verify()).toBe(true)
    expect(request.subject.getField('CN').value).toBe('api.example.com')
    const publicKey = pair.certificate.publicKey.export({ format: 'pem', type: 'spki' }) as string
    expect(forge.pki.publicKeyToPem(request.publicKey as forge.pki.rsa.PublicKey).replaceAll('\r', '')).toBe(publicKey)
  })

  it('says where a configuration is wrong', async () => {
    const folder = folderWith({ 'deployment.toml': '[keystore.tls]\nfile_name = "server.pem"\n' })
    const { code, stderr } = await run(['csr', '--config', join(folder, 'deployment.toml')])
    expect(code).toBe(1)
    expect(stderr).toContain('deployment.toml:2:1 keystore.tls.file_name: names a file that is not there')
  })

  it('needs a host or a configuration', async () => {
    expect(await run(['csr'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Name the host with --host, or the configuration with --config.\n',
    })
  })
})
