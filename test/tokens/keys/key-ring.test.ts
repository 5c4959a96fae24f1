import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../lib/core/errors.js'
import { isPublishedKey } from '../../../lib/core/key-stores.js'
import { createKeyRing, type KeyRing, type KeyRingOptions } from '../../../lib/tokens/keys/key-ring.js'
import { publishedWso2Key } from '../../helpers/published-key.js'

const keyFileKey = 'management_api.jwt_token_security_handler.token_config.key_file'
const algorithms = ['RS256', 'ES256', 'EdDSA'] as const

const keys: Record<string, KeyObject> = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  EdDSA: generateKeyPairSync('ed25519').privateKey,
}

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-keys-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function fileWith(text: string | Buffer, mode = 0o600): Promise<string> {
  const path = join(folder, `key-${Math.random().toString(36).slice(2)}`)
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}

function pemOf(key: KeyObject): string {
  return key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }) as string
}

function jwkTextOf(key: KeyObject, more: object = {}): string {
  return JSON.stringify({ ...key.export({ format: 'jwk' }), ...more })
}

async function isGoodSignature(ring: KeyRing): Promise<boolean> {
  const { publicKey } = ring.find(ring.kid)!
  const signature = Buffer.from(await ring.sign('a.b'), 'base64url')
  const digest = ring.algorithm === 'EdDSA' ? null : 'sha256'
  return verify(digest, Buffer.from('a.b'), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
}

// Covers: B02 B09 B19
describe('createKeyRing', () => {
  it.each(algorithms)('makes a key pair for %s, and signs with it', async (algorithm) => {
    const ring = await createKeyRing({ algorithm })
    expect(ring.algorithm).toBe(algorithm)
    expect(ring.find(ring.kid)).toMatchObject({ kid: ring.kid, algorithm })
    expect(ring.find(ring.kid)!.publicKey.type).toBe('public')
    expect(await isGoodSignature(ring)).toBe(true)
    expect(ring.warnings).toEqual([])
  })

  it('makes an RSA key of 2048 bits and the exponent 65537 by default', async () => {
    for (const options of [undefined, {}, { algorithm: undefined, rsaBits: undefined, keyFile: undefined }]) {
      const ring = await createKeyRing(options)
      expect(ring.algorithm).toBe('RS256')
      expect(ring.find(ring.kid)!.publicKey.asymmetricKeyDetails).toEqual({
        modulusLength: 2048,
        publicExponent: 65537n,
      })
    }
  })

  it('makes another key each time', async () => {
    const [one, other] = [await createKeyRing({ algorithm: 'EdDSA' }), await createKeyRing({ algorithm: 'EdDSA' })]
    expect(one.kid).not.toBe(other.kid)
    expect(one.find(other.kid)).toBeUndefined()
  })

  it('makes an RSA key of the size that is asked for', async () => {
    const ring = await createKeyRing({ rsaBits: 3072 })
    expect(ring.find(ring.kid)!.publicKey.asymmetricKeyDetails?.modulusLength).toBe(3072)
  })

  it.each([0, 1024, 2047, 2048.5, 4097, Number.NaN, '2048', null])('refuses RSA keys of %s bits', async (rsaBits) => {
    await expect(createKeyRing({ rsaBits } as KeyRingOptions)).rejects.toThrow(
      new TypeError('"rsaBits" option must be an integer from 2048 to 4096'),
    )
  })

  it.each(['HS256', 'none', 'rs256', 'toString', '', null])('refuses the algorithm %s', async (algorithm) => {
    await expect(createKeyRing({ algorithm } as KeyRingOptions)).rejects.toThrow(TypeError)
  })

  it.each(algorithms)('shows no private part of a key for %s in its JWK Set', async (algorithm) => {
    const ring = await createKeyRing({ algorithm })
    const names = { RS256: ['n', 'e'], ES256: ['crv', 'x', 'y'], EdDSA: ['crv', 'x'] }[algorithm]
    expect(ring.jwks().keys).toHaveLength(1)
    const [jwk] = ring.jwks().keys
    expect(Object.keys(jwk!).toSorted()).toEqual(['alg', 'kid', 'kty', 'use', ...names].toSorted())
    expect(jwk).toMatchObject({ alg: algorithm, use: 'sig', kid: ring.kid })
    expect(await calculateJwkThumbprint(jwk!)).toBe(ring.kid)
  })

  it('is not changed by a change of the JWK Set it answered', async () => {
    const ring = await createKeyRing({ algorithm: 'ES256' })
    expect(() => Object.assign(ring.jwks().keys[0]!, { kid: 'other' })).toThrow(TypeError)
    expect(() => (ring.jwks().keys as unknown[]).push({})).toThrow(TypeError)
    expect(ring.jwks().keys).toEqual([expect.objectContaining({ kid: ring.kid })])
  })

  it('makes its JWK Set once', async () => {
    const ring = await createKeyRing({ algorithm: 'ES256' })
    expect(ring.jwks()).toBe(ring.jwks())
  })

  it.each(['__proto__', 'constructor', '', 'KID'])('finds no key named %j', async (kid) => {
    expect((await createKeyRing({ algorithm: 'EdDSA' })).find(kid)).toBeUndefined()
  })

  describe('with a key file', () => {
    it.each(algorithms)('reads a PKCS#8 PEM and a JWK for %s, and gets the same key', async (algorithm) => {
      const key = keys[algorithm]!
      const fromPem = await createKeyRing({ algorithm, keyFile: await fileWith(pemOf(key)) })
      const fromJwk = await createKeyRing({
        algorithm,
        keyFile: await fileWith(`\n${jwkTextOf(key, { alg: algorithm })}\n`),
      })
      expect(fromJwk.kid).toBe(fromPem.kid)
      expect(fromPem.find(fromPem.kid)!.publicKey.equals(createPublicKey(key))).toBe(true)
      expect(await isGoodSignature(fromPem)).toBe(true)
      expect(fromPem.jwks().keys[0]).not.toHaveProperty('d')
    })

    it.skipIf(process.platform === 'win32')('warns when every user of the machine can read or write it', async () => {
      const keyFile = await fileWith(pemOf(keys['EdDSA']!), 0o644)
      const { warnings } = await createKeyRing({ algorithm: 'EdDSA', keyFile })
      expect(warnings).toEqual([{ key: keyFileKey, rule: expect.stringContaining('chmod 600') }])
      await chmod(keyFile, 0o602)
      expect((await createKeyRing({ algorithm: 'EdDSA', keyFile })).warnings).toHaveLength(1)
      await chmod(keyFile, 0o640)
      expect((await createKeyRing({ algorithm: 'EdDSA', keyFile })).warnings).toEqual([])
    })

    it.skipIf(process.platform === 'win32')('warns when every user may write the retired keys beside it', async () => {
      const keyFile = await fileWith(pemOf(keys['EdDSA']!))
      await writeFile(`${keyFile}.retired`, '{"keys":[]}')
      const warningsWith = async (mode: number) => {
        await chmod(`${keyFile}.retired`, mode)
        return (await createKeyRing({ algorithm: 'EdDSA', keyFile })).warnings
      }
      expect(await warningsWith(0o602)).toEqual([
        {
          key: keyFileKey,
          rule: expect.stringContaining(`${keyFile}.retired that only its owner can write (chmod 600)`),
        },
      ])
      expect(await warningsWith(0o664)).toEqual([])
    })

    const rsa = keys['RS256']!
    const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const { n: otherModulus } = otherRsa.export({ format: 'jwk' })
    const ecJwk = keys['ES256']!.export({ format: 'jwk' })
    const otherEc = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
    const smallExponent = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey
    const encrypted = rsa.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'wrong guess',
    }) as string

    it.each<[string, KeyRingOptions['algorithm'], string, RegExp]>([
      ['is empty', 'RS256', '', /one unencrypted private key for RS256/],
      ['is no key', 'RS256', 'swordfish', /one unencrypted private key for RS256/],
      ['is broken JSON', 'RS256', '{"kty":"RSA"', /one unencrypted private key/],
      ['is a public PEM', 'RS256', pemOf(createPublicKey(rsa)), /one unencrypted private key/],
      ['is a public JWK', 'RS256', jwkTextOf(createPublicKey(rsa)), /one unencrypted private key/],
      ['is an HMAC secret', 'RS256', JSON.stringify({ kty: 'oct', k: 'c3dvcmRmaXNo' }), /one unencrypted private key/],
      ['is encrypted', 'RS256', encrypted, /one unencrypted private key/],
      ['is a JWK for another algorithm', 'RS256', jwkTextOf(rsa, { alg: 'PS256' }), /one unencrypted private key/],
      ['has an EC key for RS256', 'RS256', pemOf(keys['ES256']!), /an RSA key for RS256, got ec$/],
      ['has an RSA-PSS key for RS256', 'RS256', pemOf(pss), /an RSA key for RS256, got rsa-pss$/],
      ['has an RSA key of 1024 bits', 'RS256', pemOf(weak), /at least 2048 bits, got 1024$/],
      ['has an RSA key with the exponent 3', 'RS256', pemOf(smallExponent), /exponent of at least 65537$/],
      ['has a P-384 key for ES256', 'ES256', pemOf(p384), /a P-256 key for ES256, got secp384r1$/],
      ['has an RSA key for ES256', 'ES256', pemOf(rsa), /a P-256 key for ES256, got rsa$/],
      ['has an Ed25519 key for ES256', 'ES256', pemOf(keys['EdDSA']!), /a P-256 key for ES256, got ed25519$/],
      ['has an EC key for EdDSA', 'EdDSA', pemOf(keys['ES256']!), /an Ed25519 key for EdDSA, got ec$/],
      [
        'has the modulus of another RSA key',
        'RS256',
        jwkTextOf(rsa, { n: otherModulus }),
        /belongs to its public key|unencrypted/,
      ],
      [
        'has the private part of another EC key',
        'ES256',
        JSON.stringify({ ...ecJwk, d: otherEc.d }),
        /belongs to its public|unencrypted/,
      ],
    ])('refuses one that %s, and does not quote it', async (_, algorithm, text, rule) => {
      const keyFile = await fileWith(text)
      const error = await createKeyRing({ algorithm, keyFile }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ConfigError)
      expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID', problems: [{ key: keyFileKey }] })
      expect((error as ConfigError).problems[0]!.rule).toMatch(rule)
      expect((error as ConfigError).problems[0]!.rule.startsWith(`${keyFile} must `)).toBe(true)
      expect(`${error} ${(error as ConfigError).cause}`).not.toMatch(/swordfish|BEGIN|kty/)
    })

    it('refuses one that is not there or is a folder', async () => {
      for (const keyFile of [join(folder, 'missing'), folder]) {
        const error = await createKeyRing({ keyFile }).catch((reason: unknown) => reason)
        expect(error).toMatchObject({
          name: 'ConfigError',
          problems: [
            {
              key: keyFileKey,
              rule: expect.stringMatching(
                /^\/.* must be a file that can be read \((ENOENT\); "npx sallyport keys rotate" makes it|EISDIR\))$/,
              ),
            },
          ],
        })
      }
    })
  })
})

describe('isPublishedKey', () => {
  it('knows the public half of the wso2carbon key pair', () => {
    expect(isPublishedKey(createPublicKey(publishedWso2Key))).toBe(true)
  })

  it('takes no other key for it', () => {
    expect(isPublishedKey(createPublicKey(keys['RS256']!))).toBe(false)
    expect(isPublishedKey(createPublicKey(keys['ES256']!))).toBe(false)
  })
})
