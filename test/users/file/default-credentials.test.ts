import { hash as argon2 } from '@node-rs/argon2'
import { describe, expect, it } from 'vitest'
import { defaultCredentialProblems } from '../../../lib/users/file/open-file-users.js'

const user = (name: string, password: string) => ({ name, password, isAdmin: false, roles: [] })
const quick = { memoryCost: 8, timeCost: 1, parallelism: 1 } as const

// Covers: A11
describe('default credentials', () => {
  it.each([
    ['admin', 'admin'],
    ['admin', 'ADMIN'],
    ['Admin', 'Admin123'],
    ['admin', 'wso2carbon'],
    ['alice', 'alice'],
    ['alice', 'Alice'],
    ['alice', 'password'],
    ['root', 'changeme'],
    ['alice', 'Password1'],
    ['alice', 'qwerty'],
    ['alice', 'letmein'],
    ['admin', 'Admin@123'],
    ['alice', '123456789'],
    ['alice', 'Welcome1'],
  ])('are %s and %s', async (name, password) => {
    expect(await defaultCredentialProblems([user(name, password)])).toEqual([name])
  })

  it.each([
    ['admin', 'adminadmin'],
    ['admin', 'correct horse battery staple'],
    ['alice', 'bob'],
  ])('are not %s and %s', async (name, password) => {
    expect(await defaultCredentialProblems([user(name, password)])).toEqual([])
  })

  it('are found behind a hash for the user admin', async () => {
    expect(await defaultCredentialProblems([user('admin', await argon2('admin', quick))])).toEqual(['admin'])
    expect(await defaultCredentialProblems([user('admin', await argon2('other', quick))])).toEqual([])
    expect(await defaultCredentialProblems([user('alice', await argon2('admin', quick))])).toEqual([])
  })

  it('are not looked for behind a hash that cannot be used', async () => {
    expect(await defaultCredentialProblems([user('admin', '$argon2id$v=19$m=99999999,t=1,p=1$x$y')])).toEqual([])
  })

  it('are named for every user that has them', async () => {
    const users = [user('admin', 'admin'), user('alice', 'a good one'), user('test', 'test')]
    expect(await defaultCredentialProblems(users)).toEqual(['admin', 'test'])
  })
})
