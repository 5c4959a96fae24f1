import { beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { type AccountsOptions, createAccounts } from '../../lib/users/accounts.js'
import { fileUserStore } from '../../lib/users/file/file-user-store.js'
import type { UserAccount, UserStore } from '../../lib/users/user-store.js'
import { deferred } from './deferred.js'

const second = 1000
const alice: UserAccount = { subject: 'alice', roles: ['audit'], isAdmin: false, version: '1' }

let now = 0
beforeEach(() => {
  now = 1_700_000_000_000
})

/** A store elsewhere: it has no generation. */
function remoteStore() {
  const store = {
    accounts: new Map([['alice', alice]]),
    failure: undefined as Error | undefined,
    reads: 0,
    async find(subject: string) {
      store.reads++
      if (store.failure !== undefined) throw store.failure
      return store.accounts.get(subject)
    },
    authenticate: () => Promise.reject(new Error('not asked here')),
    close() {},
  }
  return store
}

const accountsOf = (users: UserStore, options: Partial<AccountsOptions> = {}) =>
  createAccounts({ users, clock: () => now, ...options })

describe('the state of an account', () => {
  it('is shared by all tokens of it', () => {
    const accounts = accountsOf(remoteStore())
    const state = accounts.getState(alice)
    expect(state).toMatchObject({ version: '1', roles: ['audit'], isAdmin: false, hasEnded: false })
    expect(accounts.getState({ ...alice })).toBe(state)
    expect(accounts.restoreState({ ...alice, accountVersion: '1', issuedAt: 0 })).toBe(state)
  })

  it('takes the rights of a later login', () => {
    const accounts = accountsOf(remoteStore())
    const state = accounts.getState(alice)
    accounts.getState({ ...alice, roles: [], isAdmin: true })
    expect(state).toMatchObject({ roles: [], isAdmin: true, hasEnded: false })
  })

  it('ends at its next request after a login with another password', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const before = accounts.getState(alice)
    store.accounts.set('alice', { ...alice, version: '2' })
    const after = accounts.getState({ ...alice, version: '2' })
    await Promise.all([accounts.refresh('alice', before), accounts.refresh('alice', after)])
    expect(before.hasEnded).toBe(true)
    expect(after).toMatchObject({ version: '2', hasEnded: false, checkedAt: now })
    expect(accounts.refresh('alice', after)).toBeUndefined()
  })

  it('outlasts a login with the old password that was late', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    store.accounts.set('alice', { ...alice, version: '2' })
    const present = accounts.getState({ ...alice, version: '2' })
    const late = accounts.getState(alice)
    await Promise.all([accounts.refresh('alice', present), accounts.refresh('alice', late)])
    expect(present.hasEnded).toBe(false)
    expect(late.hasEnded).toBe(true)
  })

  it('is asked for anew after a late login, and not from a look-up that began before', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const old = accounts.getState(alice)
    now += 60 * second
    const slow = deferred<UserAccount>()
    const { find } = store
    store.find = () => slow.promise
    const refreshing = accounts.refresh('alice', old)
    store.find = find
    store.accounts.set('alice', { ...alice, version: '2' })
    const present = accounts.getState({ ...alice, version: '2' })
    await accounts.refresh('alice', present)
    expect(present.hasEnded).toBe(false)
    slow.resolve(alice)
    await refreshing
    await accounts.refresh('alice', old)
    expect(old.hasEnded).toBe(true)
  })

  it('is not trusted while the store that would tell old from new is down', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const present = accounts.getState({ ...alice, version: '2' })
    const late = accounts.getState(alice)
    store.failure = new StoreError('down')
    await expect(accounts.refresh('alice', late)).rejects.toBe(store.failure)
    await expect(accounts.refresh('alice', present)).rejects.toBe(store.failure)
  })

  it('ends with the account, whichever password it began with', () => {
    const accounts = accountsOf(remoteStore())
    const both = [accounts.getState(alice), accounts.getState({ ...alice, version: '2' })]
    accounts.end('alice')
    expect(both.map(({ hasEnded }) => hasEnded)).toEqual([true, true])
  })

  it('does not come back to life when the user does', () => {
    const accounts = accountsOf(remoteStore())
    const before = accounts.getState(alice)
    before.hasEnded = true
    expect(accounts.getState(alice)).not.toBe(before)
    expect(before.hasEnded).toBe(true)
  })

  it('is not ended by a token from elsewhere, which may be older', async () => {
    const store = remoteStore()
    store.accounts.set('alice', { ...alice, version: '2' })
    const accounts = accountsOf(store)
    const present = accounts.getState({ ...alice, version: '2' })
    const old = accounts.restoreState({ ...alice, accountVersion: '1', issuedAt: now - 3600 * second })
    await accounts.refresh('alice', old)
    expect(old.hasEnded).toBe(true)
    expect(present.hasEnded).toBe(false)
    expect(accounts.getState({ ...alice, version: '2' })).toBe(present)
  })

  it('is shared by tokens from elsewhere too', () => {
    const accounts = accountsOf(remoteStore())
    const record = { ...alice, accountVersion: '1', issuedAt: now }
    expect(accounts.restoreState(record)).toBe(accounts.restoreState(record))
  })
})

describe('with a store elsewhere', () => {
  it('reads the account again after the interval, not before', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const state = accounts.getState(alice)
    store.accounts.set('alice', { ...alice, roles: ['admin'], isAdmin: true })
    now += 60 * second - 1
    expect(accounts.refresh('alice', state)).toBeUndefined()
    now += 1
    await accounts.refresh('alice', state)
    expect(state).toMatchObject({ roles: ['admin'], isAdmin: true, hasEnded: false, checkedAt: now })
    expect(accounts.refresh('alice', state)).toBeUndefined()
    expect(store.reads).toBe(1)
  })

  it.each([
    ['is gone', undefined],
    ['has another password', { ...alice, version: '2' }],
  ])('ends the state when the user %s', async (_what, found) => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const state = accounts.getState(alice)
    if (found === undefined) store.accounts.delete('alice')
    else store.accounts.set('alice', found)
    now += 60 * second
    await accounts.refresh('alice', state)
    expect(state.hasEnded).toBe(true)

    store.accounts.set('alice', alice)
    now += 60 * second
    expect(accounts.refresh('alice', state)).toBeUndefined()
    expect(state.hasEnded).toBe(true)
    expect(store.reads).toBe(1)
  })

  it('does not revive a state that ended while the account was read', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const state = accounts.getState(alice)
    now += 60 * second
    const refreshing = accounts.refresh('alice', state)
    accounts.end('alice')
    await refreshing
    expect(state.hasEnded).toBe(true)
  })

  it('reads once for all who ask at the same time', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const state = accounts.getState(alice)
    now += 60 * second
    await Promise.all(Array.from({ length: 100 }, () => accounts.refresh('alice', state)))
    expect(store.reads).toBe(1)
  })

  it('reads at every request when the interval is 0', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store, { recheckIntervalMs: 0 })
    const state = accounts.getState(alice)
    await accounts.refresh('alice', state)
    await accounts.refresh('alice', state)
    expect(store.reads).toBe(2)
  })

  it('reads again when the clock was put back', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const state = accounts.getState(alice)
    now -= 3600 * second
    await accounts.refresh('alice', state)
    expect(store.reads).toBe(1)
  })

  it('reads the account of an old token from elsewhere at once', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const state = accounts.restoreState({ ...alice, accountVersion: '1', issuedAt: now - 60 * second })
    await accounts.refresh('alice', state)
    expect(store.reads).toBe(1)
  })
})

describe('with a store that is down', () => {
  it('holds the last verdict for the grace, then rejects with StoreError', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const state = accounts.getState(alice)
    store.failure = new StoreError('down')
    now += 60 * second
    await accounts.refresh('alice', state)
    now += 300 * second - 1
    await accounts.refresh('alice', state)
    expect(state.hasEnded).toBe(false)
    now += 1
    await expect(accounts.refresh('alice', state)).rejects.toBe(store.failure)
    expect(state.hasEnded).toBe(false)
  })

  it('asks it every five seconds, not at every request', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const state = accounts.getState(alice)
    store.failure = new StoreError('down')
    now += 60 * second
    for (let index = 0; index < 10; index++) await accounts.refresh('alice', state)
    expect(store.reads).toBe(1)
    now += 5 * second
    await accounts.refresh('alice', state)
    expect(store.reads).toBe(2)
  })

  it('goes on by itself when the store is back', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store, { recheckGraceMs: 0 })
    const state = accounts.getState(alice)
    store.failure = new StoreError('down')
    now += 60 * second
    await expect(accounts.refresh('alice', state)).rejects.toBe(store.failure)
    await expect(accounts.refresh('alice', state)).rejects.toBe(store.failure)
    store.failure = undefined
    now += 5 * second
    await accounts.refresh('alice', state)
    expect(state.checkedAt).toBe(now)
  })

  it('has no grace for an error of another kind', async () => {
    const store = remoteStore()
    const accounts = accountsOf(store)
    const state = accounts.getState(alice)
    store.failure = new TypeError('a bug')
    now += 60 * second
    await expect(accounts.refresh('alice', state)).rejects.toBe(store.failure)
  })
})

describe('with the file users', () => {
  const user = (password: string, isAdmin = false) => ({ name: 'alice', password, isAdmin, roles: [] })

  it('compares at every request without a promise, and reads after a change only', async () => {
    const store = await fileUserStore({ users: [user('one')] })
    const accounts = accountsOf(store)
    const state = accounts.getState(store.find('alice')!)
    expect(accounts.refresh('alice', state)).toBeUndefined()
    expect(state).toMatchObject({ hasEnded: false, isAdmin: false, checkedAt: store.generation })

    await store.replace([user('one', true)])
    expect(accounts.refresh('alice', state)).toBeUndefined()
    expect(state).toMatchObject({ hasEnded: false, isAdmin: true, roles: ['admin'], checkedAt: store.generation })
  })

  it.each([
    ['is gone', []],
    ['has another password', [user('two')]],
  ])('ends the state at the first request after the user %s', async (_what, users) => {
    const store = await fileUserStore({ users: [user('one')] })
    const accounts = accountsOf(store)
    const state = accounts.getState(store.find('alice')!)
    expect(accounts.refresh('alice', state)).toBeUndefined()
    await store.replace(users)
    expect(accounts.refresh('alice', state)).toBeUndefined()
    expect(state.hasEnded).toBe(true)

    await store.replace([user('one')])
    expect(accounts.refresh('alice', state)).toBeUndefined()
    expect(state.hasEnded).toBe(true)
  })

  it('compares a login that began before the users were exchanged', async () => {
    const store = await fileUserStore({ users: [user('one')] })
    const accounts = accountsOf(store)
    const { account } = await store.authenticate('alice', 'one')
    await store.replace([user('two')])
    const state = accounts.getState(account!)
    expect(accounts.refresh('alice', state)).toBeUndefined()
    expect(state.hasEnded).toBe(true)
  })

  it('ends a late login with the old password, not the one with the new', async () => {
    const store = await fileUserStore({ users: [user('one')] })
    const accounts = accountsOf(store)
    const old = store.find('alice')!
    await store.replace([user('two')])
    const present = accounts.getState(store.find('alice')!)
    const late = accounts.getState(old)
    for (const state of [present, late]) expect(accounts.refresh('alice', state)).toBeUndefined()
    expect([present.hasEnded, late.hasEnded]).toEqual([false, true])
  })

  it('takes a promise from a store that has a generation all the same', async () => {
    const gate = deferred<UserAccount | undefined>()
    const store: UserStore = { ...remoteStore(), generation: 7, find: () => gate.promise }
    const accounts = accountsOf(store)
    const state = accounts.getState(alice)
    const refreshing = accounts.refresh('alice', state)
    gate.resolve(undefined)
    await refreshing
    expect(state.hasEnded).toBe(true)
  })
})
