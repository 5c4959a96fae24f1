/** Key stores as the tools of operators make them. */

import { createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../lib/config/parse-config.js'
import { type KeyMaterial, loadKeyStore, loadTrustStore } from '../../lib/tls/key-store.js'
import { make } from './tools.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-stores-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const [password, keyPassword, beyondAscii] = ['store-password', 'key-password', 'p\u00e4ssw\u00f6rd-\u20ac']

async function open(file_name: string, table: Record<string, unknown> = {}): Promise<KeyMaterial> {
  const primary = { file_name, password, ...table }
  return loadKeyStore(parseConfig({ keystore: { primary } }, { home: folder, env: {} }).keyStores.primary)
}

describe('keytool', () => {
  const keytool = (...args: string[]): Promise<void> =>
    make(folder, 'keytool', '-noprompt', '-storepass', password, '-dname', 'CN=localhost', ...args)
  const keys = {
    rsa: ['-keyalg', 'RSA', '-keysize', '2048'],
    ec: ['-keyalg', 'EC', '-groupname', 'secp256r1'],
  } as const

  it.each([
    ['rsa', 'JKS'],
    ['ec', 'JKS'],
    ['rsa', 'PKCS12'],
    ['ec', 'PKCS12'],
  ] as const)('makes an %s key in %s', async (type, format) => {
    const file = `${type}.${format}`
    await keytool('-genkeypair', '-alias', 'Server', ...keys[type], '-storetype', format, '-keystore', file)
    const { key, certificates } = await open(file, { alias: 'Server' })
    expect(key.asymmetricKeyType).toBe(type)
    expect(certificates.map(({ subject }) => subject)).toEqual(['CN=localhost'])
    await expect(open(file, { alias: 'Servr' })).rejects.toThrow('did you mean server?')
    await expect(open(file, { password: 'wrong-password' })).rejects.toThrow('keystore.primary.password: is not')
  })

  it('gives a key in JKS a password of its own', async () => {
    const passwords = ['-keypass', keyPassword]
    await keytool('-genkeypair', '-alias', 'a', ...keys.rsa, '-storetype', 'JKS', '-keystore', 'own.jks', ...passwords)
    expect((await open('own.jks', { key_password: keyPassword })).key.type).toBe('private')
    await expect(open('own.jks')).rejects.toThrow('the password of the key store is not the password of the key "a')
  })

  it('makes PKCS #12 as old Java did, with RC2 and 3DES', async () => {
    const legacy = '-J-Dkeystore.pkcs12.legacy'
    await keytool(legacy, '-genkeypair', '-alias', 'a', ...keys.rsa, '-storetype', 'PKCS12', '-keystore', 'legacy.p12')
    expect((await open('legacy.p12')).key.asymmetricKeyType).toBe('rsa')
  })

  it('keeps a chain, and a symmetric key beside it, in PKCS #12', async () => {
    const store = ['-storetype', 'PKCS12', '-keystore', 'chain.p12']
    const ca = ['-storetype', 'PKCS12', '-keystore', 'ca.p12']
    await keytool('-genkeypair', '-alias', 'ca', ...keys.ec, ...ca, '-dname', 'CN=authority', '-ext', 'bc:c')
    await keytool('-genkeypair', '-alias', 'server', ...keys.ec, ...store)
    await keytool('-certreq', '-alias', 'server', ...store, '-file', 'server.csr')
    await keytool('-gencert', '-alias', 'ca', ...ca, '-infile', 'server.csr', '-outfile', 'server.crt')
    await keytool('-exportcert', '-alias', 'ca', ...ca, '-file', 'ca.crt')
    await keytool('-importcert', '-alias', 'ca', ...store, '-file', 'ca.crt')
    await keytool('-importcert', '-alias', 'server', ...store, '-file', 'server.crt')
    await make(
      folder,
      'keytool',
      ...['-genseckey', '-alias', 'symmetric.key.value', '-keyalg', 'AES', '-keysize', '256', '-storepass', password],
      ...store,
    )
    const { certificates } = await open('chain.p12', { alias: 'server' })
    expect(certificates.map(({ subject }) => subject)).toEqual(['CN=localhost', 'CN=authority'])
    expect((await open('chain.p12')).certificates).toHaveLength(2)
  })

  it('makes trust stores in both formats', async () => {
    await keytool('-genkeypair', '-alias', 'x', ...keys.ec, '-storetype', 'PKCS12', '-keystore', 'x.p12')
    await keytool('-exportcert', '-alias', 'x', '-keystore', 'x.p12', '-file', 'x.crt')
    for (const format of ['JKS', 'PKCS12']) {
      const file_name = `trust.${format}`
      for (const alias of ['one', 'two']) {
        await keytool('-importcert', '-alias', alias, '-file', 'x.crt', '-storetype', format, '-keystore', file_name)
      }
      const { trust } = parseConfig({ truststore: { file_name, password } }, { home: folder, env: {} }).keyStores
      expect(await loadTrustStore(trust), format).toHaveLength(2)
    }
  })
})

describe('openssl', () => {
  beforeAll(async () => {
    const subject = ['-subj', '/CN=localhost', '-days', '30']
    const rsa = ['-newkey', 'rsa:2048', '-keyout', 'rsa.key', '-out', 'rsa.crt']
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', 'ec.key', '-out', 'ec.crt']
    for (const key of [rsa, ec]) await make(folder, 'openssl', 'req', '-x509', '-noenc', ...key, ...subject)
  })

  const pkcs12 = (type: string, file: string, ...args: string[]): Promise<void> =>
    make(folder, 'openssl', 'pkcs12', '-export', '-in', `${type}.crt`, '-inkey', `${type}.key`, '-out', file, ...args)

  it.each(
    (['rsa', 'ec'] as const).flatMap((type) => [
      [type, 'new', password, []] as const,
      [type, 'old, with RC2', password, ['-legacy']] as const,
      [type, 'AES-128', password, ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC']] as const,
      [type, '3DES with a MAC of SHA-512', password, ['-keypbe', 'PBE-SHA1-3DES', '-macalg', 'sha512']] as const,
      [type, 'no encryption', password, ['-keypbe', 'NONE', '-certpbe', 'NONE']] as const,
      [type, 'new with a password beyond ASCII', beyondAscii, []] as const,
      [type, 'old with a password beyond ASCII', beyondAscii, ['-legacy']] as const,
    ]),
  )('makes PKCS #12 of an %s key: %s', async (type, kind, word, args) => {
    const file = `${type} ${kind}.p12`
    await pkcs12(type, file, '-name', 'mine', '-passout', `pass:${word}`, ...args)
    const { key, certificates } = await open(file, { alias: 'mine', password: word })
    expect(key.asymmetricKeyType).toBe(type)
    expect(certificates[0]?.publicKey.equals(createPublicKey(key))).toBe(true)
    await expect(open(file, { password: 'wrong-password' })).rejects.toThrow('is not the password of the key store')
  })

  it('makes PEM files with an encrypted key, as PKCS #8 and in its old form', async () => {
    const pass = `pass:${keyPassword}`
    await make(folder, 'openssl', 'pkcs8', '-topk8', '-in', 'rsa.key', '-out', 'pkcs8.key', '-passout', pass)
    await make(
      folder,
      'openssl',
      ...['rsa', '-traditional', '-aes128', '-in', 'rsa.key', '-out', 'old.key', '-passout', pass],
    )
    for (const key_file of ['pkcs8.key', 'old.key']) {
      const table = { key_file, key_password: keyPassword }
      expect((await open('rsa.crt', table)).key.asymmetricKeyType).toBe('rsa')
      await expect(open('rsa.crt', { ...table, key_password: 'wrong' })).rejects.toThrow('key_password')
    }
  })

  it('makes no store that a key of another fits in', async () => {
    writeFileSync(join(folder, 'deployment.toml'), '')
    await expect(open('rsa.crt', { key_file: 'ec.key' })).rejects.toThrow('does not belong to the private key')
  })
})
