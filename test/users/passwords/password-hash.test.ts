import { hash as argon2 } from '@node-rs/argon2'
import { hashSync as bcrypt } from 'bcryptjs'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  checkPasswordHash,
  hashPassword,
  isPasswordHash,
  needsRehash,
  verifyPassword,
} from '../../../lib/users/passwords/password-hash.js'

/** The smallest argon2id there is, so that tests are quick. */
const quick = { memoryCost: 8, timeCost: 1, parallelism: 1 } as const

const argonSalt = 'NLf2nKSIuze1ieKhDu/Qpg'
const argonDigest = 'N2e/O5lf1ASBTms7JB9k2lNi2E9YuCvKTZpG5n5//UU'
const argon = (parameters: string): string => `$argon2id$v=19$${parameters}$${argonSalt}$${argonDigest}`
const scrypt = (parameters: string): string => `$scrypt$${parameters}$${argonSalt}$${argonDigest}`
const bcryptOf = (prefix: string): string => `${prefix}CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW`

function unpadded(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64').replaceAll('=', '')
}

/** RFC 7914 section 12, third vector: N = 16384, r = 8, p = 1, salt `SodiumChloride`. */
const rfc7914 = `$scrypt$ln=14,r=8,p=1$${unpadded('536f6469756d43686c6f72696465')}$${unpadded(
  '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
)}`

describe('a new hash', () => {
  // Covers: A01
  it('is argon2id with 19 MiB, two passes and one lane', async () => {
    expect(await hashPassword('correct horse')).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  })

  it('has a salt of its own', async () => {
    expect(await hashPassword('correct horse')).not.toBe(await hashPassword('correct horse'))
  })

  it('is verified with the password it was made of, and with no other', async () => {
    const hash = await hashPassword('correct horse')
    expect(await verifyPassword('correct horse', hash)).toBe(true)
    expect(await verifyPassword('correct horsE', hash)).toBe(false)
    expect(needsRehash(hash)).toBe(false)
  })

  it('is not made of more than 1024 bytes', async () => {
    await expect(hashPassword('a'.repeat(1025))).rejects.toThrow(RangeError)
    await expect(hashPassword('\u{1f511}'.repeat(257))).rejects.toThrow(RangeError)
  })
})

// Covers: A03 A04 A05
describe('verifying', () => {
  it.each([
    ['RFC 7914 scrypt', rfc7914, 'pleaseletmein'],
    ['bcrypt $2a$', bcryptOf('$2a$05$'), 'U*U'],
    ['bcrypt $2b$', bcryptOf('$2b$05$'), 'U*U'],
    ['bcrypt $2y$', bcryptOf('$2y$05$'), 'U*U'],
  ])('accepts a %s hash', async (_kind, hash, password) => {
    expect(checkPasswordHash(hash)).toBeUndefined()
    expect(await verifyPassword(password, hash)).toBe(true)
    expect(await verifyPassword(`${password}x`, hash)).toBe(false)
  })

  const kinds: readonly (readonly [string, (password: string) => string | Promise<string>])[] = [
    ['argon2id', (password) => argon2(password, quick)],
    ['bcrypt', (password) => bcrypt(password, 4)],
  ]

  it.each(kinds)('takes both Unicode forms of a password for one: %s', async (_kind, hashOf) => {
    const hash = await hashOf('p\u00e4ss')
    expect(await verifyPassword('pa\u0308ss', hash)).toBe(true)
    expect(await verifyPassword('pass', hash)).toBe(false)
  })

  it.each(kinds)('neither trims, folds nor cuts a password at NUL: %s', async (_kind, hashOf) => {
    const hash = await hashOf('pa55')
    for (const wrong of ['pa55 ', ' pa55', 'PA55', 'pa55\0', 'pa55\0x', 'pa5', '']) {
      expect(await verifyPassword(wrong, hash)).toBe(false)
    }
  })

  it('refuses with bcrypt what has more than 72 bytes, though the first 72 are right', async () => {
    const hash = bcrypt('A'.repeat(72), 4)
    expect(await verifyPassword('A'.repeat(72), hash)).toBe(true)
    expect(await verifyPassword(`${'A'.repeat(72)}B`, hash)).toBe(false)
  })

  it('counts bytes, not letters, for bcrypt', async () => {
    const keys = '\u{1f511}'.repeat(18)
    expect(await verifyPassword(keys, bcrypt(keys, 4))).toBe(true)
    expect(await verifyPassword(`${keys}x`, bcrypt(`${keys}x`, 4))).toBe(false)
  })

  it.each(['A'.repeat(73), 'a\0b'])(
    'does not take what bcrypt cannot read for an empty password: %.5s',
    async (password) => {
      expect(await verifyPassword(password, bcrypt('', 4))).toBe(false)
    },
  )

  it('refuses a password with NUL for bcrypt even if it was hashed so', async () => {
    expect(await verifyPassword('a\0b', bcrypt('a\0b', 4))).toBe(false)
  })

  it('takes 1024 bytes and no more', async () => {
    const longest = 'x'.repeat(1024)
    expect(await verifyPassword(longest, await argon2(longest, quick))).toBe(true)
    expect(await verifyPassword(`${longest}x`, await argon2(`${longest}x`, quick))).toBe(false)
  })

  it('rejects with StoreError for a hash that cannot be used, without repeating it', async () => {
    const error = await verifyPassword('x', argon('m=99999999,t=1,p=1')).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'StoreError', code: 'ERR_STORE_UNAVAILABLE' })
    expect(String(error)).not.toContain(argonDigest)
  })

  it('holds for any password of allowed length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 60 }), async (password) => {
        const hash = await argon2(password.normalize('NFC'), quick)
        return (await verifyPassword(password, hash)) && (await verifyPassword(password.normalize('NFD'), hash))
      }),
      { numRuns: 50 },
    )
  })
})

describe('a hash at start-up', () => {
  it.each([
    argon('m=8,t=1,p=1'),
    argon('m=19456,t=2,p=1'),
    argon('m=1048576,t=4,p=16'),
    argon('m=65536,t=64,p=4'),
    scrypt('ln=1,r=1,p=1'),
    scrypt('ln=17,r=8,p=1'),
    scrypt('ln=20,r=8,p=1'),
    bcryptOf('$2b$04$'),
    bcryptOf('$2b$14$'),
  ])('is taken: %s', (hash) => {
    expect(isPasswordHash(hash)).toBe(true)
    expect(checkPasswordHash(hash)).toBeUndefined()
  })

  it.each([
    ['10 GiB of memory', argon('m=10485760,t=1,p=1'), 'must have m'],
    ['one KiB over the most', argon('m=1048577,t=1,p=1'), 'must have m'],
    ['less memory than its lanes need', argon('m=15,t=1,p=2'), 'must have m'],
    ['no pass', argon('m=64,t=0,p=1'), 'must have t'],
    ['too many passes', argon('m=64,t=65,p=1'), 'must have t'],
    ['no lane', argon('m=64,t=1,p=0'), 'must have p'],
    ['too many lanes', argon('m=1024,t=1,p=17'), 'must have p'],
    ['too much work in all', argon('m=1048576,t=5,p=1'), 'm times t'],
    ['a digest that was cut off', argon('m=8,t=1,p=1').slice(0, -1), 'whole argon2id'],
    ['a salt that was cut off', argon('m=8,t=1,p=1').replace('Qpg$', 'Qp$'), 'whole argon2id'],
    ['another version', argon('m=8,t=1,p=1').replace('v=19', 'v=16'), 'whole argon2id'],
    ['text after it', `${argon('m=8,t=1,p=1')}$x`, 'whole argon2id'],
    ['scrypt with 16 GiB', scrypt('ln=24,r=8,p=1'), 'must have ln'],
    ['scrypt without cost', scrypt('ln=0,r=8,p=1'), 'must have ln'],
    ['scrypt without blocks', scrypt('ln=4,r=0,p=1'), 'must have r'],
    ['scrypt with large blocks', scrypt('ln=4,r=33,p=1'), 'must have r'],
    ['scrypt without lanes', scrypt('ln=4,r=8,p=0'), 'must have p'],
    ['scrypt with many lanes', scrypt('ln=4,r=8,p=17'), 'must have p'],
    ['scrypt with too much work in all', scrypt('ln=20,r=8,p=2'), '2^ln times r times p'],
    ['scrypt cut off', scrypt('ln=4,r=8,p=1').slice(0, -1), 'whole scrypt'],
    ['bcrypt with cost 31', bcryptOf('$2b$31$'), 'bcrypt cost'],
    ['bcrypt with cost 3', bcryptOf('$2b$03$'), 'bcrypt cost'],
    ['bcrypt cut off', bcryptOf('$2b$10$').slice(0, -1), 'whole bcrypt'],
    ['broken bcrypt of PHP', bcryptOf('$2x$10$'), 'not known'],
    ['argon2i', argon('m=8,t=1,p=1').replace('argon2id', 'argon2i'), 'not known'],
    ['SHA-512 crypt', '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO', 'not known'],
    ['PBKDF2', '$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF', 'not known'],
    ['a hash of a directory', '{SSHA}4RrH8aUFQDzNoHgjvK3cKgRCw7cFbmRI', 'not known'],
  ])('is refused with %s', (_what, hash, problem) => {
    expect(isPasswordHash(hash)).toBe(true)
    expect(checkPasswordHash(hash)).toContain(problem)
    expect(checkPasswordHash(hash)).not.toContain(hash)
  })

  const kinds = { argon2id: argon('m=19456,t=2,p=1'), bcrypt: bcryptOf('$2b$10$'), scrypt: scrypt('ln=14,r=8,p=1') }

  /** Ways in which a hash gets into a configuration with something around it, or with something of it lost. */
  const wrappings: readonly (readonly [string, (hash: string) => string])[] = [
    ['a blank before it', (hash) => ` ${hash}`],
    ['a blank after it', (hash) => `${hash} `],
    ['a line break after it', (hash) => `${hash}\r\n`],
    ['a line break in it', (hash) => `${hash.slice(0, 40)}\n${hash.slice(40)}`],
    ['a line break and blanks in its first part', (hash) => `${hash.slice(0, 5)}\n  ${hash.slice(5)}`],
    ['a byte order mark before it', (hash) => `\ufeff${hash}`],
    ['a blank of no width in it', (hash) => `${hash.slice(0, 3)}\u200b${hash.slice(3)}`],
    ['quotes around it', (hash) => `"${hash}"`],
    ['typographic quotes around it', (hash) => `\u201c${hash}\u201d`],
    ['a quote before it', (hash) => `'${hash}`],
    ['the name of a user before it', (hash) => `alice:${hash}`],
    ['the name of a user and a blank before it', (hash) => `alice: ${hash}`],
    ['the rest of a line of /etc/shadow', (hash) => `alice:${hash}:19000:0:99999:7:::`],
    ['{bcrypt} before it', (hash) => `{bcrypt}${hash}`],
    ['{CRYPT} before it', (hash) => `{CRYPT}${hash}`],
    ['a word before it', (hash) => `bcrypt$${hash}`],
    ['an assignment before it', (hash) => `password = ${hash}`],
    ['the escapes of a shell', (hash) => hash.replaceAll('$', '\\$')],
    ['the escapes of a Compose file', (hash) => hash.replaceAll('$', '$$$$')],
    ['the escapes of a URL', (hash) => hash.replaceAll('$', '%24')],
    ['its first dollar sign lost', (hash) => hash.slice(1)],
    ['its end lost, behind a blank', (hash) => ` ${hash.slice(0, 35)}`],
  ]
  const wrapped = Object.entries(kinds).flatMap(([kind, hash]) =>
    wrappings.map(([what, wrap]) => [kind, what, wrap(hash), hash] as const),
  )

  // Covers: A05
  it.each(wrapped)('that is %s with %s is no plain password', (_kind, _what, text, hash) => {
    expect(isPasswordHash(text)).toBe(true)
    expect(checkPasswordHash(text)).toBeTypeOf('string')
    expect(checkPasswordHash(text)).not.toContain(hash.slice(-10))
  })

  it.each([
    ['argon2 after a shell has read it', '=19=19456,t=2,p=1'],
    ['argon2i', ' $argon2i$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$0WgHL735SIMXs3OCCvWnJg'],
    ['LDAP SHA', '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='],
    ['LDAP SHA of htpasswd', 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='],
    ['LDAP SSHA-512 of Dovecot', ' {SSHA512.b64}4RrH8aUFQDzNoHgjvK3cKgRCw7cFbmRI'],
    ['LDAP PBKDF2', '{PBKDF2-SHA256}29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF'],
    ['DES crypt of a directory', '{crypt}rl0uE0uU8Q8bI'],
    ['a SHA-256 of Spring', '{sha256}97cde38028ad898ebc02e690819fa220e88c62e0699403e94fff291cfffaf8410849f27605abcbc0'],
    ['MD5 crypt of Apache', 'alice:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/'],
    ['MD5 crypt', ' $1$saltsalt$qjXMvbEw8oaL.CzflDtaK/'],
    ['SHA-256 crypt', '"$5$rounds=5000$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO"'],
    ['SHA-512 crypt', 'alice:$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO:19000:0:99999:7:::'],
    ['yescrypt', ' $y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7'],
    ['phpass', '$P$B7889EMq/erHIuZapMB8GEizebcIy9.'],
    ['PBKDF2 of Django', 'pbkdf2_sha256$260000$saltsalt$YcH4S1mS7Qm5p5H0nbkjDPG5qvYHSmSkZ4AAAAAAAAA='],
    ['scrypt of Werkzeug', 'scrypt:32768:8:1$saltsalt$6cf2b8d37b9e1dd6cf2b8d37b9e1dd'],
    ['SCRAM of PostgreSQL', 'SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVk:c2VydmVy'],
    ['MySQL', '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19'],
  ])('of %s is no plain password', (_kind, text) => {
    expect(isPasswordHash(text)).toBe(true)
    expect(checkPasswordHash(text)).toContain('sallyport hash-password')
  })

  it('says that a hash which could be used does not stand alone', () => {
    for (const text of [` ${kinds.bcrypt}`, `alice:${kinds.argon2id}`, kinds.scrypt.replaceAll('$', '$$$$')])
      expect(checkPasswordHash(text)).toContain('write only what begins with the first $')
  })

  it.each([
    'correct horse battery staple',
    // What `openssl rand` prints: as good as any password, and no hash for sure.
    '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'd41d8cd98f00b204e9800998ecf8427e',
    'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=',
    'my $1$ and $5$ and $6$ are gone',
    'costs $2 or $10$',
    'alice:$ecret',
    '{curly} braces, {shady} ones',
    'md5 is broken since 2004',
    'I like bcrypt & argon2id!',
    'm=1,t=2',
    'it\'s a "quote"',
    ' blanks at both ends ',
  ])('is not what a passphrase or a random text is taken for: %s', (password) =>
    expect(isPasswordHash(password)).toBe(false),
  )

  it.each(['admin', '', '$', '$ecret', '$2.50', '$1', '$env{ADMIN}', '$secret{alias}', '{json}', 'x$argon2id$', '$6'])(
    'is not what a plain password like %j is taken for',
    (password) => expect(isPasswordHash(password)).toBe(false),
  )

  it('never breaks the check, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('$argon2id$', '$scrypt$', '$2b$', ''), (text, prefix) => {
        isPasswordHash(prefix + text)
        return typeof checkPasswordHash(prefix + text) === 'string'
      }),
    )
  })
})

// Covers: A02
describe('needsRehash', () => {
  it.each([
    ['the present parameters', argon('m=19456,t=2,p=1'), false],
    ['stronger ones', argon('m=65536,t=3,p=4'), false],
    ['less memory', argon('m=19455,t=2,p=1'), true],
    ['fewer passes', argon('m=19456,t=1,p=1'), true],
    ['scrypt', scrypt('ln=17,r=8,p=1'), true],
    ['bcrypt', bcryptOf('$2b$12$'), true],
  ])('with %s', (_what, hash, expected) => expect(needsRehash(hash)).toBe(expected))
})

describe('without the package bcryptjs', () => {
  /** Finds the package `from` there. */
  async function withoutPackage(from: string | undefined) {
    vi.resetModules()
    vi.doMock('node:module', async (importOriginal) => {
      const { createRequire } = await importOriginal<typeof import('node:module')>()
      return { createRequire: () => createRequire(from as string) }
    })
    return import('../../../lib/users/passwords/password-hash.js')
  }

  afterEach(() => {
    vi.doUnmock('node:module')
    vi.resetModules()
  })

  // In a bundle the package may be gone though every import of it was resolved; in one of CommonJS there is no import.meta.url.
  it.each([['/nowhere/bundle.mjs'], [undefined]])(
    'the start fails and names the line that installs it: %s',
    async (from) => {
      const { loadPasswordSchemes } = await withoutPackage(from)
      await expect(loadPasswordSchemes([bcryptOf('$2b$05$')], 'a.key')).rejects.toMatchObject({
        name: 'ConfigError',
        code: 'ERR_CONFIG_MISSING_PACKAGE',
        problems: [{ key: 'a.key', rule: expect.stringContaining('npm install bcryptjs') }],
      })
    },
  )

  it('a login fails as one does whose store fails', async () => {
    const { verifyPassword } = await withoutPackage('/nowhere/bundle.mjs')
    await expect(verifyPassword('pa55', bcryptOf('$2b$05$'))).rejects.toMatchObject({
      name: 'StoreError',
      message: expect.stringContaining('bcryptjs'),
    })
  })

  it('takes other hashes', async () => {
    const { loadPasswordSchemes } = await withoutPackage('/nowhere/bundle.mjs')
    await expect(loadPasswordSchemes([argon('m=8,t=1,p=1'), scrypt('ln=4,r=8,p=1')], 'k')).resolves.toBeUndefined()
  })
})
