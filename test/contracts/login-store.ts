/**
 * What every user store must do at a login, whether it can be managed or not.
 *
 * @module
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isManagedUserStore } from '../../lib/users/managed-user-store.js'
import type { UserStore } from '../../lib/users/user-store.js'

/** What a store under test makes of names. */
export interface LoginCapabilities {
  /** Names are equal that differ in case. */
  readonly ignoreCase: boolean
}

/** Users that a store under test has at the start. `carol` has no role. */
export const contractUsers = {
  alice: { password: 'alice-secret', roles: ['admin'] },
  bob: { password: 'bob-secret', roles: ['operators'] },
  carol: { password: 'carol-secret', roles: [] },
} as const

/** A subject as the store under test spells it: with its domain, unless that is `PRIMARY` or it has none. */
export function qualified(store: UserStore, name: string): string {
  return isManagedUserStore(store) && store.domain !== 'PRIMARY' ? `${store.domain}/${name}` : name
}

function adminRoleOf(store: UserStore): string {
  return isManagedUserStore(store) ? store.adminRole : 'admin'
}

/** Roles that everybody has: the users of a file have those that the file gives them. */
function sharedRolesOf(store: UserStore): readonly string[] {
  return isManagedUserStore(store) ? ['Internal/everyone'] : []
}

/** Runs the contract. `makeStore` makes a store that has {@link contractUsers}; each test closes its own. */
export function loginContract(
  name: string,
  capabilities: LoginCapabilities,
  makeStore: () => Promise<UserStore>,
): void {
  describe(`${name} at a login`, () => {
    let store: UserStore
    const subject = (local: string): string => qualified(store, local)

    beforeEach(async () => {
      store = await makeStore()
    })

    afterEach(async () => {
      await store.close()
    })

    describe('a login', () => {
      it('gives the account of an administrator', async () => {
        const { account } = await store.authenticate('alice', 'alice-secret')
        expect(account).toEqual({
          subject: subject('alice'),
          roles: expect.arrayContaining([adminRoleOf(store), ...sharedRolesOf(store)]),
          isAdmin: true,
          version: expect.stringMatching(/./),
        })
      })

      it('gives the account of another user with the roles of the store', async () => {
        const { account } = await store.authenticate('bob', 'bob-secret')
        expect(account).toMatchObject({ subject: subject('bob'), isAdmin: false })
        expect([...account!.roles].sort()).toEqual([...sharedRolesOf(store), subject('operators')].sort())
      })

      it('gives a user without roles none but that of everybody', async () => {
        const { account } = await store.authenticate('carol', 'carol-secret')
        expect(account).toMatchObject({ roles: sharedRolesOf(store), isAdmin: false })
      })

      it.each([
        ['a wrong password', 'alice', 'alice-secreT'],
        ['the password of another user', 'alice', 'bob-secret'],
        ['an empty password', 'alice', ''],
        ['a password with more behind it', 'alice', 'alice-secret '],
        ['a password with NUL behind it', 'alice', 'alice-secret\0'],
        ['a password that is too long to be looked at', 'alice', 'a'.repeat(5000)],
      ])('refuses %s', async (_what, user, password) => {
        expect(await store.authenticate(user, password)).toMatchObject({ failure: 'wrong-password' })
      })

      it.each([
        ['an unknown name', 'nobody'],
        ['an empty name', ''],
        ['a blank behind', 'alice '],
        ['a blank before', ' alice'],
        ['NUL behind', 'alice\0'],
        ['a wildcard', 'alic*'],
        ['another wildcard', 'alic?'],
        ['a wildcard of SQL', 'alic_'],
        ['any text', '%'],
        ['an accent', 'alic\u00e9'],
        ['full width letters', '\uff41\uff4c\uff49\uff43\uff45'],
        ['a letter that looks the same', '\u0430lice'],
        ['an invisible letter', 'ali\u200bce'],
        ['half of a character', 'alice\ud800'],
        ['another domain', 'OTHER/alice'],
        ['a quote', `alice' OR '1'='1`],
        ['a comment', `alice'-- `],
        ['a filter', 'alice)(|(uid=*'],
        ['a name of 300 letters', 'a'.repeat(300)],
        ['a name of an object', '__proto__'],
      ])('finds nobody with %s', async (_what, user) => {
        expect(await store.authenticate(user, 'alice-secret')).toEqual({ failure: 'unknown-user' })
        expect(await store.find(user)).toBeUndefined()
      })

      it(`${capabilities.ignoreCase ? 'takes' : 'does not take'} a name in another case for the same`, async () => {
        const { account, failure } = await store.authenticate('ALICE', 'alice-secret')
        if (capabilities.ignoreCase) expect(account?.subject).toBe(subject('alice'))
        else expect(failure).toBe('unknown-user')
      })

      it('does no work when the client has gone', async () => {
        const signal = AbortSignal.abort(new Error('gone'))
        await expect(store.authenticate('alice', 'alice-secret', signal)).rejects.toThrow('gone')
      })

      it('answers many at a time, each with its own account', async () => {
        const names = Object.keys(contractUsers) as (keyof typeof contractUsers)[]
        const logins = Array.from({ length: 30 }, (_, index) => {
          const user = names[index % 3]!
          const isRight = index % 2 === 0
          const { password } = contractUsers[isRight ? user : names[(index + 1) % 3]!]
          return store
            .authenticate(user, password)
            .then(({ account }) => expect(account?.subject).toBe(isRight ? subject(user) : undefined))
        })
        await Promise.all(logins)
      })
    })

    describe('find', () => {
      it('gives what a login gave', async () => {
        const { account } = await store.authenticate('bob', 'bob-secret')
        expect(await store.find(account!.subject)).toEqual(account)
      })

      it('gives the same version every time', async () => {
        const first = await store.find(subject('bob'))
        expect((await store.find(subject('bob')))?.version).toBe(first!.version)
        expect((await store.find(subject('carol')))?.version).not.toBe(first!.version)
      })

      it('finds nobody who is not there', async () => {
        expect(await store.find(subject('nobody'))).toBeUndefined()
      })
    })
  })
}
