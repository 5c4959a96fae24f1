import { beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { type UserStoreChain, userStoreChain } from '../../lib/users/chain.js'
import { isManagedUserStore, UserChangeError } from '../../lib/users/managed-user-store.js'
import { contractRoles, contractSuperAdmin, contractUsers, userStoreContract } from '../contracts/user-store.js'
import { MemoryUserStore, storeFailure } from '../helpers/memory-user-store.js'

const capabilities = { isWritable: true, ignoreCase: true, allowsEmptyRoles: true, hasInternalRoles: true }

userStoreContract('a chain of one', capabilities, async () => {
  const store = new MemoryUserStore({ users: contractUsers, roles: contractRoles, superAdmin: contractSuperAdmin })
  return userStoreChain([{ domain: 'PRIMARY', store }])
})

describe('a chain of three', () => {
  let primary: MemoryUserStore
  let sales: MemoryUserStore
  let labs: MemoryUserStore
  let chain: UserStoreChain

  beforeEach(() => {
    const user = (password: string, ...roles: string[]) => ({ password, roles })
    primary = new MemoryUserStore({ users: { root: user('root-1', 'admin'), bob: user('bob-1') } })
    sales = new MemoryUserStore({
      domain: 'SALES',
      users: { bob: user('bob-2', 'admin'), eve: user('eve-2', 'admin') },
    })
    labs = new MemoryUserStore({ domain: 'LABS', users: { eve: user('eve-3'), mia: user('mia-3', 'Internal/lab') } })
    chain = userStoreChain([
      { domain: 'PRIMARY', store: primary },
      { domain: 'Sales', store: sales },
      { domain: 'LABS', store: labs },
    ])
  })

  it('asks the store of a user what else is known of the person', async () => {
    Object.assign(sales, { findProfile: async (subject: string) => ({ name: `of sales: ${subject}` }) })
    expect(await chain.findProfile?.('SALES/bob')).toEqual({ name: 'of sales: SALES/bob' })
    expect(await chain.findProfile?.('bob')).toBeUndefined()
  })

  it('is a store that can be managed', () => {
    expect(isManagedUserStore(chain)).toBe(true)
    expect(chain).toMatchObject({ domain: 'PRIMARY', adminRole: 'admin', isReadOnly: false })
  })

  it.each([
    ['root', 'root-1', 'root'],
    ['bob', 'bob-1', 'bob'],
    ['eve', 'eve-2', 'SALES/eve'],
    ['mia', 'mia-3', 'LABS/mia'],
    ['SALES/bob', 'bob-2', 'SALES/bob'],
    ['sales/bob', 'bob-2', 'SALES/bob'],
    ['PRIMARY/bob', 'bob-1', 'bob'],
    ['labs/eve', 'eve-3', 'LABS/eve'],
  ])('lets %s in with %s as %s', async (name, password, subject) => {
    const { account } = await chain.authenticate(name, password)
    expect(account?.subject).toBe(subject)
    expect(await chain.find(subject)).toEqual(account)
  })

  it.each([
    ['bob', 'bob-2', 'wrong-password'],
    ['eve', 'eve-3', 'wrong-password'],
    ['SALES/mia', 'mia-3', 'unknown-user'],
    ['PRIMARY/eve', 'eve-2', 'unknown-user'],
    ['NOPE/bob', 'bob-1', 'unknown-user'],
    ['nobody', 'x', 'unknown-user'],
  ])('does not let %s in with %s: %s', async (name, password, failure) => {
    expect(await chain.authenticate(name, password)).toMatchObject({ failure })
  })

  it('asks no other store after a wrong password, a disabled user or a failure', async () => {
    await chain.authenticate('bob', 'bob-2')
    primary.disable('bob')
    expect(await chain.authenticate('bob', 'bob-1')).toMatchObject({ failure: 'disabled' })
    primary.failure = storeFailure()
    await expect(chain.authenticate('eve', 'eve-2')).rejects.toThrow(StoreError)
    expect([...sales.calls, ...labs.calls]).toEqual([])
    expect(await chain.authenticate('SALES/eve', 'eve-2')).toHaveProperty('account')
  })

  it('asks only the primary store for a domain that there is not', async () => {
    await chain.authenticate('NOPE/eve', 'eve-2')
    expect(await chain.find('NOPE/eve')).toBeUndefined()
    expect([...sales.calls, ...labs.calls]).toEqual([])
  })

  it('makes no administrator of those who have that role in another store', async () => {
    expect((await chain.authenticate('eve', 'eve-2')).account).toMatchObject({ isAdmin: false })
    expect(await chain.find('SALES/eve')).toMatchObject({ isAdmin: false, roles: ['Internal/everyone', 'SALES/admin'] })
    expect(await chain.find('root')).toMatchObject({ isAdmin: true })
  })

  it('lists all users and roles, or those of one domain', async () => {
    expect(await chain.list({})).toEqual(['LABS/eve', 'LABS/mia', 'SALES/bob', 'SALES/eve', 'bob', 'root'])
    expect(await chain.list({ pattern: '*o*' })).toEqual(['SALES/bob', 'bob', 'root'])
    expect(await chain.list({ pattern: 'labs/*' })).toEqual(['LABS/eve', 'LABS/mia'])
    expect(await chain.listRoles()).toEqual(['Internal/everyone', 'Internal/lab', 'LABS/admin', 'SALES/admin', 'admin'])
    expect(await chain.listMembers('Internal/everyone')).toHaveLength(6)
    expect(await chain.listMembers('sales/admin')).toEqual(['SALES/bob', 'SALES/eve'])
    expect(await chain.listMembers('nothing')).toBeUndefined()
  })

  it('lists the users of a role of one store, and of those alone', async () => {
    expect(await chain.list({ role: 'admin' })).toEqual(['root'])
    expect(await chain.list({ role: 'SALES/admin' })).toEqual(['SALES/bob', 'SALES/eve'])
    expect(await chain.list({ role: 'sales/admin', pattern: 'SALES/b*' })).toEqual(['SALES/bob'])
    expect(await chain.list({ role: 'admin', pattern: 'SALES/*' })).toEqual([])
    expect(await chain.list({ role: 'Internal/lab' })).toEqual(['LABS/mia'])
    expect(await chain.list({ role: 'Internal/everyone', pattern: '*o*' })).toEqual(['SALES/bob', 'bob', 'root'])
  })

  it('changes the store that a name selects', async () => {
    await chain.add({ name: 'Sales/dave', password: 'dave-secret', isAdmin: false })
    expect((await chain.authenticate('dave', 'dave-secret')).account?.subject).toBe('SALES/dave')
    await chain.setPassword('SALES/dave', 'other-secret')
    await chain.addRole('SALES/viewers')
    await chain.changeRoles('SALES/dave', { added: ['SALES/viewers'], removed: [] })
    expect(await sales.find('dave')).toMatchObject({ roles: ['Internal/everyone', 'SALES/viewers'] })
    await chain.removeRole('SALES/viewers')
    await chain.remove('SALES/dave')
    expect(await chain.list({ pattern: 'SALES/*' })).toEqual(['SALES/bob', 'SALES/eve'])
    expect(await primary.list({})).toEqual(['bob', 'root'])
  })

  it('adds administrators to the primary store only', async () => {
    const adding = chain.add({ name: 'SALES/dave', password: 'dave-secret', isAdmin: true })
    await expect(adding).rejects.toThrow(UserChangeError)
    await chain.add({ name: 'dave', password: 'dave-secret', isAdmin: true })
    expect(await chain.find('dave')).toMatchObject({ isAdmin: true })
  })

  it('changes nothing in a store that cannot be managed', async () => {
    const other = {
      authenticate: async () => ({ failure: 'unknown-user' as const }),
      find: () => undefined,
      close() {},
    }
    const mixed = userStoreChain([
      { domain: 'PRIMARY', store: primary },
      { domain: 'X', store: other },
    ])
    await expect(mixed.remove('X/bob')).rejects.toMatchObject({ code: 'read-only' })
    expect(await mixed.list({ pattern: 'X/*' })).toEqual([])
  })

  it('closes every store', async () => {
    await chain.close()
    expect([primary, sales, labs].map(({ isClosed }) => isClosed)).toEqual([true, true, true])
  })

  it('needs a store, and a domain for each', () => {
    expect(() => userStoreChain([])).toThrow(TypeError)
    expect(() =>
      userStoreChain([
        { domain: 'A', store: primary },
        { domain: 'a', store: sales },
      ]),
    ).toThrow(TypeError)
  })
})
