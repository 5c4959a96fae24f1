import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { checkedTokenStore } from '../../../lib/tokens/checked-token-store.js'
import { createApiToken, hashApiToken, isApiToken } from '../../../lib/tokens/machines/api-token-text.js'
import { createTombstones } from '../../../lib/tokens/machines/tombstones.js'
import { MemoryTokenStore } from '../../../lib/tokens/memory/memory-token-store.js'
import { processesContract } from './processes-contract.js'

const now = Date.UTC(2026, 0, 1)

describe('tokens that were not issued here, in memory', () => {
  processesContract(async () => {
    const store = new MemoryTokenStore({ clock: () => now })
    return { stores: [store, store], clock: () => now }
  })
})

describe('the text of an API token', () => {
  it('has a prefix, 256 random bits and a checksum, and no two are equal', () => {
    const tokens = Array.from({ length: 1000 }, createApiToken)
    expect(new Set(tokens).size).toBe(1000)
    for (const token of tokens) {
      expect(token).toMatch(/^sallyport_[0-9A-Za-z]{49}$/)
      expect(isApiToken(token)).toBe(true)
    }
  })

  it('is told from every text that differs by a character', () => {
    const token = createApiToken()
    for (let index = 'sallyport_'.length; index < token.length; index++) {
      const other = token[index] === 'x' ? 'y' : 'x'
      expect(isApiToken(token.slice(0, index) + other + token.slice(index + 1))).toBe(false)
    }
    expect(isApiToken(`${token}\n`)).toBe(false)
  })

  it('is hashed as sha256sum does it', () => {
    expect(hashApiToken('sallyport_')).toBe('7ec08104dcfc908c989acca7a057b9f5c0c2222b07624c521cf3f9585f693def')
  })
})

describe('a tombstone', () => {
  it('is never evicted, is in no list, and is of no user', async () => {
    const store = checkedTokenStore(new MemoryTokenStore({ clock: () => now }))
    const tombstones = createTombstones(store, () => now)
    await tombstones.add('one', now, now + 1000)
    await store.removeBySubject('alice')
    expect(await store.list()).toEqual([])
    expect(await tombstones.refuses('one', 'alice', undefined)).toBe(true)
    expect(await tombstones.refuses('two', 'alice', undefined)).toBe(false)
  })

  it('that a store has no room for is an error, not a revocation', async () => {
    const store = { find: () => undefined, add: () => false } as unknown as MemoryTokenStore
    const tombstones = createTombstones(checkedTokenStore(store), () => now)
    await expect(tombstones.add('one', now, now + 1000)).rejects.toThrow(StoreError)
  })
})
