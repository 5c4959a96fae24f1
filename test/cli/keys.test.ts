import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { keysCommand } from '../../lib/cli/keys.js'
import { createKeyRing } from '../../lib/tokens/keys/key-ring.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { runOne } from './one-command.js'

const start = Date.UTC(2026, 0, 1)

let home: string
let file: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-keys-'))
  file = join(home, 'deployment.toml')
})

beforeEach(() => {
  for (const name of ['token.pem', 'token.pem.retired']) rmSync(join(home, name), { force: true })
})

afterAll(() => {
  rmSync(home, { recursive: true })
})

async function rotate(tokenConfig: readonly string[], args: readonly string[] = []) {
  writeFileSync(file, ['[management_api.jwt_token_security_handler.token_config]', ...tokenConfig].join('\n'))
  return runOne((process) => keysCommand(process, () => start), ['rotate', '--config', file, ...args])
}

const keyFile = ['key_file = "token.pem"', 'algorithm = "ES256"', 'expiry = 600']

// Covers: B19
describe('sallyport keys rotate', () => {
  it('makes the first key beside the configuration', async () => {
    const { code, stdout, stderr } = await rotate(keyFile)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const ring = await createKeyRing({ algorithm: 'ES256', keyFile: join(home, 'token.pem') })
    expect(stdout).toBe(`Made the key ${ring.kid} in ${join(home, 'token.pem')}.\n`)
  })

  it.each([
    [[], '2026-01-01T01:10:00.000Z'],
    [['--reload-within', '5m'], '2026-01-01T00:15:00.000Z'],
  ])('keeps the old key for the life of a token and the time to reload: %j', async (args, end) => {
    await rotate(keyFile)
    const { kid } = await createKeyRing({ algorithm: 'ES256', keyFile: join(home, 'token.pem') })
    const { code, stdout } = await rotate(keyFile, args)
    expect(code).toBe(0)
    expect(stdout).toContain(`The key ${kid} verifies until ${end}.\n`)
    expect(stdout).toContain('once it reloads its configuration')
    expect(JSON.parse(readFileSync(join(home, 'token.pem.retired'), 'utf8')).keys).toEqual([
      expect.objectContaining({ kid, verify_until: Date.parse(end) / 1000, final: false }),
    ])
  })

  it('drops the old key where it may be in other hands', async () => {
    await rotate(keyFile)
    const { kid } = await createKeyRing({ algorithm: 'ES256', keyFile: join(home, 'token.pem') })
    expect((await rotate(keyFile, ['--drop'])).stdout).toContain(`The key ${kid} verifies nothing any more.\n`)
    const ring = await createKeyRing({ algorithm: 'ES256', keyFile: join(home, 'token.pem'), clock: () => start })
    expect(ring.find(kid)).toBeUndefined()
  })

  it('shows no private key', async () => {
    await rotate(keyFile)
    const { stdout, stderr } = await rotate(keyFile)
    const { 1: line } = readFileSync(join(home, 'token.pem'), 'utf8').split('\n')
    expect(`${stdout}${stderr}`).not.toContain(line)
  })

  it.each<[string, readonly string[], readonly string[], RegExp]>([
    ['without a key file', [], [], /each start makes its own key: .* write key_file in token_config/],
    ['with a key store', ['keystore = "primary"'], [], /is in the key store "primary".*previous_keystore/],
    ['with a time without a unit', keyFile, ['--reload-within', '5'], /must be a duration with a unit/],
    ['with a mistake in the file', [...keyFile, 'expiry2 = 1'], [], /expiry2: is not a known key/],
    ['where the folder is missing', ['key_file = "nope/token.pem"'], [], /ENOENT/],
  ])('changes nothing %s', async (_, tokenConfig, args, message) => {
    const { code, stdout, stderr } = await rotate(tokenConfig, args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(message)
  })

  it('loses no key when two run at the same time: one is refused, or they run one after the other', async () => {
    await rotate(keyFile)
    const ringNow = () => createKeyRing({ algorithm: 'ES256', keyFile: join(home, 'token.pem'), clock: () => start })
    const { kid: first } = await ringNow()
    const outcomes = await Promise.all([rotate(keyFile), rotate(keyFile), rotate(keyFile)])
    const made = outcomes.flatMap(({ code, stdout }) => (code === 0 ? [/Made the key (\S+)/.exec(stdout)![1]] : []))
    expect(made.length).toBeGreaterThan(0)
    const kids = (await ringNow()).jwks().keys.map(({ kid }) => kid)
    expect(kids.toSorted()).toEqual([first, ...made].toSorted())
    for (const { code, stderr } of outcomes) {
      if (code !== 0) expect(stderr).toMatch(/^Process \d+ on .+ is working on \S+token\.pem\. Wait for it, /)
    }
  })

  it('changes nothing where the old key cannot be read', async () => {
    writeFileSync(join(home, 'token.pem'), 'no key')
    const { code, stderr } = await rotate(keyFile)
    expect(code).toBe(1)
    expect(stderr).toMatch(/must hold one unencrypted private key/)
    expect(readFileSync(join(home, 'token.pem'), 'utf8')).toBe('no key')
  })
})

describe.skipIf(process.platform === 'win32')('a key file that is a symbolic link', () => {
  const links: readonly (readonly [string, readonly (readonly [name: string, target: string])[]])[] = [
    ['in the same folder', [['token.pem', 'real.pem']]],
    ['into another folder', [['token.pem', 'other/real.pem']]],
    [
      'in a chain',
      [
        ['token.pem', 'other/next.pem'],
        ['other/next.pem', '../real.pem'],
      ],
    ],
  ]

  it.each(links)(
    '%s is one file for the command and the server: a dropped key verifies nothing',
    async (_where, chain) => {
      mkdirSync(join(home, 'other'), { recursive: true })
      for (const [name, target] of chain) {
        rmSync(join(home, name), { force: true })
        symlinkSync(target, join(home, name))
      }
      const before = readdirSync(home)
      // The first key is made where the link leads to.
      expect((await rotate(keyFile)).code).toBe(0)
      const { logger } = recordedLog()
      await using security = await createSecurity(file, { logger, clock: () => start, env: {} })
      const kids = async (): Promise<readonly unknown[]> => {
        const app = (await import('express')).default()
        app.use('/m', security.managementApi())
        const server = app.listen(0, '127.0.0.1')
        await new Promise((resolve) => server.once('listening', resolve))
        const { port } = server.address() as { port: number }
        const { keys } = (await (await fetch(`http://127.0.0.1:${port}/m/jwks`)).json()) as { keys: { kid: string }[] }
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
        return keys.map(({ kid }) => kid)
      }
      expect(await kids()).toHaveLength(1)
      expect((await rotate(keyFile)).code).toBe(0)
      await security.reload(file)
      expect(await kids()).toHaveLength(2)
      const { stdout } = await rotate(keyFile, ['--drop'])
      await security.reload(file)
      const [signing] = await kids()
      expect(stdout).toContain(`Made the key ${String(signing)}`)
      expect(stdout).not.toContain('verifies until')
      expect(await kids()).not.toContain(/The key (\S+) verifies nothing/.exec(stdout)?.[1])
      for (const [name] of chain) expect(lstatSync(join(home, name)).isSymbolicLink(), name).toBe(true)
      expect(readdirSync(home).filter((name) => !before.includes(name) && /lock|tmp/.test(name))).toEqual([])
      for (const name of ['real.pem', 'other']) {
        rmSync(join(home, name), { recursive: true, force: true })
        rmSync(join(home, `${name}.retired`), { force: true })
      }
    },
  )

  it('to itself is an error of the file system, and stays', async () => {
    symlinkSync('token.pem', join(home, 'token.pem'))
    const { code, stderr } = await rotate(keyFile)
    expect([code, stderr]).toEqual([1, expect.stringContaining('ELOOP')])
    expect(lstatSync(join(home, 'token.pem')).isSymbolicLink()).toBe(true)
  })
})
