/**
 * What every token store has to do, as tests that any runner takes.
 *
 * @module
 */

import { deepEqual, equal, ok } from 'node:assert/strict'
import type { TokenRecord, TokenStore } from '../tokens/token-store.js'
import { ContractStage, type ContractStoreOptions, createRecord, idsFor, start } from './contract-stage.js'
import { sessionContract } from './session-contract.js'

/** The two functions that vitest, Jest, Mocha and `node:test` have in common. */
export interface TestRunner {
  /** Groups tests. */
  readonly describe: (name: string, define: () => void) => void
  /** Defines one test. */
  readonly it: (name: string, test: () => Promise<void>) => void
}

/** Defines one test of a contract. */
export type DefineTest = (title: string, test: (stage: ContractStage) => Promise<void>) => void

/**
 * Defines the tests of the contract for the stores that `makeStore` makes: one for each test, which closes it.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest' // or node:test
 * import { tokenStoreContract } from 'sallyport/testing'
 *
 * tokenStoreContract({ describe, it }, 'MyTokenStore', async (options) => new MyTokenStore(options))
 * ```
 */
export function tokenStoreContract(
  { describe, it: define }: TestRunner,
  name: string,
  makeStore: (options: ContractStoreOptions) => Promise<TokenStore>,
): void {
  const it: DefineTest = (title, test) =>
    define(title, async () => {
      const stage = new ContractStage(makeStore)
      await stage.startStore()
      await test(stage).finally(() => stage.store.close())
    })

  describe(`${name} as a token store`, () => {
    it('finds a token that was added, with every field', async (stage) => {
      const record = createRecord('a')
      equal(await stage.store.add(record), true)
      const found = await stage.store.find(record.id)
      for (const field of Object.keys(record) as (keyof TokenRecord)[]) deepEqual(found?.[field], record[field], field)
    })

    it('keeps fields that may be undefined', async (stage) => {
      const record = createRecord('a', { address: undefined })
      await stage.store.add(record)
      equal((await stage.store.find(record.id))?.address, undefined)
    })

    it('does not find a token that was never added', async (stage) => {
      await stage.store.add(createRecord('a'))
      equal(await stage.store.find(createRecord('b').id), undefined)
      equal(await stage.store.find('__proto__'), undefined)
    })

    it('holds one token for an id that is added twice', async (stage) => {
      await stage.store.add(createRecord('a'))
      await stage.store.add(createRecord('a', { subject: 'bob' }))
      deepEqual(await stage.idsFrom(), idsFor('a'))
      deepEqual(await stage.idsFrom({ subject: 'alice' }), [])
      equal(await stage.store.removeBySubject('bob'), 1)
    })

    it('removes a token once', async (stage) => {
      const { id } = createRecord('a')
      await stage.store.add(createRecord('a'))
      await stage.store.add(createRecord('b'))
      equal(await stage.store.remove(id), true)
      equal(await stage.store.remove(id), false)
      equal(await stage.store.find(id), undefined)
      deepEqual(await stage.idsFrom(), idsFor('b'))
    })

    it('removes all tokens of a user, of every kind, and no others', async (stage) => {
      await stage.store.add(createRecord('a'))
      await stage.store.add(createRecord('b', { kind: 'portal' }))
      await stage.store.add(createRecord('c', { subject: 'bob' }))
      equal(await stage.store.removeBySubject('alice'), 2)
      equal(await stage.store.removeBySubject('alice'), 0)
      deepEqual(await stage.idsFrom(), idsFor('c'))
    })

    it('takes subjects that differ in case or are names of Object members for different users', async (stage) => {
      for (const subject of ['alice', 'Alice', '__proto__', 'constructor'])
        await stage.store.add(createRecord(subject, { subject }))
      equal(await stage.store.removeBySubject('__proto__'), 1)
      equal(await stage.store.removeBySubject('Alice'), 1)
      equal(await stage.store.removeBySubject('toString'), 0)
      deepEqual(await stage.idsFrom({ subject: 'alice' }), idsFor('alice'))
      deepEqual(await stage.idsFrom({ subject: 'constructor' }), idsFor('constructor'))
    })

    it('notes when a token was used', async (stage) => {
      const { id } = createRecord('a')
      await stage.store.add(createRecord('a'))
      await stage.store.touch(id, start + 1500)
      equal((await stage.store.find(id))?.lastAccessAt, start + 1500)
    })

    it('brings no token back to life by touching it', async (stage) => {
      const { id } = createRecord('a')
      await stage.store.add(createRecord('a'))
      await stage.store.remove(id)
      await stage.store.touch(id, start + 1)
      equal(await stage.store.find(id), undefined)
      deepEqual(await stage.idsFrom(), [])
    })

    it('lists the most recently used first', async (stage) => {
      for (const name of ['a', 'b', 'c']) {
        stage.now += 1000
        await stage.store.add(createRecord(name, { lastAccessAt: stage.now }))
      }
      await stage.store.touch(createRecord('b').id, stage.now + 1000)
      deepEqual(await stage.idsFrom(), idsFor('b', 'c', 'a'))
      deepEqual(await stage.idsFrom({ limit: 2 }), idsFor('b', 'c'))
      deepEqual(await stage.idsFrom({ limit: 0 }), [])
      deepEqual(await stage.idsFrom({ subject: 'alice', limit: 1 }), idsFor('b'))
    })

    it('takes a look-up for no use', async (stage) => {
      for (const name of ['a', 'b']) {
        stage.now += 1000
        await stage.store.add(createRecord(name, { lastAccessAt: stage.now }))
      }
      await stage.store.find(createRecord('a').id)
      deepEqual(await stage.idsFrom(), idsFor('b', 'a'))
    })

    it('lists by kind and by subject', async (stage) => {
      await stage.store.add(createRecord('a'))
      await stage.store.add(createRecord('b', { kind: 'portal' }))
      await stage.store.add(createRecord('c', { kind: 'portal', subject: 'bob' }))
      deepEqual(await stage.idsFrom({ kind: 'portal', subject: 'alice' }), idsFor('b'))
      deepEqual((await stage.idsFrom({ kind: 'portal' })).toSorted(), idsFor('b', 'c').toSorted())
      deepEqual(await stage.idsFrom({ kind: 'oauth' }), [])
    })

    it('lists no token from the moment on at which it expires', async (stage) => {
      await stage.store.add(createRecord('a', { expiresAt: start + 1000 }))
      stage.now = start + 999
      equal((await stage.idsFrom()).length, 1)
      stage.now = start + 1000
      deepEqual(await stage.idsFrom(), [])
      deepEqual(await stage.idsFrom({ subject: 'alice' }), [])
    })

    it('evicts the token that was idle longest when it is full', async (stage) => {
      await stage.startStore({ maxSize: 3 })
      for (const name of ['a', 'b', 'c']) {
        stage.now += 1000
        await stage.store.add(createRecord(name, { subject: name, lastAccessAt: stage.now }))
      }
      stage.now += 1000
      await stage.store.touch(createRecord('a').id, stage.now)
      stage.now += 1000
      equal(await stage.store.add(createRecord('d', { subject: 'd', lastAccessAt: stage.now })), true)
      deepEqual(await stage.idsFrom(), idsFor('d', 'a', 'c'))
    })

    it('removes an expired token first', async (stage) => {
      await stage.startStore({ maxSize: 2 })
      await stage.store.add(createRecord('a', { subject: 'a' }))
      await stage.store.add(createRecord('b', { subject: 'b', expiresAt: start + 1000 }))
      stage.now = start + 1000
      equal(await stage.store.add(createRecord('c', { subject: 'c' })), true)
      ok(await stage.store.find(createRecord('a').id))
      equal(await stage.store.find(createRecord('b').id), undefined)
    })

    it('lets a user who holds more than half of it evict an own token only', async (stage) => {
      await stage.startStore({ maxSize: 4 })
      await stage.store.add(createRecord('bob', { subject: 'bob' }))
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
        stage.now += 1000
        await stage.store.add(createRecord(name, { lastAccessAt: stage.now }))
      }
      ok(await stage.store.find(createRecord('bob').id))
      deepEqual(await stage.idsFrom({ subject: 'alice' }), idsFor('f', 'e', 'd'))
    })

    it('refuses a token when it is full and evicts nothing', async (stage) => {
      await stage.startStore({ maxSize: 1, removeOldestOnOverflow: false })
      equal(await stage.store.add(createRecord('a')), true)
      equal(await stage.store.add(createRecord('b')), false)
      ok(await stage.store.find(createRecord('a').id))
      equal(await stage.store.find(createRecord('b').id), undefined)
      stage.now = start + 60_000
      equal(await stage.store.add(createRecord('b', { expiresAt: stage.now + 1 })), true)
    })
  })
  describe(`${name} as a store of sessions`, () => sessionContract(it))
}
