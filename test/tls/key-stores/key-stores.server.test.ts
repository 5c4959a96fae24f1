/** Key stores as the tools of operators make them. */

import { createPublicKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import forge from 'node-forge'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { type KeyMaterial, loadKeyStore, loadTrustStore } from '../../../lib/tls/key-stores/key-store.js'
import { make } from '../tools.js'

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

  it.each([
    ['ed25519', ['-keyalg', 'Ed25519']],
    ['rsa-pss', ['-keyalg', 'RSASSA-PSS', '-keysize', '2048']],
  ])('makes an %s key, which is read from PKCS #12, and from JKS refused with the way out', async (type, args) => {
    for (const format of ['JKS', 'PKCS12']) {
      await keytool('-genkeypair', '-alias', 'a', ...args, '-storetype', format, '-keystore', `${type}.${format}`)
    }
    expect((await open(`${type}.PKCS12`)).key.asymmetricKeyType).toBe(type)
    const rule = `keystore.primary.file_name: holds a key "a" of the type ${type}, which can be read from PKCS #12 only`
    await expect(open(`${type}.JKS`)).rejects.toThrow(rule)
    await expect(open(`${type}.JKS`)).rejects.toThrow('keytool -importkeystore')
    await expect(open(`${type}.JKS`, { key_password: 'wrong' })).rejects.toThrow('key_password: is not the password')
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

  it('makes a store of several keys, of which an alias has to name one', async () => {
    for (const alias of ['one', 'two']) {
      await keytool('-genkeypair', '-alias', alias, ...keys.ec, '-storetype', 'PKCS12', '-keystore', 'several.p12')
    }
    const rule = 'keystore.primary.alias: must be the alias of a private key in the key store, which has one, two'
    await expect(open('several.p12')).rejects.toThrow(rule)
    const [one, two] = await Promise.all(['one', 'two'].map((alias) => open('several.p12', { alias })))
    expect(one!.key.equals(two!.key)).toBe(false)
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
      const subjects = (await loadTrustStore(trust)).map(({ subject }) => subject)
      expect(subjects, format).toEqual(['CN=localhost', 'CN=localhost'])
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

  it.each(['sha1', 'sha224', 'sha256', 'sha384', 'sha512'])('makes a MAC of %s, which is verified', async (digest) => {
    const file = `mac-${digest}.p12`
    await pkcs12('rsa', file, '-macalg', digest, '-passout', `pass:${password}`)
    expect((await open(file)).key.asymmetricKeyType).toBe('rsa')
    await expect(open(file, { password: 'wrong' })).rejects.toThrow('is not the password of the key store')
  })

  it('makes a MAC of SHA-3, which is refused by its name', async () => {
    const [file, digest] = ['sha3.p12', 'sha3-256']
    await pkcs12('rsa', file, '-macalg', digest, '-passout', `pass:${password}`)
    await expect(open(file)).rejects.toThrow(
      /file_name: names a PKCS #12 file with a MAC of a kind that is not supported \([\d.]+\)/,
    )
  })

  it.each([
    ['an empty password', '', '3des'],
    ['an empty password', '', 'aes256'],
    ['no password, as .NET writes it', null, '3des'],
    ['no password, as .NET writes it', null, 'aes256'],
  ] as const)('takes a store with %s (%j, %s) for the same, and so is it read', async (_what, meant, algorithm) => {
    const { pbe } = forge.pki as unknown as { readonly pbe: object }
    const derivations = [
      [forge.pkcs12, 'generateKey'],
      [pbe, 'generatePkcs12Key'],
    ] as unknown as readonly (readonly [Record<'derive', typeof forge.pkcs12.generateKey>, 'derive'])[]
    const spies = derivations.map(([owner, name]) => {
      const derive = owner[name]
      return vi.spyOn(owner, name).mockImplementation((_, ...rest) => derive(meant as unknown as string, ...rest))
    })
    const pem = (file: string): string => readFileSync(join(folder, file), 'latin1')
    const key = forge.pki.privateKeyFromPem(pem('rsa.key')) as forge.pki.rsa.PrivateKey
    const store = forge.pkcs12.toPkcs12Asn1(key, [forge.pki.certificateFromPem(pem('rsa.crt'))], '', { algorithm })
    for (const spy of spies) spy.mockRestore()
    writeFileSync(join(folder, 'blank.p12'), forge.asn1.toDer(store).getBytes(), 'latin1')
    await make(folder, 'openssl', 'pkcs12', '-in', 'blank.p12', '-passin', 'pass:', '-nodes', '-out', 'blank.pem')
    expect((await open('blank.p12', { password: '' })).key.asymmetricKeyType).toBe('rsa')
    await expect(open('blank.p12', { password: 'wrong' })).rejects.toThrow('password: is not the password')
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
