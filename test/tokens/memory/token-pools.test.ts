import { describe, expect, it, vi } from 'vitest'
import { createRecord } from '../../../lib/testing.js'
import { MemoryTokenStore } from '../../../lib/tokens/memory/memory-token-store.js'
import { StoredToken } from '../../../lib/tokens/memory/stored-token.js'
import { getExpiry, type RecordKind, type TokenRecord } from '../../../lib/tokens/token-store.js'

const start = Date.UTC(2026, 0, 1)

describe('getExpiry', () => {
  it.each([
    [{ expiresAt: 100, lastAccessAt: 0, idleTimeoutMs: undefined }, 100],
    [{ expiresAt: 100, lastAccessAt: 10, idleTimeoutMs: 50 }, 60],
    [{ expiresAt: 100, lastAccessAt: 90, idleTimeoutMs: 50 }, 100],
  ])('of %j is %i', (record, end) => {
    expect(getExpiry(record)).toBe(end)
  })
})

describe('MemoryTokenStore with several kinds', () => {
  it.each(['maxSessions', 'maxOAuthTokens'])('refuses a %s that is no integer from 1', (name) => {
    for (const value of [0, -1, 1.5, Number.NaN, '5', null]) {
      expect(() => new MemoryTokenStore({ [name]: value })).toThrow(new RegExp(`^"${name}" option must be an integer`))
    }
    for (const value of [1, undefined]) expect(() => new MemoryTokenStore({ [name]: value })).not.toThrow()
  })

  it.each<[RecordKind, number]>([
    ['management', 1],
    ['basic', 1],
    ['portal', 2],
    ['sso', 2],
    ['oauth', 3],
  ])('bounds %s by %i of its own', (kind, bound) => {
    const evicted: RecordKind[] = []
    const store = new MemoryTokenStore({
      maxSize: 1,
      maxSessions: 2,
      maxOAuthTokens: 3,
      onEvict: (record) => evicted.push(record.kind),
      clock: () => start,
    })
    for (let number = 0; number <= bound; number++) store.add(createRecord(`${kind} ${number}`, { kind }))
    expect(evicted).toEqual([kind])
    expect(store.list({ kind })).toHaveLength(bound)
    expect(store.size).toBe(bound)
    store.close()
    expect(store.size).toBe(0)
  })

  it('puts a session out also where management tokens are refused', () => {
    const store = new MemoryTokenStore({ maxSessions: 1, removeOldestOnOverflow: false, clock: () => start })
    expect(store.add(createRecord('a', { kind: 'portal' }))).toBe(true)
    expect(store.add(createRecord('b', { kind: 'portal' }))).toBe(true)
    expect(store.list().map(({ id }) => id)).toEqual([createRecord('b').id])
    store.close()
  })

  it('touches sessions that end at their absolute time at the same cost, however many there are', () => {
    const count = 1000
    const store = new MemoryTokenStore({ clock: () => start })
    const records = Array.from({ length: count }, (_, number) =>
      createRecord(`${number}`, {
        kind: 'portal',
        issuedAt: start,
        lastAccessAt: start,
        idleTimeoutMs: 900_000,
        expiresAt: start + 900_000 - number,
      }),
    )
    for (const record of records) store.add(record)
    const reads = vi.spyOn(StoredToken.prototype, 'endsAt', 'get')
    for (const { id } of records) store.touch(id, start + 1)
    expect(reads.mock.calls.length).toBeLessThan(5 * count)
    reads.mockRestore()
    store.close()
  })

  it('takes a record in place of one of another kind with the same id', () => {
    const store = new MemoryTokenStore({ clock: () => start })
    store.add(createRecord('a'))
    store.add(createRecord('a', { kind: 'portal' }))
    expect(store.size).toBe(1)
    expect(store.find(createRecord('a').id)?.kind).toBe('portal')
    store.close()
  })

  it('lists all kinds in the order of use', () => {
    const store = new MemoryTokenStore({ clock: () => start })
    const kinds = ['management', 'portal', 'oauth', 'sso'] as const
    for (const kind of kinds) store.add(createRecord(kind, { kind }))
    store.touch(createRecord('portal').id, start + 1)
    store.touch(createRecord('management').id, start + 1)
    store.touch(createRecord('nobody').id, start + 1)
    expect(store.list().map(({ kind }) => kind)).toEqual(['management', 'portal', 'sso', 'oauth'])
    expect(store.list({ subject: 'alice', limit: 2 }).map(({ kind }) => kind)).toEqual(['management', 'portal'])
    store.close()
  })

  it('frees idle sessions by and by, and stops its timer behind the last one', () => {
    vi.useFakeTimers({ now: start })
    try {
      const store = new MemoryTokenStore({ cleanUpIntervalMs: 10_000 })
      const idle = { kind: 'portal', idleTimeoutMs: 15_000, expiresAt: start + 600_000 } as const
      for (const name of ['a', 'b']) store.add(createRecord(name, idle))
      vi.advanceTimersByTime(10_000)
      store.touch(createRecord('a').id, Date.now())
      vi.advanceTimersByTime(10_000)
      expect(store.find(createRecord('a').id)).toBeDefined()
      expect(store.find(createRecord('b').id)).toBeUndefined()
      vi.advanceTimersByTime(10_000)
      expect(store.size).toBe(0)
      expect(vi.getTimerCount()).toBe(0)
      store.close()
    } finally {
      vi.useRealTimers()
    }
  })

  it('keeps its timer until the last token of all is removed', () => {
    vi.useFakeTimers({ now: start })
    try {
      const store = new MemoryTokenStore()
      store.add(createRecord('a', { kind: 'portal' }))
      store.add(createRecord('b', { kind: 'oauth', subject: 'bob' }))
      store.add(createRecord('c', { subject: 'bob' }))
      expect(store.removeBySubject('alice')).toBe(1)
      expect(vi.getTimerCount()).toBe(1)
      store.remove(createRecord('b').id)
      expect(vi.getTimerCount()).toBe(1)
      store.remove(createRecord('c').id)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('lists one kind and no other that shares its place', () => {
    const store = new MemoryTokenStore({ clock: () => start })
    for (const kind of ['management', 'basic', 'portal', 'sso'] as const) store.add(createRecord(kind, { kind }))
    for (const kind of ['management', 'basic', 'portal', 'sso'] as const) {
      expect(store.list({ kind }).map(({ id }) => id)).toEqual([createRecord(kind).id])
      expect(store.list({ kind, subject: 'alice' }).map(({ id }) => id)).toEqual([createRecord(kind).id])
    }
    expect(store.list({ kind: 'oauth' })).toEqual([])
    store.close()
  })

  it('stops its timer when the last token of a user is removed', () => {
    vi.useFakeTimers({ now: start })
    try {
      const store = new MemoryTokenStore()
      store.add(createRecord('a', { kind: 'portal' }))
      expect(vi.getTimerCount()).toBe(1)
      store.removeBySubject('alice')
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('finds expired sessions however often their order has changed', () => {
    let now = start
    const store = new MemoryTokenStore({ maxSessions: 50, clock: () => now })
    const names = Array.from({ length: 50 }, (_, number) => `session ${number}`)
    const fields = (number: number): Partial<TokenRecord> => ({
      kind: 'portal',
      subject: `user ${number}`,
      // Time-outs in no order, and an absolute end that comes first for some.
      idleTimeoutMs: 1000 + ((number * 37) % 50) * 100,
      expiresAt: start + 3000 + ((number * 13) % 50) * 100,
      lastAccessAt: start,
    })
    names.forEach((name, number) => void store.add(createRecord(name, fields(number))))
    for (let step = 1; step <= 40; step++) {
      now = start + step * 100
      names.forEach((name, number) => {
        if ((number * step) % 7 === 0) store.touch(createRecord(name).id, now)
      })
      const live = store.list({ limit: 100 }).map(({ id }) => id)
      const expected = names.filter((name) => {
        const found = store.find(createRecord(name).id)
        return found !== undefined && getExpiry(found) > now
      })
      expect(live.toSorted()).toEqual(expected.map((name) => createRecord(name).id).toSorted())
    }
    now = start + 60_000
    for (const number of [100, 101])
      store.add(createRecord(`session ${number}`, { ...fields(number), expiresAt: now + 1, lastAccessAt: now }))
    expect(store.size).toBe(2)
    store.close()
  })
})
