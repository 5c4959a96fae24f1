import { hash as argon2 } from '@node-rs/argon2'
import { hashSync as bcrypt } from 'bcryptjs'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { FileUserConfig } from '../../../lib/config/config.js'
import { fileUserStore } from '../../../lib/users/file/file-user-store.js'
import { createHashQueue, type HashQueue } from '../../../lib/users/passwords/password-hash.js'
import { argon2id, bcrypt as bcryptScheme } from '../../../lib/users/passwords/password-schemes.js'
import { deferred } from '../deferred.js'

const user = (name: string, password: string, more: Partial<FileUserConfig> = {}): FileUserConfig => ({
  name,
  password,
  isAdmin: false,
  roles: [],
  ...more,
})

let aliceHash = ''
beforeAll(async () => {
  aliceHash = await argon2('wonderland', { memoryCost: 8, timeCost: 1, parallelism: 1 })
})

/** Counts hashes. */
function countingQueue(): HashQueue & { count: number } {
  const queue = createHashQueue()
  return {
    count: 0,
    run(work, signal) {
      this.count++
      return queue.run(work, signal)
    },
  }
}

describe('the file user store', () => {
  it('knows a user by a hashed password', async () => {
    const store = await fileUserStore({ users: [user('alice', aliceHash, { roles: ['audit'] })] })
    expect(await store.authenticate('alice', 'wonderland')).toEqual({
      account: { subject: 'alice', roles: ['audit'], isAdmin: false, version: expect.any(String) },
    })
    expect(await store.authenticate('alice', 'wonderlanD')).toMatchObject({ failure: 'wrong-password' })
    expect(await store.authenticate('bob', 'wonderland')).toEqual({ failure: 'unknown-user' })
    expect(store.plainTextUsers).toEqual([])
  })

  it.each(['pa55', 'a:b:c', '$ecret', 'p\u00e4ss', 'A'.repeat(1024)])(
    'knows a user by the plain password %.20s',
    async (password) => {
      const store = await fileUserStore({ users: [user('bob', password)] })
      expect((await store.authenticate('bob', password)).account?.subject).toBe('bob')
      expect((await store.authenticate('bob', password.normalize('NFD'))).account?.subject).toBe('bob')
      for (const wrong of [
        `${password} `,
        ` ${password}`,
        `${password}\0`,
        password.slice(1),
        password.toUpperCase() === password ? 'x' : password.toUpperCase(),
      ]) {
        expect(await store.authenticate('bob', wrong)).toMatchObject({ failure: 'wrong-password' })
      }
      expect(store.plainTextUsers).toEqual(['bob'])
    },
  )

  it('does not take a stored hash for the password', async () => {
    const store = await fileUserStore({ users: [user('alice', aliceHash)] })
    expect(await store.authenticate('alice', aliceHash)).toMatchObject({ failure: 'wrong-password' })
  })

  it('shows no password to whoever looks into it', async () => {
    const store = await fileUserStore({ users: [user('bob', 'pa55word'), user('alice', aliceHash)] })
    const shown = JSON.stringify([
      store,
      store.find('bob'),
      store.find('alice'),
      await store.authenticate('bob', 'pa55word'),
    ])
    expect(shown).not.toContain('pa55word')
    expect(shown).not.toContain(aliceHash)
  })

  it('computes one hash for each login, whoever it is', async () => {
    const hashQueue = countingQueue()
    const store = await fileUserStore({ users: [user('alice', aliceHash), user('bob', 'pa55')], hashQueue })
    for (const [name, password] of [
      ['alice', 'wonderland'],
      ['alice', 'x'],
      ['bob', 'pa55'],
      ['bob', 'x'],
      ['carol', 'x'],
    ] as const) {
      hashQueue.count = 0
      await store.authenticate(name, password)
      expect([name, password, hashQueue.count]).toEqual([name, password, 1])
    }
  })

  it('verifies hashes of every kind for names without one, so that no cost shows who is a user', async () => {
    const store = await fileUserStore({
      users: [user('alice', aliceHash), user('bob', bcrypt('x', 4)), user('plain', 'pa55')],
    })
    const kinds = { argon2id: vi.spyOn(argon2id, 'verify'), bcrypt: vi.spyOn(bcryptScheme, 'verify') }
    const names = ['plain', ...Array.from({ length: 40 }, (_, index) => `nobody${index}`)]
    for (const name of names) await store.authenticate(name, 'x')
    const { calls } = kinds.argon2id.mock
    expect(calls.length).toBeGreaterThan(0)
    expect(kinds.bcrypt.mock.calls.length).toBeGreaterThan(0)
    expect(calls.length + kinds.bcrypt.mock.calls.length).toBe(names.length)
    vi.restoreAllMocks()
  })

  it('gives no unknown user away for the password of the hash that stands in', async () => {
    const store = await fileUserStore({ users: [user('alice', aliceHash), user('bob', 'pa55')] })
    expect(await store.authenticate('carol', 'wonderland')).toEqual({ failure: 'unknown-user' })
    expect(await store.authenticate('bob', 'wonderland')).toMatchObject({ failure: 'wrong-password' })
  })

  it.each([
    'Alice',
    'ALICE',
    'alice ',
    ' alice',
    '\u0430lice',
    'alice\0',
    '*',
    '',
    'constructor',
    '__proto__',
    'toString',
  ])('does not find alice as %j', async (name) => {
    const store = await fileUserStore({ users: [user('alice', 'pa55')] })
    expect(await store.authenticate(name, 'pa55')).toEqual({ failure: 'unknown-user' })
    expect(store.find(name)).toBeUndefined()
  })

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'a/b', "admin'--", '*', 'user@example.com'])(
    'takes %s for a name like any other',
    async (name) => {
      const store = await fileUserStore({ users: [user(name, 'pa55')] })
      expect((await store.authenticate(name, 'pa55')).account?.subject).toBe(name)
      expect(store.find(name)?.subject).toBe(name)
    },
  )

  it('finds a name in both Unicode forms and spells it in NFC', async () => {
    const store = await fileUserStore({ users: [user('jo\u0308rg', 'pa55')] })
    expect((await store.authenticate('j\u00f6rg', 'pa55')).account?.subject).toBe('j\u00f6rg')
    expect((await store.authenticate('jo\u0308rg', 'pa55')).account?.subject).toBe('j\u00f6rg')
  })

  it.each([
    [true, [], ['admin']],
    [true, ['admin', 'audit'], ['admin', 'audit']],
    [true, ['audit'], ['audit', 'admin']],
    [false, ['audit', 'audit'], ['audit']],
    [false, [], []],
  ])('gives an administrator (%s) with roles %j the roles %j', async (isAdmin, roles, expected) => {
    const store = await fileUserStore({ users: [user('alice', 'pa55', { isAdmin, roles })] })
    expect(store.find('alice')).toMatchObject({ isAdmin, roles: expected })
  })
})

describe('the version of an account', () => {
  it('changes with the password and with nothing else', async () => {
    const store = await fileUserStore({ users: [user('alice', 'one'), user('bob', aliceHash)] })
    const before = [store.find('alice')?.version, store.find('bob')?.version]
    await store.replace([user('alice', 'one', { isAdmin: true }), user('bob', aliceHash, { roles: ['x'] })])
    expect([store.find('alice')?.version, store.find('bob')?.version]).toEqual(before)
    await store.replace([user('alice', 'two'), user('bob', 'wonderland')])
    expect(store.find('alice')?.version).not.toBe(before[0])
    expect(store.find('bob')?.version).not.toBe(before[1])
  })

  it('holds neither the password nor the hash', async () => {
    const store = await fileUserStore({ users: [user('alice', 'pa55'), user('bob', aliceHash)] })
    expect(store.find('alice')?.version).toMatch(/^[\w-]{43}$/)
    expect(store.find('bob')?.version).toMatch(/^[\w-]{43}$/)
  })
})

describe('replacing the users', () => {
  it('takes all at once and changes the generation', async () => {
    const store = await fileUserStore({ users: [user('alice', 'one')] })
    const { generation } = store
    await store.replace([user('bob', 'two')])
    expect(store.generation).not.toBe(generation)
    expect(store.find('alice')).toBeUndefined()
    expect((await store.authenticate('bob', 'two')).account?.subject).toBe('bob')
    expect(store.plainTextUsers).toEqual(['bob'])
  })

  it('leaves the users as they are when one of the new ones is wrong', async () => {
    const store = await fileUserStore({ users: [user('alice', 'one')] })
    const { generation } = store
    await expect(store.replace([user('bob', 'two'), user('carol', '$2b$99$')])).rejects.toThrow('carol')
    expect(store.generation).toBe(generation)
    expect((await store.authenticate('alice', 'one')).account?.subject).toBe('alice')
  })

  it('refuses the old password of a login that was under way', async () => {
    const { promise, resolve } = deferred()
    const hashQueue: HashQueue = { run: (work) => promise.then(work) }
    const store = await fileUserStore({ users: [user('alice', aliceHash)], hashQueue })
    const login = store.authenticate('alice', 'wonderland')
    await store.replace([user('alice', 'another')])
    resolve()
    expect(await login).toMatchObject({ failure: 'wrong-password' })
  })
})

describe('users that cannot be used', () => {
  it('are all named at once, without their passwords', async () => {
    const users = [
      user('alice', '$2b$99$abc'),
      user('bob', ''),
      user('', 'pa55'),
      user('eve\r\nfake', 'pa55'),
      user('x'.repeat(256), 'pa55'),
      user('long', 'y'.repeat(1025)),
      user('j\u00f6rg', 'pa55'),
      user('jo\u0308rg', 'pa56'),
      user('huge', aliceHash.replace('m=8', 'm=10485760')),
    ]
    const error = await fileUserStore({ users }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      name: 'ConfigError',
      code: 'ERR_CONFIG_INVALID',
      problems: [
        {
          key: 'internal_apis.users[0].user.password',
          rule: expect.stringMatching(/^user "alice" has a password hash that /),
        },
        { rule: expect.stringMatching(/^user "bob" must have a password: the hash that/) },
        { key: 'internal_apis.users[2].user.name', rule: expect.stringMatching(/^user "" must have a name/) },
        { rule: expect.stringMatching(/^user "eve\\r\\nfake" must have a name/) },
        { rule: expect.stringMatching(/must have a name/) },
        { rule: expect.stringMatching(/^user "long" must have a password of at most 1024 bytes/) },
        { rule: 'user "j\u00f6rg" is given twice' },
        { rule: expect.stringMatching(/^user "huge" has a password hash that must have m/) },
      ],
    })
    for (const secret of ['$2b$99$abc', 'pa55', 'yyy', aliceHash.slice(-20)])
      expect(String(error)).not.toContain(secret)
  })
})
