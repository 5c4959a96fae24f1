import * as crypto from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { createKeyRing } from '../../../lib/tokens/keys/key-ring.js'

vi.mock('node:crypto', async (load) => {
  const actual = await load<typeof import('node:crypto')>()
  return { ...actual, sign: vi.fn(actual.sign), generateKeyPair: vi.fn(actual.generateKeyPair) }
})

afterEach(() => vi.clearAllMocks())

/** Calls the callback, which is the last argument, with an error once. */
function failOnce(mocked: unknown): void {
  vi.mocked(mocked as (...values: unknown[]) => void).mockImplementationOnce((...values) => {
    const callback = values.at(-1) as (error: Error) => void
    callback(new Error('out of entropy'))
  })
}

it('a signature that cannot be made rejects, and the next one is made', async () => {
  const ring = await createKeyRing({ algorithm: 'EdDSA' })
  failOnce(crypto.sign)
  await expect(ring.sign('a.b')).rejects.toThrow('out of entropy')
  expect(await ring.sign('a.b')).toMatch(/^[\w-]{86}$/)
})

it.each(['RS256', 'ES256', 'EdDSA'] as const)('a key for %s that cannot be made rejects', async (algorithm) => {
  failOnce(crypto.generateKeyPair)
  await expect(createKeyRing({ algorithm })).rejects.toThrow('out of entropy')
})

it('a key file whose key cannot sign is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-keys-'))
  const { privateKey } = crypto.generateKeyPairSync('ed25519')
  const keyFile = join(folder, 'key.pem')
  await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  failOnce(crypto.sign)
  await expect(createKeyRing({ algorithm: 'EdDSA', keyFile })).rejects.toThrow(
    'must hold a private key that belongs to its public key',
  )
  expect((await createKeyRing({ algorithm: 'EdDSA', keyFile })).kid).toMatch(/./)
  await rm(folder, { recursive: true })
})

it.each([
  ['a file that is not there', async () => join(tmpdir(), 'sallyport-no-such-key.pem'), 'ENOENT'],
  ['a folder', async () => tmpdir(), 'EISDIR'],
])('%s has the reason of the system as its cause', async (_what, path, code) => {
  const refusal: unknown = await createKeyRing({ keyFile: await path() }).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ name: 'ConfigError', cause: { code } })
})

it('bits up to 4096 are taken, whatever the algorithm does with them', async () => {
  expect((await createKeyRing({ algorithm: 'EdDSA', rsaBits: 4096 })).algorithm).toBe('EdDSA')
  await expect(createKeyRing({ algorithm: 'HS256' as 'RS256' })).rejects.toThrow(
    new TypeError('"algorithm" option must be RS256, ES256 or EdDSA'),
  )
})
