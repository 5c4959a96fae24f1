import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import forge from 'node-forge'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { KeyStoreConfig } from '../../../lib/config/config.js'
import { loadConfig } from '../../../lib/config/load.js'
import { parseConfig } from '../../../lib/config/parse.js'
import { ConfigError } from '../../../lib/core/errors.js'
import { loadKeyStore, loadTrustStore } from '../../../lib/tls/key-stores/key-store.js'
import { folderWith, keyPair, pemOfKey } from '../../helpers/key-files.js'
import { secret, secretsIn } from '../../helpers/recorded-log.js'

const jks = readFileSync(new URL('../../corpora/keystores/wso2carbon.jks', import.meta.url))

function primary(home: string, table: Record<string, unknown>): KeyStoreConfig {
  return parseConfig({ keystore: { primary: table } }, { home, env: {} }).keyStores.primary
}

/** The only problem with which opening fails. */
async function problemOf(opening: Promise<unknown>): Promise<ConfigError['problems'][number]> {
  const error: unknown = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigError)
  const { problems, message } = error as ConfigError
  expect(problems).toHaveLength(1)
  expect(secretsIn(message)).toEqual([])
  return problems[0]!
}

const password = secret('the-store-password')

/** A PKCS #12 file of node-forge, which knows RSA keys only. */
function pkcs12(pair = keyPair({ type: 'rsa' }), options: Record<string, unknown> = {}, secretWord = password): Buffer {
  const key = forge.pki.privateKeyFromPem(pemOfKey(pair.key)) as forge.pki.rsa.PrivateKey
  const certificate = forge.pki.certificateFromPem(pair.certificate.toString())
  const store = forge.pkcs12.toPkcs12Asn1(key, [certificate], secretWord, { friendlyName: 'mine', ...options })
  return Buffer.from(forge.asn1.toDer(store).getBytes(), 'latin1')
}

describe('a JKS file', () => {
  const wso2 = { file_name: 'a.jks', password: 'wso2carbon', alias: 'wso2carbon', key_password: 'wso2carbon' }

  it.each(['wso2carbon', 'WSO2Carbon'])('gives its key by the alias %s', async (alias) => {
    const { key, certificates } = await loadKeyStore(primary(folderWith({ 'a.jks': jks }), { ...wso2, alias }))
    expect(key.asymmetricKeyType).toBe('rsa')
    expect(certificates.map(({ subject }) => subject)).toEqual(['C=US\nST=CA\nL=Mountain View\nO=WSO2\nCN=localhost'])
  })

  it('gives the other certificates to a trust store', async () => {
    const certificates = await loadTrustStore(primary(folderWith({ 'a.jks': jks }), wso2))
    expect(certificates).toHaveLength(36)
    expect(certificates.every((certificate) => certificate instanceof X509Certificate)).toBe(true)
  })

  it.each([
    [{ password: secret('wrong-password') }, 'keystore.primary.password', /is not the password/],
    [{ password: '' }, 'keystore.primary.password', /must not be empty/],
    [{ key_password: secret('wrong-password') }, 'keystore.primary.key_password', /not the password of the key/],
    [{ alias: 'wso2carbom' }, 'keystore.primary.alias', /which has wso2carbon/],
  ])('is refused with %j', async (change, key, rule) => {
    const problem = await problemOf(loadKeyStore(primary(folderWith({ 'a.jks': jks }), { ...wso2, ...change })))
    expect(problem).toMatchObject({ key, rule: expect.stringMatching(rule) })
    if ('alias' in change) expect(problem.suggestion).toBe('wso2carbon')
  })

  it('needs the package jks-js, and says how to install it', async () => {
    vi.doMock('jks-js', () => {
      throw new Error('not installed')
    })
    onTestFinished(() => void vi.doUnmock('jks-js'))
    await expect(loadKeyStore(primary(folderWith({ 'a.jks': jks }), wso2))).rejects.toMatchObject({
      code: 'ERR_CONFIG_MISSING_PACKAGE',
      message: expect.stringMatching(/^keystore\.primary: .*npm install jks-js$/),
    })
  })

  it.each([8, 12, 100, jks.length - 1])('is refused when it ends after %i bytes', async (length) => {
    const store = primary(folderWith({ 'a.jks': jks.subarray(0, length) }), wso2)
    await expect(loadKeyStore(store)).rejects.toThrow(ConfigError)
  })
})

describe('a PKCS #12 file', () => {
  it.each(['3des', 'aes128', 'aes256'])('with %s gives its key and certificate', async (algorithm) => {
    const pair = keyPair({ type: 'rsa' })
    const home = folderWith({ 'a.p12': pkcs12(pair, { algorithm }) })
    const { key, certificates } = await loadKeyStore(primary(home, { file_name: 'a.p12', password, alias: 'MINE' }))
    expect(pemOfKey(key)).toBe(pemOfKey(pair.key))
    expect(certificates.map(String)).toEqual([pair.certificate.toString()])
  })

  it('needs no alias when it has one key', async () => {
    const store = primary(folderWith({ 'a.p12': pkcs12() }), { file_name: 'a.p12', password })
    expect((await loadKeyStore(store)).key.asymmetricKeyType).toBe('rsa')
  })

  it('takes a password beyond ASCII', async () => {
    const word = secret('p\u00e4ssw\u00f6rd-\u20ac')
    const bytes = pkcs12(keyPair({ type: 'rsa' }), { algorithm: '3des' }, word)
    const store = primary(folderWith({ 'a.p12': bytes }), { file_name: 'a.p12', password: word })
    expect((await loadKeyStore(store)).key.asymmetricKeyType).toBe('rsa')
  })

  it.each([
    [{ password: secret('wrong-password') }, 'keystore.primary.password', /is not the password/],
    [{ alias: 'mime' }, 'keystore.primary.alias', /which has mine/],
  ])('is refused with %j', async (change, key, rule) => {
    const store = primary(folderWith({ 'a.p12': pkcs12() }), { file_name: 'a.p12', password, ...change })
    expect(await problemOf(loadKeyStore(store))).toMatchObject({ key, rule: expect.stringMatching(rule) })
  })

  it('is refused without a password, which is missing then, not wrong', async () => {
    const { key, rule } = await problemOf(
      loadKeyStore(primary(folderWith({ 'a.p12': pkcs12() }), { file_name: 'a.p12' })),
    )
    expect(key).toBe('keystore.primary.password')
    expect(rule).toBe(
      'is not given, and the one that products of WSO2 come with is not the password of the key store; ' +
        'write it here, or $env{NAME} to take it from the environment',
    )
  })

  it('is refused without a MAC: anybody may have changed it', async () => {
    const home = folderWith({ 'a.p12': pkcs12(keyPair({ type: 'rsa' }), { useMac: false }) })
    const problem = await problemOf(loadKeyStore(primary(home, { file_name: 'a.p12', password })))
    expect(problem.rule).toMatch(/without a MAC/)
  })

  it('is refused when any byte of it was changed', async () => {
    const bytes = pkcs12()
    for (let index = 0; index < bytes.length; index += 97) {
      const changed = Buffer.from(bytes)
      changed[index]! ^= 0x55
      const store = primary(folderWith({ 'a.p12': changed }), { file_name: 'a.p12', password })
      await expect(loadKeyStore(store), `byte ${index}`).rejects.toThrow(ConfigError)
    }
  })

  it('is refused when its key belongs to another certificate', async () => {
    const [one, other] = [keyPair({ type: 'rsa' }), keyPair({ type: 'rsa' })]
    const home = folderWith({ 'a.p12': pkcs12({ ...one, key: other.key }) })
    const problem = await problemOf(loadKeyStore(primary(home, { file_name: 'a.p12', password })))
    expect(problem.rule).toMatch(/does not belong/)
  })
})

describe('PEM files', () => {
  const pair = keyPair()
  const [certificate, key] = [pair.certificate.toString(), pemOfKey(pair.key)]

  it.each(['ec', 'rsa', 'ed25519'] as const)('give a key of type %s, from one file', async (type) => {
    const pair = keyPair({ type })
    const { key, certificates } = await loadKeyStore(primary(folderWith({ 'a.pem': pair.pem }), { file_name: 'a.pem' }))
    expect(pemOfKey(key)).toBe(pemOfKey(pair.key))
    expect(certificates).toHaveLength(1)
  })

  it('give the key of a second file, and the chain of the first', async () => {
    const authority = keyPair({ isAuthority: true, name: 'an authority' })
    const pair = keyPair({ issuer: authority })
    const home = folderWith({
      'server.crt': `a comment\n${pair.certificate}${authority.certificate}`,
      'server.key': pemOfKey(pair.key),
    })
    const { certificates } = await loadKeyStore(primary(home, { file_name: 'server.crt', key_file: 'server.key' }))
    expect(certificates.map(({ subject }) => subject)).toEqual(['CN=localhost', 'CN=an authority'])
  })

  it('may have an encrypted key', async () => {
    const pair = keyPair()
    const word = secret('the-key-password')
    const encrypted = pair.key.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: word })
    const home = folderWith({ 'a.pem': pair.certificate.toString() + encrypted })
    const table = { file_name: 'a.pem', key_password: word }
    expect((await loadKeyStore(primary(home, table))).key.asymmetricKeyType).toBe('ec')
    const wrong = { ...table, key_password: secret('another-password') }
    expect(await problemOf(loadKeyStore(primary(home, wrong)))).toMatchObject({
      key: 'keystore.primary.key_password',
      rule: 'is not the password of the private key',
    })
    for (const [given, tried] of [
      [{}, 'the one that products of WSO2 come with'],
      [{ password: secret('the-store-password') }, 'the password of the key store'],
    ] as const) {
      expect(await problemOf(loadKeyStore(primary(home, { file_name: 'a.pem', ...given })))).toMatchObject({
        key: 'keystore.primary.key_password',
        rule: expect.stringMatching(`^is not given, and ${tried} is not the password of the private key; write it`),
      })
    }
  })

  it.each(['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'])(
    'with eight megabytes of beginnings of a %s, and no end, are cut',
    async (label) => {
      const begin = `-----BEGIN ${label}-----\n`
      const text = `${certificate}${begin.repeat(2 ** 23 / begin.length)}-----END PUBLIC KEY-----\n`
      const problem = await problemOf(loadKeyStore(primary(folderWith({ 'a.pem': text }), { file_name: 'a.pem' })))
      expect(problem.rule).toBe(`names a PEM file that is cut: block 1 of ${label} has no end`)
    },
  )

  it('are refused wherever they are cut, and so is a trust store', async () => {
    const [first, second] = [pair.certificate.toString(), keyPair().certificate.toString()]
    const last = '-----END CERTIFICATE-----\n'.length
    for (const length of [12, 28, 200, second.length - last, second.length - 10]) {
      const cut = second.slice(0, length)
      for (const text of [key + first + cut, first + cut + (length > 27 ? `\n${key}` : ''), first + cut]) {
        const store = primary(folderWith({ 'a.pem': text, 'k.pem': key }), { file_name: 'a.pem', key_file: 'k.pem' })
        expect((await problemOf(loadKeyStore(store))).rule, text).toMatch(/is cut/)
        expect((await problemOf(loadTrustStore(store))).rule).toMatch(/is cut/)
      }
    }
    const between = first + second.slice(0, 200) + second
    expect(
      (await problemOf(loadTrustStore(primary(folderWith({ 'a.pem': between }), { file_name: 'a.pem' })))).rule,
    ).toMatch(/block 2 of CERTIFICATE has no end/)
  })

  it('have their key wherever it stands, and by whichever of its names', async () => {
    const rsa = keyPair({ type: 'rsa' })
    const old = rsa.key.export({ format: 'pem', type: 'pkcs1' })
    for (const text of [`${old}${rsa.certificate}`, `-----END RSA PRIVATE KEY-----\n${rsa.certificate}x\n${old}y`]) {
      const store = primary(folderWith({ 'a.pem': text }), { file_name: 'a.pem' })
      expect(pemOfKey((await loadKeyStore(store)).key)).toBe(pemOfKey(rsa.key))
    }
    const both = `${rsa.certificate}${old}${pemOfKey(rsa.key)}`
    const problem = await problemOf(loadKeyStore(primary(folderWith({ 'a.pem': both }), { file_name: 'a.pem' })))
    expect(problem.rule).toMatch(/one private key, not several/)
  })

  const brokenBlock = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
  it.each([
    ['no key', { 'a.pem': certificate }, /without a private key/],
    ['no certificate', { 'a.pem': key }, /without a certificate/],
    ['two keys', { 'a.pem': certificate + key + key }, /one private key, not several/],
    ['a key of another', { 'a.pem': certificate + pemOfKey(keyPair().key) }, /does not belong/],
    ['a broken certificate', { 'a.pem': brokenBlock + key }, /certificate that cannot be read/],
    ['a broken key', { 'a.pem': certificate + key.replace('MIG', 'MIX') }, /private key that cannot be read/],
    ['something else', { 'a.pem': 'no PEM at all' }, /neither JKS nor PKCS #12 nor PEM/],
    ['nothing', { 'a.pem': '' }, /neither JKS nor PKCS #12 nor PEM/],
    ['JCEKS', { 'a.pem': Buffer.from([0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2]) }, /JCEKS/],
    ['the start of a SEQUENCE', { 'a.pem': Buffer.concat([Buffer.from([0x30]), Buffer.alloc(99, 0x42)]) }, /damaged/],
    ['a certificate in DER', { 'a.pem': pair.certificate.raw }, /a certificate in DER; .*openssl x509 -inform DER/],
    [
      'a key in DER',
      { 'a.pem': pair.key.export({ format: 'der', type: 'pkcs8' }) },
      /a private key in DER; .*openssl pkey -inform DER/,
    ],
    ['too much', { 'a.pem': Buffer.alloc(16 * 1024 * 1024 + 1) }, /too large/],
  ])('with %s are refused', async (_, files, rule) => {
    const problem = await problemOf(loadKeyStore(primary(folderWith(files), { file_name: 'a.pem' })))
    expect(problem).toMatchObject({ key: 'keystore.primary.file_name', rule: expect.stringMatching(rule) })
  })

  it('are refused without the second file, or with one that has no key', async () => {
    const home = folderWith({ 'a.pem': certificate, 'b.pem': certificate })
    const missing = await problemOf(loadKeyStore(primary(home, { file_name: 'a.pem', key_file: 'c.pem' })))
    expect(missing).toMatchObject({ key: 'keystore.primary.key_file', rule: expect.stringMatching(/not there/) })
    const empty = await problemOf(loadKeyStore(primary(home, { file_name: 'a.pem', key_file: 'b.pem' })))
    expect(empty).toMatchObject({ key: 'keystore.primary.key_file', rule: expect.stringMatching(/with a private key/) })
  })

  it('are a trust store with every certificate, and none without', async () => {
    const home = folderWith({ 'a.pem': certificate + keyPair().certificate, 'b.pem': key })
    expect(await loadTrustStore(primary(home, { file_name: 'a.pem' }))).toHaveLength(2)
    expect((await problemOf(loadTrustStore(primary(home, { file_name: 'b.pem' })))).rule).toMatch(
      /without a certificate/,
    )
  })
})

describe('the file of a key store', () => {
  const places = ['home', 'product/repository/conf', 'product/repository', 'product']
  const names = [
    ...places.map((place) => `${place}/store.pem`),
    ...places.map((place) => `${place}/repository/resources/security/store.pem`),
  ]

  it('is looked for in the home, around the TOML file, and then in the folder of WSO2 below each', async () => {
    const root = folderWith()
    const toml = join(root, 'product/repository/conf/deployment.toml')
    mkdirSync(dirname(toml), { recursive: true })
    writeFileSync(toml, '[keystore.primary]\nfile_name = "store.pem"\n')
    const { keyStores } = await loadConfig(toml, { home: join(root, 'home') })
    await expect(loadKeyStore(keyStores.primary)).rejects.toThrow(
      'names a file that is not there: store.pem; looked in',
    )
    for (const name of names.toReversed()) {
      const pair = keyPair({ name: name.slice(0, 60) })
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), pair.pem)
      const { certificates } = await loadKeyStore(keyStores.primary)
      expect(certificates[0]?.fingerprint256, name).toBe(pair.certificate.fingerprint256)
    }
  })

  it('may be an absolute path, or start from the folder of a Carbon product', async () => {
    const home = folderWith({ 'a.pem': keyPair().pem })
    for (const file_name of [join(home, 'a.pem'), `${'$'}{carbon.home}/a.pem`]) {
      expect((await loadKeyStore(primary(home, { file_name }))).certificates).toHaveLength(1)
    }
  })

  it('is refused when it cannot be read', async () => {
    const home = folderWith()
    mkdirSync(join(home, 'a.pem'))
    const problem = await problemOf(loadKeyStore(primary(home, { file_name: 'a.pem' })))
    expect(problem.rule).toMatch(/cannot be read: .*EISDIR/)
  })
})
