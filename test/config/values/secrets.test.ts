import { execFileSync } from 'node:child_process'
import { createCipheriv, createPublicKey, randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig, readConfig } from '../../../lib/config/load.js'
import type { ConfigOptions } from '../../../lib/config/parse.js'
import { parseConfig } from '../../../lib/config/parse.js'
import { encryptForKey } from '../../../lib/config/values/ciphertext.js'
import { ConfigError } from '../../../lib/core/errors.js'
import { basic, startFront } from '../../helpers/front.js'
import { keyPair } from '../../helpers/key-files.js'
import { secret } from '../../helpers/recorded-log.js'
import { oneSetUp } from '../../helpers/set-ups.js'
import { problemsOf, warningsOf } from '../problems-of.js'

let home: string
let encrypt: (text: string) => string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-secrets-'))
  const { certificate, pem } = keyPair({ type: 'rsa' })
  encrypt = (text) => encryptForKey(text, certificate.publicKey)!
  writeFileSync(join(home, 'store.pem'), pem)
  writeFileSync(join(home, 'other.pem'), keyPair({ type: 'rsa' }).pem)
  writeFileSync(join(home, 'ec.pem'), keyPair().pem)
  copyFileSync(new URL('../../corpora/keystores/wso2carbon.jks', import.meta.url), join(home, 'wso2carbon.jks'))
})

afterAll(() => {
  rmSync(home, { recursive: true })
})

const key = 'internal_apis.users[0].user.password'
const store = { keystore: { primary: { file_name: 'store.pem' } } }

function userWith(password: string, secrets: object | undefined, rest: object = {}): object {
  return { internal_apis: { users: [{ user: { name: 'alice', password } }] }, ...(secrets && { secrets }), ...rest }
}

function options(more: ConfigOptions = {}): ConfigOptions {
  return { env: {}, home, ...more }
}

async function passwordOf(source: object, more?: ConfigOptions): Promise<string | undefined> {
  return (await readConfig(source, options(more))).fileUsers.users[0]?.password
}

async function rulesOf(source: object, more?: ConfigOptions): Promise<Record<string, string>> {
  try {
    await readConfig(source, options(more))
    return {}
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return Object.fromEntries(error.problems.map(({ key, rule }) => [key, rule]))
  }
}

describe('a secret in a file of its own', () => {
  const from = (path: string) => userWith('$secret{db}', { db: `$file{${path}}` })

  it.each(['hunter22', 'hunter22\n', 'hunter22\r\n', 'hunter22 \t\n\n'])('is read without what ends it: %j', (text) => {
    writeFileSync(join(home, 'file'), text, { mode: 0o600 })
    expect(parseConfig(from('file'), options()).fileUsers.users[0]?.password).toBe('hunter22')
    expect(parseConfig(from(join(home, 'file')), { env: {} }).fileUsers.users[0]?.password).toBe('hunter22')
  })

  it('may have placeholders in its name, and keeps what stands in it', () => {
    writeFileSync(join(home, 'file'), ' $env{HOME}[x]', { mode: 0o600 })
    const source = userWith('$secret{db}', { db: '$file{$env{CREDENTIALS}/$sys{name}}' })
    const more = { env: { CREDENTIALS: home }, systemProperties: { name: 'file' } }
    expect(parseConfig(source, more).fileUsers.users[0]?.password).toBe(' $env{HOME}[x]')
  })

  it.skipIf(process.platform === 'win32')('is warned about when every user of the machine can read it', () => {
    writeFileSync(join(home, 'open'), 'hunter22')
    chmodSync(join(home, 'open'), 0o644)
    expect(warningsOf(from('open'), options())).toEqual({ 'secrets.db': expect.stringContaining('chmod 600') })
    chmodSync(join(home, 'open'), 0o640)
    expect(warningsOf(from('open'), options())).toEqual({})
  })

  it.skipIf(process.platform === 'win32')('stops the start when it is a pipe or a device, and reads none of it', () => {
    execFileSync('mkfifo', [join(home, 'pipe')])
    for (const path of ['pipe', '/dev/zero']) {
      expect(problemsOf(from(path), options())[key]).toContain('which is a folder or a device, not a file')
    }
  })

  it.each([
    ['missing', 'which is not there'],
    ['folder', 'which is a folder or a device, not a file'],
    ['empty', 'which is empty'],
    ['large', 'which has more than 65536 bytes'],
    ['binary', 'which is not UTF-8'],
  ])('stops the start when it is %s', (name, why) => {
    mkdirSync(join(home, 'folder'), { recursive: true })
    writeFileSync(join(home, 'empty'), ' \n')
    writeFileSync(join(home, 'large'), 'x'.repeat(65_537))
    writeFileSync(join(home, 'binary'), Buffer.from([0x68, 0xff]))
    const rule = problemsOf(from(name), options())[key]
    expect(rule).toMatch(/^needs the secret db, which names /)
    expect(rule).toContain(`${join(home, name)}, ${why}`)
    expect(rule).toMatch(/ \(see secrets\.db\)$/)
  })

  it('is a mistake outside of [secrets], where it would be the password itself', () => {
    expect(problemsOf(userWith('$file{/run/secrets/x}', {}))[key]).toMatch(
      /^has a \$file\{\}, which is read in \[secrets\]/,
    )
    expect(problemsOf(userWith('a$FILE{', {}))[key]).toMatch(/^has a \$file\{\}/)
    expect(problemsOf(userWith('$secret{db}', { db: 'x$file{a}' }))[key]).toContain('not the whole entry')
  })
})

describe('a secret in plain text', () => {
  it('is what stands in the brackets, and is warned about', () => {
    const source = userWith('$secret{pwd}', { pwd: '[hunter[2]2]', unused: '[x]' })
    expect(parseConfig(source, options()).fileUsers.users[0]?.password).toBe('hunter[2]2')
    expect(warningsOf(source, options())).toEqual({ 'secrets.pwd': expect.stringMatching(/^is plain text/) })
  })

  it('is not expanded again', () => {
    const source = userWith('$secret{pwd}', { pwd: '[$env{HOME}$secret{pwd}$ref{a.b}]' })
    expect(parseConfig(source, options()).fileUsers.users[0]?.password).toBe('$env{HOME}$secret{pwd}$ref{a.b}')
  })

  it('can stand in a longer text, and be reached by a reference', () => {
    const rest = { my: { pwd: '$secret{pwd}' } }
    expect(parseConfig(userWith('<$ref{my.pwd}>', { pwd: '[x]' }, rest), options()).fileUsers.users[0]?.password).toBe(
      '<x>',
    )
  })

  it('does not come from a variable, which holds ciphertext', () => {
    const rule = problemsOf(userWith('$secret{pwd}', { pwd: '$env{PWD}' }), { env: { PWD: '[hunter22]' } })[key]
    expect(rule).toMatch(/^needs the secret pwd, which is neither ciphertext/)
    expect(rule).not.toContain('hunter22')
  })
})

describe('an alias', () => {
  it.each([
    ['with dots, in quotes', '$secret{a.b}', { 'a.b': '[x]' }],
    ['with dots, without quotes', '$secret{a.b}', { a: { b: '[x]' } }],
    ['in quotes at its use', "$secret{'a.b'}", { 'a.b': '[x]' }],
    ['with blanks', '$secret{my secret}', { 'my secret': '[x]' }],
    ['of a name that JavaScript knows', '$secret{constructor}', { constructor: '[x]' }],
  ])('is found %s', (_, use, secrets) => {
    expect(parseConfig(userWith(use, secrets), options()).fileUsers.users[0]?.password).toBe('x')
  })

  it.each([
    ['nope', undefined, 'is not in [secrets]'],
    ['nope', { other: '[x]' }, 'is not in [secrets]'],
    ['pasword', { password: '[x]' }, 'is not in [secrets]; did you mean password?'],
    ['constructor', {}, 'is not in [secrets]'],
    ['__proto__', {}, 'is not in [secrets]'],
    ['a', { a: 1 }, 'is not a text in quotes'],
    ['a', { a: { b: 'x' } }, 'is not a text in quotes'],
    ['a', { a: '[]' }, 'is empty'],
    ['a', { a: '' }, 'is neither ciphertext in base64 nor [plain text] in brackets nor $file{path}'],
    ['a', { a: 'pass word' }, 'is neither ciphertext in base64 nor [plain text] in brackets nor $file{path}'],
    ['a', { a: '$env{NOPE}' }, 'needs the environment variable NOPE, which is not set'],
    ['a', { a: '$sys{nope}' }, 'needs the system property nope, which is missing or empty'],
    ['a', { a: '$ref{server.hostname}' }, 'has a $ref{}, which must not stand in [secrets]'],
    ['a', { a: '$secret{a}' }, 'has a $secret{}, which must not stand in [secrets]'],
    ['a', { a: '$env{' }, 'has a $env{ without a name and a closing brace after it'],
  ])('%s stops the start when it cannot be resolved: %j', (alias, secrets, why) => {
    expect(problemsOf(userWith(`$secret{${alias}}`, secrets))[key]).toMatch(`needs the secret ${alias}, which ${why}`)
  })

  it('that nothing uses is not looked at', () => {
    expect(problemsOf(userWith('p', { a: 'x', b: 1, c: '$file{nope}', d: '$env{NOPE}' }))).toEqual({})
  })
})

// Covers: A16
describe('an encrypted secret', () => {
  it('is decrypted with the key of the primary key store', async () => {
    const source = userWith('<$secret{pwd}>', { pwd: encrypt('hunter22') }, store)
    expect(await passwordOf(source)).toBe('<hunter22>')
  })

  it('is decrypted with the key of the internal one where there is one', async () => {
    const keystore = { primary: { file_name: 'other.pem' }, internal: { file_name: 'store.pem' } }
    expect(await passwordOf(userWith('$secret{pwd}', { pwd: encrypt('hunter22') }, { keystore }))).toBe('hunter22')
  })

  it('may come from a variable or a property, as in WSO2', async () => {
    const source = userWith('$secret{a}$secret{b}', { a: '$env{A}', b: '$sys{b}' }, store)
    const more = { env: { A: encrypt('one') }, systemProperties: { b: encrypt('two') } }
    expect(await passwordOf(source, more)).toBe('onetwo')
  })

  it('is not expanded again', async () => {
    expect(await passwordOf(userWith('$secret{p}', { p: encrypt('$env{HOME}') }, store))).toBe('$env{HOME}')
  })

  it('needs createSecurity or loadConfig', () => {
    const rule = problemsOf(userWith('$secret{p}', { p: encrypt('x') }, store), options())[key]
    expect(rule).toMatch(/^needs the secret p, which is encrypted, and parseConfig opens no key store/)
  })

  it('is never taken for the secret itself when it cannot be decrypted', async () => {
    const ciphertext = encrypt('hunter22')
    const other = { keystore: { primary: { file_name: 'other.pem' } } }
    expect(await rulesOf(userWith('$secret{p}', { p: ciphertext }, other))).toEqual({
      [key]:
        'needs the secret p, which cannot be decrypted with keystore.primary: it was encrypted with another key, or not ' +
        'with RSA-OAEP and SHA-1 (see secrets.p)',
    })
    expect((await rulesOf(userWith('$secret{p}', { p: 'hunter22' }, store)))[key]).toMatch(
      /is neither ciphertext in base64/,
    )
    const changed = randomBytes(256).toString('base64')
    expect((await rulesOf(userWith('$secret{p}', { p: changed }, store)))[key]).toMatch(/cannot be decrypted/)
    expect((await rulesOf(userWith('$secret{p}', { p: encrypt('') }, store)))[key]).toMatch(/is encrypted, and empty/)
  })

  it('says why its key store cannot be opened', async () => {
    const source = (primary: object) => userWith('$secret{p}', { p: encrypt('x') }, { keystore: { primary } })
    expect((await rulesOf(source({ file_name: 'nope.pem' })))[key]).toMatch(
      /^needs the secret p, which is encrypted with a key that cannot be read: keystore\.primary\.file_name names a file that is not there/,
    )
    expect((await rulesOf(source({ file_name: 'ec.pem' })))[key]).toMatch(/has no RSA key to decrypt it with, but ec/)
  })

  it('is reported together with every other mistake', async () => {
    const rest = { ...store, management_api: { cors: { enable: 'x' } } }
    const keys = Object.keys(await rulesOf(userWith('$secret{p}', { p: 'hunter22' }, rest)))
    expect(keys.toSorted()).toEqual([key, 'management_api.cors.enable'])
  })

  it('opens no key store as long as nothing uses it', async () => {
    const keystore = { primary: { file_name: 'nope.pem' } }
    expect(await passwordOf(userWith('plain', { p: encrypt('x') }, { keystore }))).toBe('plain')
  })
})

describe('the password of a key store', () => {
  const source = (password: string, secrets: object, keystore: object = {}) =>
    userWith(
      '$secret{p}',
      { p: encrypt('hunter22'), ...secrets },
      {
        keystore: { primary: { file_name: 'wso2carbon.jks', password, alias: 'wso2carbon' }, ...keystore },
      },
    )

  it('may be a secret that needs no key', async () => {
    writeFileSync(join(home, 'store-password'), 'wso2carbon\n', { mode: 0o600 })
    // The right password opens the store; the secret was encrypted with another key.
    for (const secrets of [{ s: '[wso2carbon]' }, { s: '$file{store-password}' }]) {
      expect((await rulesOf(source('$secret{s}', secrets)))[key]).toMatch(/cannot be decrypted with keystore.primary/)
    }
  })

  it('is not encrypted with the key of that very store', async () => {
    const rule = (await rulesOf(source('$secret{s}', { s: encrypt('wso2carbon') })))[key]
    expect(rule).toMatch(
      /cannot be read: keystore\.primary\.password needs the secret s, which is encrypted with the key of that very key store/,
    )
  })

  it('may be encrypted with the key of another', async () => {
    const rest = {
      keystore: {
        internal: { file_name: 'store.pem' },
        tls: { file_name: 'wso2carbon.jks', password: '$secret{s}' },
      },
    }
    const config = await readConfig(userWith('p', { s: encrypt('wso2carbon') }, rest), options())
    expect(config.keyStores.tls).toMatchObject({ password: 'wso2carbon', problems: [] })
  })

  it('stops only what opens the store', async () => {
    const rest = { keystore: { primary: { file_name: 'nope.jks', password: '$secret{s}' } } }
    const config = await readConfig(userWith('p', { s: encrypt('wso2carbon') }, rest), options())
    expect(config.keyStores.primary.problems).toEqual([
      { key: 'keystore.primary.password', rule: expect.stringMatching(/^needs the secret s/) },
    ])
  })
})

describe('a secret under a symmetric key', () => {
  const secretKey = randomBytes(32)
  const seal = (text: string): string => {
    const iv = randomBytes(128)
    const cipher = createCipheriv('aes-256-gcm', secretKey, iv)
    const bytes = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
    const envelope = { cipherText: bytes.toString('base64'), iv: iv.toString('base64') }
    return Buffer.from(JSON.stringify(envelope)).toString('base64')
  }
  const source = (encryption: object | undefined, secrets: object = {}) =>
    userWith('$secret{p}', { p: seal('hunter22'), ...secrets }, encryption === undefined ? {} : { encryption })

  it('is decrypted with [encryption] key, and opens no key store', async () => {
    const hexadecimal = secretKey.toString('hex')
    expect(await passwordOf(source({ key: hexadecimal }))).toBe('hunter22')
    expect(await passwordOf(source({ key: '$env{KEY}' }), { env: { KEY: hexadecimal } })).toBe('hunter22')
    expect(await passwordOf(source({ key: '$secret{aes}' }, { aes: `[${hexadecimal}]` }))).toBe('hunter22')
  })

  it.each([
    [undefined, {}, 'is encrypted with a symmetric key, and [encryption] key is not there'],
    [{ key: 'short' }, {}, 'and encryption.key is not 32 bytes'],
    [{ key: 5 }, {}, 'and encryption.key is not a text in quotes'],
    [{ key: '$env{NOPE}' }, {}, 'and encryption.key needs the environment variable NOPE'],
    [{ key: '0'.repeat(64) }, {}, 'cannot be decrypted with encryption.key'],
    [{ key: '$secret{q}' }, { q: '[0]' }, 'and encryption.key is not 32 bytes'],
  ])('stops the start with %j', async (encryption, secrets, why) => {
    expect((await rulesOf(source(encryption, secrets)))[key]).toContain(why)
  })
})

// Covers: A11
describe('the key that WSO2 publishes', () => {
  const source = async () => {
    const { loadKeyStore } = await import('../../../lib/tls/key-stores/key-store.js')
    const keystore = { primary: { file_name: 'wso2carbon.jks' } }
    const { keyStores } = await readConfig({ keystore }, options())
    const { key: published } = await loadKeyStore(keyStores.primary)
    const p = encryptForKey('hunter22', createPublicKey(published))!
    return userWith('$secret{p}', { p }, { keystore })
  }

  it('decrypts, with a loud warning', async () => {
    const config = await readConfig(await source(), options())
    expect(config.fileUsers.users[0]?.password).toBe('hunter22')
    expect(config.warnings).toEqual([
      { key: 'keystore.primary', rule: expect.stringContaining('ANYBODY CAN READ THE SECRETS OF THIS FILE') },
    ])
  })

  it('is refused in production', async () => {
    const rule = (await rulesOf(await source(), { env: { NODE_ENV: 'production' } }))[key]
    expect(rule).toMatch(/^needs the secret p, which is encrypted with a key that WSO2 publishes/)
  })
})

describe('a file', () => {
  it('shows where a secret is used and where it stands, and no secret', async () => {
    const file = join(home, 'deployment.toml')
    const ciphertext = encrypt('hunter22')
    writeFileSync(
      file,
      [
        '[secrets]',
        `'a.b' = "${ciphertext}"`,
        'c = "swordfish "',
        '[keystore.primary]',
        'file_name = "other.pem"',
        '[[internal_apis.users]]',
        'user.name = "alice"',
        'user.password = "$secret{a.b}$secret{c}"',
        '[[internal_apis.users]]',
        'user.name = "bob"',
        'user.password = "$secret{c}"',
      ].join('\n'),
    )
    const error = await loadConfig(file).catch((reason: unknown) => reason as ConfigError)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).message.split('\n')).toEqual([
      expect.stringMatching(
        `^${file}:8:1 internal_apis.users.0..user.password: .* .see secrets.'a.b' at ${file}:2:1.$`,
      ),
      expect.stringMatching(`^${file}:11:1 internal_apis.users.1..user.password: .* .see secrets.c at ${file}:3:1.$`),
    ])
    expect((error as ConfigError).message).not.toMatch(/swordfish|hunter22/)
    expect((error as ConfigError).message).not.toContain(ciphertext.slice(0, 20))
  })
})

describe('reload', () => {
  it('reads secrets anew, keeps everything when one is missing, and logs none', async () => {
    const file = join(home, 'reloaded')
    const source = userWith('$secret{pwd}', { pwd: `$file{${file}}` })
    writeFileSync(file, secret('first-password'), { mode: 0o600 })
    const front = await startFront(oneSetUp, { source })
    const statusOf = async (password: string) =>
      (await front.call('GET', '/login', [basic('alice', secret(password))])).status

    expect(await statusOf('first-password')).toBe(200)
    writeFileSync(file, secret('second-password'))
    await front.security.reload(source)
    expect([await statusOf('first-password'), await statusOf('second-password')]).toEqual([401, 200])
    rmSync(file)
    await expect(front.security.reload(source)).rejects.toThrow(/needs the secret pwd, which names the file/)
    expect(await statusOf('second-password')).toBe(200)
  })
})
