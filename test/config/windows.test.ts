import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../lib/config.js'
import { createSecurity, hashPassword } from '../../lib/index.js'
import { createKeyRing } from '../../lib/middleware.js'
import { recordedLog } from '../helpers/recorded-log.js'

/** What can be told of Windows on another system: how its editors end lines, and how its paths are spelled. */
const withWindowsLineEnds = (text: string): string => text.replace(/\r?\n/g, '\r\n')

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport windows-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
  return folder
}

const file = `[management_api.control_access]
enable = true
allow = [
  "127.0.0.1",
]

[[internal_apis.users]]
user.name = "alice"
user.password = "$env{HASH}"
`

describe('a deployment.toml that was saved on Windows', () => {
  it('guards as the same file with other line ends, with a hash from a file that ends with one', async () => {
    const folder = folderOf({ 'deployment.toml': withWindowsLineEnds(file) })
    const env = { HASH: `${await hashPassword('Correct-horse-1')}\r\n` }
    const security = await createSecurity(pathToFileURL(join(folder, 'deployment.toml')), {
      env,
      logger: recordedLog().logger,
    })
    onTestFinished(() => security.close())
    const { account } = await security.users.authenticate('alice', 'Correct-horse-1')
    expect(account?.subject).toBe('alice')
    expect(security.config.managementApi.allowedNetworks).toEqual(['127.0.0.1'])
  })

  it('is the same configuration, but for positions', async () => {
    const [unix, windows] = [folderOf({ 'a.toml': file }), folderOf({ 'a.toml': withWindowsLineEnds(file) })]
    const env = { HASH: await hashPassword('Correct-horse-1') }
    const load = async (folder: string) => {
      const { path: _path, ...config } = await loadConfig(join(folder, 'a.toml'), { env })
      return JSON.stringify(config).replaceAll(folder, '')
    }
    expect(await load(windows)).toBe(await load(unix))
  })
})

describe('a file name with a drive letter', () => {
  it.each(['C:\\app\\deployment.toml', 'C:/app/deployment.toml'])('is a path, not an URL: %s', async (name) => {
    await expect(loadConfig(name)).rejects.toThrow(/cannot be read|no such file|ENOENT/i)
  })
})

it('reads a token key whose lines end as on Windows', async () => {
  const folder = folderOf({})
  const keyFile = join(folder, 'token-key.pem')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(keyFile, withWindowsLineEnds(String(privateKey.export({ format: 'pem', type: 'pkcs8' }))), {
    mode: 0o600,
  })
  const keys = await createKeyRing({ keyFile, algorithm: 'ES256' })
  expect(keys.find(keys.kid)).toBeDefined()
  expect(keys.warnings).toEqual([])
})
