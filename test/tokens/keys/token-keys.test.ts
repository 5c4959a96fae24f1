import { createPublicKey } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { ConfigError } from '../../../lib/core/errors.js'
import { keyRingFrom } from '../../../lib/tokens/keys/key-ring.js'
import { readTokenKeys } from '../../../lib/tokens/keys/token-keys.js'
import { problemsOf } from '../../config/problems-of.js'
import { document, startFront } from '../../helpers/front.js'
import { keyPair } from '../../helpers/key-files.js'
import { oneSetUp } from '../../helpers/set-ups.js'

const rsa = keyPair({ type: 'rsa' })
const ec = keyPair()
const ed = keyPair({ type: 'ed25519' })
const table = 'management_api.jwt_token_security_handler.token_config'

let home: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-token-keys-'))
  writeFileSync(join(home, 'rsa.pem'), rsa.pem)
  writeFileSync(join(home, 'ec.pem'), ec.pem)
  writeFileSync(join(home, 'ed.pem'), ed.pem)
  writeFileSync(
    join(home, 'wso2carbon.jks'),
    readFileSync(new URL('../../corpora/keystores/wso2carbon.jks', import.meta.url)),
  )
})

afterAll(() => {
  rmSync(home, { recursive: true })
})

const keyStores = {
  keystore: { primary: { file_name: 'rsa.pem' }, internal: { file_name: 'ec.pem' } },
  custom_keystore: { Signing: { file_name: 'ed.pem' } },
}

function sourceWith(token_config: object, root: object = keyStores): object {
  return { management_api: { jwt_token_security_handler: { token_config } }, ...root }
}

function configWith(token_config: object, root?: object) {
  return parseConfig(sourceWith(token_config, root), { home, env: {} })
}

async function problemOf(token_config: object, root?: object) {
  const error = await readTokenKeys(configWith(token_config, root)).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).problems[0]!
}

describe('a key file', () => {
  it.each([
    ['rsa.pem', 'RS256'],
    ['ec.pem', 'ES256'],
    ['ed.pem', 'EdDSA'],
  ] as const)('decides the algorithm where none is written: %s signs with %s', async (key_file, algorithm) => {
    expect((await readTokenKeys(configWith({ key_file }))).signing.algorithm).toBe(algorithm)
  })

  it('has to be for the algorithm that is written, and that of its own JWK', async () => {
    expect((await problemOf({ key_file: 'ec.pem', algorithm: 'RS256' })).rule).toMatch(/an RSA key for RS256, got ec$/)
    const jwk = { ...rsa.key.export({ format: 'jwk' }), alg: 'PS256' }
    writeFileSync(join(home, 'pss.jwk'), JSON.stringify(jwk))
    expect((await problemOf({ key_file: 'pss.jwk' })).rule).toMatch(/must hold one unencrypted private key, as PKCS#8/)
  })
})

// Covers: B02 B09
describe('a key of a key store', () => {
  it.each([
    ['primary', 'RS256', rsa],
    ['internal', 'ES256', ec],
    ['Signing', 'EdDSA', ed],
  ] as const)('signs where token_config names it: %s with %s', async (keystore, algorithm, pair) => {
    const { signing, retired } = await readTokenKeys(configWith({ keystore }))
    expect(signing.algorithm).toBe(algorithm)
    expect(signing.publicKey.equals(pair.certificate.publicKey)).toBe(true)
    expect(signing.kid).toBe(await calculateJwkThumbprint(pair.certificate.publicKey.export({ format: 'jwk' })))
    expect(retired).toEqual([])
  })

  it('is the same for every process and every start', async () => {
    const [one, other] = [
      await readTokenKeys(configWith({ keystore: 'primary' })),
      await readTokenKeys(configWith({ keystore: 'primary' })),
    ]
    const ring = keyRingFrom(one)
    expect(keyRingFrom(other).kid).toBe(ring.kid)
    expect(ring.jwks().keys[0]).not.toHaveProperty('d')
  })

  it.each([
    ['primary', 'ES256', 'names keystore.primary, which must hold a P-256 key for ES256, got rsa'],
    ['internal', 'RS256', 'names keystore.internal, which must hold an RSA key for RS256, got ec'],
  ])('is refused where the algorithm is written and another: %s with %s', async (keystore, algorithm, rule) => {
    expect(await problemOf({ keystore, algorithm })).toEqual({ key: `${table}.keystore`, rule })
  })

  // Covers: A11
  it('is refused when WSO2 publishes it, in every environment', async () => {
    const root = { keystore: { primary: { file_name: 'wso2carbon.jks' } } }
    expect(await problemOf({ keystore: 'primary' }, root)).toEqual({
      key: `${table}.keystore`,
      rule: expect.stringContaining('must not hold the wso2carbon key that WSO2 publishes'),
    })
  })

  it('is told with the table of the store when it cannot be opened', async () => {
    const root = { keystore: { primary: { file_name: 'nope.pem' } } }
    expect((await problemOf({ keystore: 'primary' }, root)).key).toBe('keystore.primary.file_name')
  })
})

describe('the key before it', () => {
  const previous_until = '2026-06-01T00:00:00Z'

  it('verifies until the time that is written, and not longer', async () => {
    let now = Date.parse(previous_until) - 1
    const config = configWith({ keystore: 'primary', previous_keystore: 'internal', previous_until })
    const ring = keyRingFrom(await readTokenKeys(config), () => now)
    expect(ring.jwks().keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256'])
    now += 1
    expect(ring.jwks().keys.map(({ alg }) => alg)).toEqual(['RS256'])
    expect(ring.find(await calculateJwkThumbprint(ec.certificate.publicKey.export({ format: 'jwk' })))).toBeUndefined()
  })

  it('ends at that time for a server that signed with it until it was reloaded', async () => {
    let now = Date.parse(previous_until) - 10_000
    const before = await readTokenKeys(configWith({ keystore: 'internal' }))
    const ring = keyRingFrom(before, () => now)
    const config = configWith({ keystore: 'primary', previous_keystore: 'internal', previous_until })
    ring.exchange(await readTokenKeys(config), 3_600_000)
    expect(ring.find(before.signing.kid)).toBeDefined()
    now += 10_000
    expect(ring.find(before.signing.kid)).toBeUndefined()
  })

  it('is not needed by such a server: it keeps the key for the life of a token', async () => {
    writeFileSync(join(home, 'own.pem'), ec.pem)
    let now = Date.UTC(2026, 0, 1)
    const root = { keystore: { primary: { file_name: 'own.pem' } } }
    const source = document({ jwt: { token_config: { keystore: 'primary', expiry: 60 } }, root })
    const front = await startFront(oneSetUp, { source, options: { clock: () => now, home } })
    const algorithms = async () =>
      (await front.call('GET', '/jwks')).json<{ keys: { alg: string }[] }>().keys.map(({ alg }) => alg)
    writeFileSync(join(home, 'own.pem'), rsa.pem)
    expect(await algorithms()).toEqual(['ES256'])
    await front.security.reload(source)
    expect(await algorithms()).toEqual(['RS256', 'ES256'])
    now += 60_000
    expect(await algorithms()).toEqual(['RS256'])
  })

  it('may be written as a date of TOML', () => {
    const config = configWith({ keystore: 'primary', previous_keystore: 'internal', previous_until: new Date(1000) })
    expect(config.managementApi.token.previousKeyStore).toEqual({ name: 'internal', verifyUntil: 1000 })
  })
})

describe('token_config', () => {
  it.each([
    [{ keystore: 'nope' }, 'keystore', /^must be one of primary, internal, Signing, got "nope"$/],
    [{ keystore: 'tls' }, 'keystore', /^must be one of primary/],
    [{ keystore: 'constructor' }, 'keystore', /^must be one of primary/],
    [{ keystore: '' }, 'keystore', /^must be a text that is not blank/],
    [{ keystore: 'primary', key_file: 'x' }, 'keystore', /^must not be beside key_file/],
    [
      { previous_keystore: 'internal', previous_until: '2026-06-01T00:00:00Z' },
      'previous_keystore',
      /^must be beside keystore/,
    ],
    [{ keystore: 'primary', previous_keystore: 'internal' }, 'previous_until', /^must be there as well/],
    [{ keystore: 'primary', previous_until: new Date(1) }, 'previous_keystore', /^must be there as well/],
    [
      { keystore: 'primary', previous_keystore: 'x', previous_until: new Date(1) },
      'previous_keystore',
      /^must be one of primary/,
    ],
    ...['soon', '2026-06-01', '2026-06-01T00:00:00', 5, true, '2026-13-01T00:00:00Z'].map(
      (previous_until) =>
        [
          { keystore: 'primary', previous_keystore: 'internal', previous_until },
          'previous_until',
          /^must be a date and time, such as 2030-01-31T08:00:00Z/,
        ] as [object, string, RegExp],
    ),
  ])('refuses %j', (token_config, key, rule) => {
    const problems = problemsOf(sourceWith(token_config), { home, env: {} })
    expect(Object.keys(problems)).toEqual([`${table}.${key}`])
    expect(problems[`${table}.${key}`]).toMatch(rule)
  })

  it('uses the algorithm RS256 for a key of its own, and else that of the key', () => {
    expect(configWith({}).managementApi.token.algorithm).toBe('RS256')
    expect(configWith({ keystore: 'primary' }).managementApi.token.algorithm).toBeUndefined()
    expect(configWith({ key_file: 'ec.pem' }).managementApi.token.algorithm).toBeUndefined()
    expect(configWith({ keystore: 'internal', algorithm: 'ES256' }).managementApi.token.algorithm).toBe('ES256')
  })

  it('knows the key store for TLS where there is one', async () => {
    const root = { keystore: { tls: { file_name: 'rsa.pem' } } }
    const { signing } = await readTokenKeys(configWith({ keystore: 'tls' }, root))
    expect(signing.publicKey.equals(createPublicKey(rsa.key))).toBe(true)
  })
})

it('opens no key store that nothing names', async () => {
  mkdirSync(join(home, 'empty'), { recursive: true })
  const root = { keystore: { primary: { file_name: 'nope.pem', password: '$env{NOPE}' } } }
  expect((await readTokenKeys(configWith({ algorithm: 'ES256' }, root))).signing.algorithm).toBe('ES256')
})
