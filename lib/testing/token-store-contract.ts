/**
 * What every token store has to do, as tests that any runner takes.
 *
 * @module
 */

import { deepEqual, equal, ok } from 'node:assert/strict'
import type { TokenRecord, TokenStore } from '../tokens/token-store.js'
import { ContractStage, type ContractStoreOptions, idsFor, recordOf, start } from './contract-stage.js'
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
      const record = recordOf('a')
      equal(await stage.store.add(record), true)
      const found = await stage.store.find(record.id)
      for (const field of Object.keys(record) as (keyof TokenRecord)[]) deepEqual(found?.[field], record[field], field)
    })

    it('keeps fields that may be undefined', async (stage) => {
      const record = recordOf('a', { address: undefined })
      await stage.store.add(record)
      equal((await stage.store.find(record.id))?.address, undefined)
    })

    it('does not find a token that was never added', async (stage) => {
      await stage.store.add(recordOf('a'))
      equal(await stage.store.find(recordOf('b').id), undefined)
      equal(await stage.store.find('__proto__'), undefined)
    })

    it('holds one token for an id that is added twice', async (stage) => {
      await stage.store.add(recordOf('a'))
      await stage.store.add(recordOf('a', { subject: 'bob' }))
      deepEqual(await stage.idsOf(), idsFor('a'))
      deepEqual(await stage.idsOf({ subject: 'alice' }), [])
      equal(await stage.store.removeAllOf('bob'), 1)
    })

    it('removes a token once', async (stage) => {
      const { id } = recordOf('a')
      await stage.store.add(recordOf('a'))
      await stage.store.add(recordOf('b'))
      equal(await stage.store.remove(id), true)
      equal(await stage.store.remove(id), false)
      equal(await stage.store.find(id), undefined)
      deepEqual(await stage.idsOf(), idsFor('b'))
    })

    it('removes all tokens of a user, of every kind, and no others', async (stage) => {
      await stage.store.add(recordOf('a'))
      await stage.store.add(recordOf('b', { kind: 'portal' }))
      await stage.store.add(recordOf('c', { subject: 'bob' }))
      equal(await stage.store.removeAllOf('alice'), 2)
      equal(await stage.store.removeAllOf('alice'), 0)
      deepEqual(await stage.idsOf(), idsFor('c'))
    })

    it('takes subjects that differ in case or are names of Object members for different users', async (stage) => {
      for (const subject of ['alice', 'Alice', '__proto__', 'constructor'])
        await stage.store.add(recordOf(subject, { subject }))
      equal(await stage.store.removeAllOf('__proto__'), 1)
      equal(await stage.store.removeAllOf('Alice'), 1)
      equal(await stage.store.removeAllOf('toString'), 0)
      deepEqual(await stage.idsOf({ subject: 'alice' }), idsFor('alice'))
      deepEqual(await stage.idsOf({ subject: 'constructor' }), idsFor('constructor'))
    })

    it('notes when a token was used', async (stage) => {
      const { id } = recordOf('a')
      await stage.store.add(recordOf('a'))
      await stage.store.touch(id, start + 1500)
      equal((await stage.store.find(id))?.lastAccessAt, start + 1500)
    })

    it('brings no token back to life by touching it', async (stage) => {
      const { id } = recordOf('a')
      await stage.store.add(recordOf('a'))
      await stage.store.remove(id)
      await stage.store.touch(id, start + 1)
      equal(await stage.store.find(id), undefined)
      deepEqual(await stage.idsOf(), [])
    })

    it('lists the most recently used first', async (stage) => {
      for (const name of ['a', 'b', 'c']) {
        stage.now += 1000
        await stage.store.add(recordOf(name, { lastAccessAt: stage.now }))
      }
      await stage.store.touch(recordOf('b').id, stage.now + 1000)
      deepEqual(await stage.idsOf(), idsFor('b', 'c', 'a'))
      deepEqual(await stage.idsOf({ limit: 2 }), idsFor('b', 'c'))
      deepEqual(await stage.idsOf({ limit: 0 }), [])
      deepEqual(await stage.idsOf({ subject: 'alice', limit: 1 }), idsFor('b'))
    })

    it('takes a look-up for no use', async (stage) => {
      for (const name of ['a', 'b']) {
        stage.now += 1000
        await stage.store.add(recordOf(name, { lastAccessAt: stage.now }))
      }
      await stage.store.find(recordOf('a').id)
      deepEqual(await stage.idsOf(), idsFor('b', 'a'))
    })

    it('lists by kind and by subject', async (stage) => {
      await stage.store.add(recordOf('a'))
      await stage.store.add(recordOf('b', { kind: 'portal' }))
      await stage.store.add(recordOf('c', { kind: 'portal', subject: 'bob' }))
      deepEqual(await stage.idsOf({ kind: 'portal', subject: 'alice' }), idsFor('b'))
      deepEqual((await stage.idsOf({ kind: 'portal' })).toSorted(), idsFor('b', 'c').toSorted())
      deepEqual(await stage.idsOf({ kind: 'oauth' }), [])
    })

    it('lists no token from the moment on at which it expires', async (stage) => {
      await stage.store.add(recordOf('a', { expiresAt: start + 1000 }))
      stage.now = start + 999
      equal((await stage.idsOf()).length, 1)
      stage.now = start + 1000
      deepEqual(await stage.idsOf(), [])
      deepEqual(await stage.idsOf({ subject: 'alice' }), [])
    })

    it('puts out the token that was idle longest when it is full', async (stage) => {
      await stage.startStore({ maxSize: 3 })
      for (const name of ['a', 'b', 'c']) {
        stage.now += 1000
        await stage.store.add(recordOf(name, { subject: name, lastAccessAt: stage.now }))
      }
      stage.now += 1000
      await stage.store.touch(recordOf('a').id, stage.now)
      stage.now += 1000
      equal(await stage.store.add(recordOf('d', { subject: 'd', lastAccessAt: stage.now })), true)
      deepEqual(await stage.idsOf(), idsFor('d', 'a', 'c'))
    })

    it('puts an expired token out first', async (stage) => {
      await stage.startStore({ maxSize: 2 })
      await stage.store.add(recordOf('a', { subject: 'a' }))
      await stage.store.add(recordOf('b', { subject: 'b', expiresAt: start + 1000 }))
      stage.now = start + 1000
      equal(await stage.store.add(recordOf('c', { subject: 'c' })), true)
      ok(await stage.store.find(recordOf('a').id))
      equal(await stage.store.find(recordOf('b').id), undefined)
    })

    it('lets a user who holds more than half of it put out an own token only', async (stage) => {
      await stage.startStore({ maxSize: 4 })
      await stage.store.add(recordOf('bob', { subject: 'bob' }))
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
        stage.now += 1000
        await stage.store.add(recordOf(name, { lastAccessAt: stage.now }))
      }
      ok(await stage.store.find(recordOf('bob').id))
      deepEqual(await stage.idsOf({ subject: 'alice' }), idsFor('f', 'e', 'd'))
    })

    it('refuses a token when it is full and puts nobody out', async (stage) => {
      await stage.startStore({ maxSize: 1, removeOldestOnOverflow: false })
      equal(await stage.store.add(recordOf('a')), true)
      equal(await stage.store.add(recordOf('b')), false)
      ok(await stage.store.find(recordOf('a').id))
      equal(await stage.store.find(recordOf('b').id), undefined)
      stage.now = start + 60_000
      equal(await stage.store.add(recordOf('b', { expiresAt: stage.now + 1 })), true)
    })
  })
  describe(`${name} as a store of sessions`, () => sessionContract(it))
}
