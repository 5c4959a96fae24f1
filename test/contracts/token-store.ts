/**
 * What every token store must do. Each implementation's test calls this once.
 *
 * @module
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tokenId } from '../../lib/internal/token-id.js'
import type { TokenRecord, TokenStore } from '../../lib/tokens/token-store.js'

/** What a store under test is made with. */
export interface ContractStoreOptions {
  readonly maxSize: number
  readonly removeOldestOnOverflow: boolean
  readonly clock: () => number
  /** The bound of portal sessions, which is one of its own. @default at least 10 */
  readonly maxSessions?: number
}

const start = Date.UTC(2026, 0, 1)

/** A record with a digest for an id, as the package makes them. */
export function recordOf(name: string, fields: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: tokenId('management', name),
    kind: 'management',
    audience: undefined,
    parent: undefined,
    idleTimeoutMs: undefined,
    subject: 'alice',
    roles: ['operator'],
    isAdmin: false,
    accountVersion: 'version 1',
    scope: 'default',
    issuedAt: start,
    expiresAt: start + 60_000,
    lastAccessAt: start,
    address: '192.0.2.1',
    ...fields,
  }
}

/** Runs the contract against the stores that `makeStore` makes; each test closes its own. */
export function tokenStoreContract(
  name: string,
  makeStore: (options: ContractStoreOptions) => Promise<TokenStore>,
): void {
  describe(`${name} as a token store`, () => {
    let now: number
    let store: TokenStore

    async function storeWith(options: Partial<ContractStoreOptions>): Promise<TokenStore> {
      await store.close()
      return makeStore({ maxSize: 10, removeOldestOnOverflow: true, clock: () => now, ...options })
    }

    async function idsOf(query?: Parameters<TokenStore['list']>[0]): Promise<string[]> {
      return (await store.list(query)).map(({ id }) => id)
    }

    beforeEach(async () => {
      now = start
      store = await makeStore({ maxSize: 10, removeOldestOnOverflow: true, clock: () => now })
    })

    afterEach(async () => {
      await store.close()
    })

    it('finds a token that was added, with every field', async () => {
      const record = recordOf('a')
      expect(await store.add(record)).toBe(true)
      const found = await store.find(record.id)
      for (const field of Object.keys(record) as (keyof TokenRecord)[])
        expect(found?.[field], field).toEqual(record[field])
    })

    it('keeps fields that may be undefined', async () => {
      const record = recordOf('a', { address: undefined })
      await store.add(record)
      expect((await store.find(record.id))?.address).toBeUndefined()
    })

    it('does not find a token that was never added', async () => {
      await store.add(recordOf('a'))
      expect(await store.find(recordOf('b').id)).toBeUndefined()
      expect(await store.find('__proto__')).toBeUndefined()
    })

    it('holds one token for an id that is added twice', async () => {
      await store.add(recordOf('a'))
      await store.add(recordOf('a', { subject: 'bob' }))
      expect(await idsOf()).toEqual([recordOf('a').id])
      expect(await idsOf({ subject: 'alice' })).toEqual([])
      expect(await store.removeAllOf('bob')).toBe(1)
    })

    it('removes a token once', async () => {
      const { id } = recordOf('a')
      await store.add(recordOf('a'))
      await store.add(recordOf('b'))
      expect(await store.remove(id)).toBe(true)
      expect(await store.remove(id)).toBe(false)
      expect(await store.find(id)).toBeUndefined()
      expect(await idsOf()).toEqual([recordOf('b').id])
    })

    it('removes all tokens of a user, of every kind, and no others', async () => {
      await store.add(recordOf('a'))
      await store.add(recordOf('b', { kind: 'portal' }))
      await store.add(recordOf('c', { subject: 'bob' }))
      expect(await store.removeAllOf('alice')).toBe(2)
      expect(await store.removeAllOf('alice')).toBe(0)
      expect(await idsOf()).toEqual([recordOf('c').id])
    })

    it('takes subjects that differ in case or are names of Object members for different users', async () => {
      for (const subject of ['alice', 'Alice', '__proto__', 'constructor'])
        await store.add(recordOf(subject, { subject }))
      expect(await store.removeAllOf('__proto__')).toBe(1)
      expect(await store.removeAllOf('Alice')).toBe(1)
      expect(await store.removeAllOf('toString')).toBe(0)
      expect(await idsOf({ subject: 'alice' })).toEqual([recordOf('alice').id])
      expect(await idsOf({ subject: 'constructor' })).toEqual([recordOf('constructor').id])
    })

    it('notes when a token was used', async () => {
      const { id } = recordOf('a')
      await store.add(recordOf('a'))
      await store.touch(id, start + 1500)
      expect((await store.find(id))?.lastAccessAt).toBe(start + 1500)
    })

    it('brings no token back to life by touching it', async () => {
      const { id } = recordOf('a')
      await store.add(recordOf('a'))
      await store.remove(id)
      await store.touch(id, start + 1)
      expect(await store.find(id)).toBeUndefined()
      expect(await idsOf()).toEqual([])
    })

    it('lists the most recently used first', async () => {
      for (const name of ['a', 'b', 'c']) {
        now += 1000
        await store.add(recordOf(name, { lastAccessAt: now }))
      }
      await store.touch(recordOf('b').id, now + 1000)
      expect(await idsOf()).toEqual(['b', 'c', 'a'].map((name) => recordOf(name).id))
      expect(await idsOf({ limit: 2 })).toEqual(['b', 'c'].map((name) => recordOf(name).id))
      expect(await idsOf({ limit: 0 })).toEqual([])
      expect(await idsOf({ subject: 'alice', limit: 1 })).toEqual([recordOf('b').id])
    })

    it('takes a look-up for no use', async () => {
      for (const name of ['a', 'b']) {
        now += 1000
        await store.add(recordOf(name, { lastAccessAt: now }))
      }
      await store.find(recordOf('a').id)
      expect(await idsOf()).toEqual(['b', 'a'].map((name) => recordOf(name).id))
    })

    it('lists by kind and by subject', async () => {
      await store.add(recordOf('a'))
      await store.add(recordOf('b', { kind: 'portal' }))
      await store.add(recordOf('c', { kind: 'portal', subject: 'bob' }))
      expect(await idsOf({ kind: 'portal', subject: 'alice' })).toEqual([recordOf('b').id])
      expect((await idsOf({ kind: 'portal' })).toSorted()).toEqual(
        ['b', 'c'].map((name) => recordOf(name).id).toSorted(),
      )
      expect(await idsOf({ kind: 'oauth' })).toEqual([])
    })

    it('lists no token from the moment on at which it expires', async () => {
      await store.add(recordOf('a', { expiresAt: start + 1000 }))
      now = start + 999
      expect(await idsOf()).toHaveLength(1)
      now = start + 1000
      expect(await idsOf()).toEqual([])
      expect(await idsOf({ subject: 'alice' })).toEqual([])
    })

    it('puts out the token that was idle longest when it is full', async () => {
      store = await storeWith({ maxSize: 3 })
      for (const name of ['a', 'b', 'c']) {
        now += 1000
        await store.add(recordOf(name, { subject: name, lastAccessAt: now }))
      }
      now += 1000
      await store.touch(recordOf('a').id, now)
      now += 1000
      expect(await store.add(recordOf('d', { subject: 'd', lastAccessAt: now }))).toBe(true)
      expect(await idsOf()).toEqual(['d', 'a', 'c'].map((name) => recordOf(name).id))
    })

    it('puts an expired token out first', async () => {
      store = await storeWith({ maxSize: 2 })
      await store.add(recordOf('a', { subject: 'a' }))
      await store.add(recordOf('b', { subject: 'b', expiresAt: start + 1000 }))
      now = start + 1000
      expect(await store.add(recordOf('c', { subject: 'c' }))).toBe(true)
      expect(await store.find(recordOf('a').id)).toBeDefined()
      expect(await store.find(recordOf('b').id)).toBeUndefined()
    })

    it('lets a user who holds more than half of it put out an own token only', async () => {
      store = await storeWith({ maxSize: 4 })
      await store.add(recordOf('bob', { subject: 'bob' }))
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
        now += 1000
        await store.add(recordOf(name, { lastAccessAt: now }))
      }
      expect(await store.find(recordOf('bob').id)).toBeDefined()
      expect(await idsOf({ subject: 'alice' })).toEqual(['f', 'e', 'd'].map((name) => recordOf(name).id))
    })

    it('refuses a token when it is full and puts nobody out', async () => {
      store = await storeWith({ maxSize: 1, removeOldestOnOverflow: false })
      expect(await store.add(recordOf('a'))).toBe(true)
      expect(await store.add(recordOf('b'))).toBe(false)
      expect(await store.find(recordOf('a').id)).toBeDefined()
      expect(await store.find(recordOf('b').id)).toBeUndefined()
      now = start + 60_000
      expect(await store.add(recordOf('b', { expiresAt: now + 1 }))).toBe(true)
    })

    describe('with a session', () => {
      /** Ends a minute after its last use, and after ten in any case. */
      const sessionOf = (name: string, fields: Partial<TokenRecord> = {}): TokenRecord =>
        recordOf(name, {
          kind: 'portal',
          audience: 'publisher',
          expiresAt: start + 600_000,
          idleTimeoutMs: 60_000,
          ...fields,
        })
      const { id } = sessionOf('a')

      it('keeps what a token does not have', async () => {
        const record = sessionOf('a', { parent: recordOf('p').id })
        await store.add(record)
        const found = await store.find(id)
        expect(found).toBeDefined()
        for (const field of Object.keys(record) as (keyof TokenRecord)[])
          expect(found?.[field], field).toEqual(record[field])
      })

      it.each([
        ['is listed a second before it was idle for too long', 59_000, 1],
        ['is not listed at the moment it was idle for too long', 60_000, 0],
        ['is not listed a second later', 61_000, 0],
      ])('%s', async (_what, passed, count) => {
        await store.add(sessionOf('a'))
        now = start + passed
        expect(await idsOf()).toHaveLength(count)
        expect(await idsOf({ kind: 'portal' })).toHaveLength(count)
        expect(await idsOf({ subject: 'alice' })).toHaveLength(count)
      })

      it('counts idle time from its last use', async () => {
        await store.add(sessionOf('a'))
        await store.touch(id, start + 59_000)
        now = start + 118_000
        expect(await idsOf()).toEqual([id])
        now = start + 120_000
        expect(await idsOf()).toEqual([])
      })

      it('lets no use put off its absolute end', async () => {
        await store.add(sessionOf('a'))
        for (let minutes = 1; minutes <= 20; minutes++) await store.touch(id, start + minutes * 30_000)
        now = start + 599_999
        expect(await idsOf()).toEqual([id])
        now = start + 600_000
        expect(await idsOf()).toEqual([])
      })

      it('does not come back to life by a use after it was idle for too long', async () => {
        await store.add(sessionOf('a'))
        await store.touch(id, start + 60_000)
        now = start + 60_001
        expect(await idsOf()).toEqual([])
        expect((await store.find(id))?.lastAccessAt ?? start).toBe(start)
      })

      it('does not list what lost its parent, or whose parent has ended', async () => {
        const parent = recordOf('p', { kind: 'sso', expiresAt: start + 5000 })
        await store.add(parent)
        await store.add(sessionOf('a', { parent: parent.id }))
        await store.add(sessionOf('b', { parent: recordOf('never there').id }))
        expect(await idsOf({ kind: 'portal' })).toEqual([id])
        now = start + 5000
        expect(await idsOf()).toEqual([])
        now = start
        await store.remove(parent.id)
        expect(await idsOf()).toEqual([])
      })

      it('puts out no token of another kind, and is put out by none', async () => {
        store = await storeWith({ maxSize: 2, maxSessions: 2 })
        for (const name of ['a', 'b']) await store.add(sessionOf(name))
        for (const name of ['c', 'd', 'e']) await store.add(recordOf(name))
        expect(await idsOf({ kind: 'portal' })).toHaveLength(2)
        expect(await idsOf({ kind: 'management' })).toEqual(['e', 'd'].map((name) => recordOf(name).id))
        expect(await idsOf()).toHaveLength(4)
      })

      it('makes room for another one: first the one that was idle for too long', async () => {
        store = await storeWith({ maxSessions: 2 })
        await store.add(sessionOf('a', { subject: 'a' }))
        await store.add(sessionOf('b', { subject: 'b', idleTimeoutMs: 5000 }))
        await store.touch(id, start + 1000)
        await store.touch(sessionOf('b').id, start + 2000)
        now = start + 7000
        expect(await store.add(sessionOf('c', { subject: 'c', lastAccessAt: now }))).toBe(true)
        expect(await idsOf()).toEqual(['c', 'a'].map((name) => recordOf(name).id))
      })

      it('is removed with everything else of its user', async () => {
        await store.add(sessionOf('a'))
        await store.add(recordOf('b', { kind: 'sso' }))
        await store.add(recordOf('c', { kind: 'oauth', audience: 'https://api.example.com' }))
        await store.add(recordOf('d'))
        expect(await store.removeAllOf('alice')).toBe(4)
        expect(await store.find(id)).toBeUndefined()
      })
    })
  })
}
