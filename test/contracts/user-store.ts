/**
 * What every user store must do that can be managed: beside what every store must do at a login, its lists and changes. Each
 * implementation's test calls this once for each way it is set up.
 *
 * @module
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type ManagedUserStore,
  setDisabled,
  UserChangeError,
  type UserChangeErrorCode,
} from '../../lib/users/managed-user-store.js'
import { type LoginCapabilities, loginContract, qualified } from './login-store.js'

export { contractUsers } from './login-store.js'

/** What a store under test can do. */
export interface UserStoreCapabilities extends LoginCapabilities {
  /** Users, passwords and roles can be changed. A store that cannot must refuse every change as `read-only`. */
  readonly isWritable: boolean
  /** Roles of the store can be added without members. */
  readonly allowsEmptyRoles: boolean
  /** Roles that begin with `Internal/` can be added and given. */
  readonly hasInternalRoles: boolean
}

/** Roles that a store under test has at the start; `admin` makes an administrator. */
export const contractRoles = ['admin', 'operators', 'viewers'] as const

/** The super admin, who is protected. */
export const contractSuperAdmin = 'alice'

/**
 * Runs the contract. `makeStore` makes a store that has {@link contractUsers} and {@link contractRoles} and nothing else;
 * each test closes its own.
 */
export function userStoreContract(
  name: string,
  capabilities: UserStoreCapabilities,
  makeStore: () => Promise<ManagedUserStore>,
): void {
  loginContract(name, capabilities, makeStore)

  describe(`${name} as a user store`, () => {
    let store: ManagedUserStore
    const subject = (local: string): string => qualified(store, local)

    beforeEach(async () => {
      store = await makeStore()
    })

    afterEach(async () => {
      await store.close()
    })

    async function expectRefusal(work: Promise<unknown>, code: UserChangeErrorCode): Promise<void> {
      const error = await work.then(
        () => 'no refusal',
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(UserChangeError)
      expect((error as UserChangeError).code).toBe(code)
    }

    describe('a login', () => {
      it('accepts the name with the domain of the store before it', async () => {
        const { account } = await store.authenticate(`${store.domain}/bob`, 'bob-secret')
        expect(account?.subject).toBe(subject('bob'))
      })
    })

    describe('lists', () => {
      it('has every user in order', async () => {
        expect(await store.list({})).toEqual(['alice', 'bob', 'carol'].map(subject))
      })

      it.each([
        ['*', ['alice', 'bob', 'carol']],
        ['*o*', ['bob', 'carol']],
        ['b?b', ['bob']],
        ['???', ['bob']],
        ['a*e', ['alice']],
        ['alice', ['alice']],
        ['%', []],
        ['b_b', []],
        ['!', []],
        ['\\*', []],
        ['*)(uid=*', []],
        [`' OR 1=1 --`, []],
        ['b\u00f6b', []],
        ['', []],
        ['a'.repeat(300), []],
        ['*'.repeat(300), []],
      ])('has for the pattern %j %j', async (pattern, names) => {
        expect(await store.list({ pattern })).toEqual(names.map(subject))
      })

      it('has the users of a role', async () => {
        expect(await store.list({ role: subject('operators') })).toEqual([subject('bob')])
        expect(await store.list({ role: subject('operators'), pattern: 'a*' })).toEqual([])
        expect(await store.list({ role: 'nothing' })).toEqual([])
      })

      it('has every role in order', async () => {
        const roles = ['Internal/everyone', ...contractRoles.map(subject)].sort()
        expect(await store.listRoles()).toEqual(capabilities.allowsEmptyRoles ? roles : expect.arrayContaining(roles))
      })

      it('has the members of a role', async () => {
        expect(await store.listMembers(subject('operators'))).toEqual([subject('bob')])
        expect(await store.listMembers('Internal/everyone')).toEqual(['alice', 'bob', 'carol'].map(subject))
      })

      it('tells that there is no such role', async () => {
        expect(await store.listMembers('nothing')).toBeUndefined()
        expect(await store.listMembers('')).toBeUndefined()
        expect(await store.listMembers('operators ')).toBeUndefined()
        expect(await store.listMembers(`operators' --`)).toBeUndefined()
      })
    })

    const changes: readonly [string, () => Promise<void>][] = [
      ['adding a user', () => store.add({ name: 'dave', password: 'dave-secret', isAdmin: false })],
      ['removing a user', () => store.remove(subject('bob'))],
      ['setting a password', () => store.setPassword(subject('bob'), 'new-secret')],
      ['changing roles', () => store.changeRoles(subject('bob'), { added: [subject('viewers')], removed: [] })],
      ['adding a role', () => store.addRole(subject('testers'))],
      ['removing a role', () => store.removeRole(subject('operators'))],
    ]

    if (!capabilities.isWritable) {
      describe('changes', () => {
        it.each(changes)('refuses %s', async (_what, change) => {
          expect(store.isReadOnly).toBe(true)
          await expectRefusal(change(), 'read-only')
        })
      })
      return
    }

    describe('changes', () => {
      it.each(changes)('allows %s', async (_what, change) => {
        expect(store.isReadOnly).toBe(false)
        await expect(change()).resolves.toBeUndefined()
      })

      it('adds a user who can log in', async () => {
        await store.add({ name: 'dave', password: 'dave-secret', isAdmin: false })
        const { account } = await store.authenticate('dave', 'dave-secret')
        expect(account).toMatchObject({ subject: subject('dave'), isAdmin: false })
        expect(await store.list({ pattern: 'd*' })).toEqual([subject('dave')])
      })

      it('adds an administrator', async () => {
        await store.add({ name: 'dave', password: 'dave-secret', isAdmin: true })
        expect(await store.find(subject('dave'))).toMatchObject({ isAdmin: true })
        expect(await store.listMembers(store.adminRole)).toEqual(['alice', 'dave'].map(subject))
      })

      it.each(['bob', ...(capabilities.ignoreCase ? ['BOB'] : [])])('refuses a second user %s', async (user) => {
        await expectRefusal(store.add({ name: user, password: 'bob-secret', isAdmin: false }), 'user-exists')
      })

      it('lets only one of two add the same user at a time', async () => {
        const adding = Array.from({ length: 4 }, () =>
          store.add({ name: 'dave', password: 'dave-secret', isAdmin: false }).then(
            () => 'added',
            (error: unknown) => (error as UserChangeError).code,
          ),
        )
        expect((await Promise.all(adding)).sort()).toEqual(['added', 'user-exists', 'user-exists', 'user-exists'])
        expect(await store.authenticate('dave', 'dave-secret')).toHaveProperty('account')
      })

      it.each([
        ['an empty name', ''],
        ['a name of two letters', 'ab'],
        ['a blank behind', 'dave '],
        ['a blank inside', 'da ve'],
        ['NUL', 'da\0ve'],
        ['a line break', 'dave\n'],
        ['a colon', 'dave:x'],
        ['300 letters', 'd'.repeat(300)],
        ['half of a character', 'dave\ud800'],
        ['the domain of the store', 'PRIMARY/dave'],
      ])('refuses a name with %s', async (_what, user) => {
        await expectRefusal(store.add({ name: user, password: 'dave-secret', isAdmin: false }), 'invalid-name')
        expect(await store.list({})).toHaveLength(3)
      })

      it.each([
        ['none', ''],
        ['four letters', 'abcd'],
        ['four letters', 'four'],
        ['5000 letters', 'd'.repeat(5000)],
      ])('refuses a password with %s', async (_what, password) => {
        await expectRefusal(store.add({ name: 'dave', password, isAdmin: false }), 'invalid-password')
        await expectRefusal(store.setPassword(subject('bob'), password), 'invalid-password')
        expect(await store.authenticate('bob', 'bob-secret')).toHaveProperty('account')
      })

      it('removes a user, who cannot log in and has no roles when added again', async () => {
        await store.remove(subject('bob'))
        expect(await store.authenticate('bob', 'bob-secret')).toEqual({ failure: 'unknown-user' })
        expect(await store.listMembers(subject('operators'))).toEqual([])
        await store.add({ name: 'bob', password: 'bob-secret', isAdmin: false })
        expect((await store.find(subject('bob')))?.roles).toEqual(['Internal/everyone'])
      })

      it('sets a password, and the version with it', async () => {
        const before = await store.find(subject('bob'))
        await store.setPassword(subject('bob'), 'new-secret')
        expect(await store.authenticate('bob', 'bob-secret')).toMatchObject({ failure: 'wrong-password' })
        const { account } = await store.authenticate('bob', 'new-secret')
        expect(account?.version).not.toBe(before!.version)
      })

      it('changes the version when the same password is set again', async () => {
        const before = await store.find(subject('bob'))
        await store.setPassword(subject('bob'), 'bob-secret')
        expect((await store.find(subject('bob')))?.version).not.toBe(before!.version)
      })

      it('gives and takes roles, and the version stays', async () => {
        const before = await store.find(subject('bob'))
        await store.changeRoles(subject('bob'), {
          added: [subject('viewers'), store.adminRole],
          removed: [subject('operators')],
        })
        expect(await store.find(subject('bob'))).toEqual({
          subject: subject('bob'),
          roles: ['Internal/everyone', store.adminRole, subject('viewers')].sort(),
          isAdmin: true,
          version: before!.version,
        })
      })

      it('gives a role that is held already, and takes one that is not', async () => {
        await store.changeRoles(subject('bob'), { added: [subject('operators')], removed: [subject('viewers')] })
        expect((await store.find(subject('bob')))?.roles).toEqual(['Internal/everyone', subject('operators')].sort())
      })

      it('changes no role when one of them is not there', async () => {
        const change = { added: [subject('viewers'), subject('nothing')], removed: [] }
        await expectRefusal(store.changeRoles(subject('bob'), change), 'role-not-found')
        expect((await store.find(subject('bob')))?.roles).not.toContain(subject('viewers'))
      })

      it.each([
        ['removing', () => store.remove('nobody')],
        ['a password of', () => store.setPassword('nobody', 'new-secret')],
        ['roles of', () => store.changeRoles('nobody', { added: [], removed: [] })],
      ])('refuses %s a user who is not there', async (_what, change) => {
        await expectRefusal(change(), 'user-not-found')
      })

      it('removes a role from its members', async () => {
        await store.removeRole(subject('operators'))
        expect((await store.find(subject('bob')))?.roles).toEqual(['Internal/everyone'])
        expect(await store.listMembers(subject('operators'))).toBeUndefined()
        await expectRefusal(store.removeRole(subject('operators')), 'role-not-found')
      })

      if (capabilities.allowsEmptyRoles) {
        it('adds a role, once', async () => {
          await store.addRole(subject('testers'))
          expect(await store.listRoles()).toContain(subject('testers'))
          expect(await store.listMembers(subject('testers'))).toEqual([])
          await expectRefusal(store.addRole(subject('testers')), 'role-exists')
        })

        it.each(['', 'a b c', 'x', 'role\0', 'r'.repeat(300)])('refuses the role name %j', async (role) => {
          await expectRefusal(store.addRole(role), 'invalid-name')
        })
      }

      if (capabilities.hasInternalRoles) {
        it.each(['Internal/testers', 'Application/testers', 'Internal/x', 'Internal/two words'])(
          'adds, gives and removes the role %s',
          async (role) => {
            await store.addRole(role)
            await store.changeRoles(subject('bob'), { added: [role], removed: [] })
            expect((await store.find(subject('bob')))?.roles).toContain(role)
            expect(await store.listMembers(role)).toEqual([subject('bob')])
            expect(await store.listRoles()).toContain(role)
            await store.changeRoles(subject('bob'), { added: [], removed: [role] })
            expect(await store.listMembers(role)).toEqual([])
            await store.removeRole(role)
            expect(await store.listMembers(role)).toBeUndefined()
          },
        )

        it('makes nobody an administrator by a role that only ends like it', async () => {
          await store.addRole('Internal/admin')
          await store.changeRoles(subject('bob'), { added: ['Internal/admin'], removed: [] })
          expect(await store.find(subject('bob'))).toMatchObject({ isAdmin: false })
        })
      }
    })

    describe('a user who is disabled', () => {
      const isKnown = (): boolean => store.setDisabled !== undefined

      it('cannot log in and is found as disabled only, until it is enabled again', async () => {
        if (!isKnown()) return expectRefusal(setDisabled(store, subject('bob'), true), 'read-only')
        const before = await store.find(subject('bob'))
        expect(await store.findDisabled!(subject('bob'))).toBeUndefined()
        await store.setDisabled!(subject('bob'), true)
        expect(await store.authenticate('bob', 'bob-secret')).toMatchObject({ failure: 'disabled' })
        expect(await store.find(subject('bob'))).toBeUndefined()
        expect(await store.findDisabled!(subject('bob'))).toEqual(before)
        expect(await store.list({})).toContain(subject('bob'))
        await store.setDisabled!(subject('bob'), true)
        await store.setDisabled!(subject('bob'), false)
        expect(await store.findDisabled!(subject('bob'))).toBeUndefined()
        expect((await store.authenticate('bob', 'bob-secret')).account).toEqual(before)
      })

      it('is neither the super admin nor nobody', async () => {
        const kinds = isKnown() ? (['protected', 'user-not-found'] as const) : (['read-only', 'read-only'] as const)
        await expectRefusal(setDisabled(store, subject(contractSuperAdmin), true), kinds[0])
        await expectRefusal(setDisabled(store, subject('nobody'), true), kinds[1])
        expect(await store.findDisabled?.(subject('nobody'))).toBeUndefined()
      })
    })

    describe('protections', () => {
      it.each([
        ['the super admin', () => store.remove(subject(contractSuperAdmin))],
        ['the role of administrators', () => store.removeRole(store.adminRole)],
        ['the role of everybody', () => store.removeRole('Internal/everyone')],
        ['the role of everybody in another case', () => store.removeRole('internal/EVERYONE')],
      ])('keeps %s from being removed', async (_what, change) => {
        await expectRefusal(change(), 'protected')
      })

      it('keeps the role of administrators with the super admin', async () => {
        const change = { added: [], removed: [store.adminRole] }
        await expectRefusal(store.changeRoles(subject(contractSuperAdmin), change), 'protected')
      })

      it('neither gives nor takes the role of everybody', async () => {
        const role = ['Internal/everyone']
        await expectRefusal(store.changeRoles(subject('bob'), { added: role, removed: [] }), 'protected')
        await expectRefusal(store.changeRoles(subject('bob'), { added: [], removed: role }), 'protected')
      })

      it('takes the role of administrators from anybody else', async () => {
        await store.changeRoles(subject('bob'), { added: [store.adminRole], removed: [] })
        await store.changeRoles(subject('bob'), { added: [], removed: [store.adminRole] })
        expect(await store.find(subject('bob'))).toMatchObject({ isAdmin: false })
      })
    })
  })
}
