import { describe, expect, it, vi } from 'vitest'
import { recordOf } from '../../lib/testing.js'
import { MemoryTokenStore } from '../../lib/tokens/memory-token-store.js'
import { endOf, type RecordKind, type TokenRecord } from '../../lib/tokens/token-store.js'

const start = Date.UTC(2026, 0, 1)

describe('endOf', () => {
  it.each([
    [{ expiresAt: 100, lastAccessAt: 0, idleTimeoutMs: undefined }, 100],
    [{ expiresAt: 100, lastAccessAt: 10, idleTimeoutMs: 50 }, 60],
    [{ expiresAt: 100, lastAccessAt: 90, idleTimeoutMs: 50 }, 100],
  ])('of %j is %i', (record, end) => {
    expect(endOf(record)).toBe(end)
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
    for (let number = 0; number <= bound; number++) store.add(recordOf(`${kind} ${number}`, { kind }))
    expect(evicted).toEqual([kind])
    expect(store.list({ kind })).toHaveLength(bound)
    expect(store.size).toBe(bound)
    store.close()
    expect(store.size).toBe(0)
  })

  it('puts a session out also where management tokens are refused', () => {
    const store = new MemoryTokenStore({ maxSessions: 1, removeOldestOnOverflow: false, clock: () => start })
    expect(store.add(recordOf('a', { kind: 'portal' }))).toBe(true)
    expect(store.add(recordOf('b', { kind: 'portal' }))).toBe(true)
    expect(store.list().map(({ id }) => id)).toEqual([recordOf('b').id])
    store.close()
  })

  it('takes a record in place of one of another kind with the same id', () => {
    const store = new MemoryTokenStore({ clock: () => start })
    store.add(recordOf('a'))
    store.add(recordOf('a', { kind: 'portal' }))
    expect(store.size).toBe(1)
    expect(store.find(recordOf('a').id)?.kind).toBe('portal')
    store.close()
  })

  it('lists all kinds in the order of use', () => {
    const store = new MemoryTokenStore({ clock: () => start })
    const kinds = ['management', 'portal', 'oauth', 'sso'] as const
    for (const kind of kinds) store.add(recordOf(kind, { kind }))
    store.touch(recordOf('portal').id, start + 1)
    store.touch(recordOf('management').id, start + 1)
    store.touch(recordOf('nobody').id, start + 1)
    expect(store.list().map(({ kind }) => kind)).toEqual(['management', 'portal', 'sso', 'oauth'])
    expect(store.list({ subject: 'alice', limit: 2 }).map(({ kind }) => kind)).toEqual(['management', 'portal'])
    store.close()
  })

  it('frees idle sessions by and by, and stops its timer behind the last one', () => {
    vi.useFakeTimers({ now: start })
    try {
      const store = new MemoryTokenStore({ cleanUpIntervalSeconds: 10 })
      const idle = { kind: 'portal', idleTimeoutMs: 15_000, expiresAt: start + 600_000 } as const
      for (const name of ['a', 'b']) store.add(recordOf(name, idle))
      vi.advanceTimersByTime(10_000)
      store.touch(recordOf('a').id, Date.now())
      vi.advanceTimersByTime(10_000)
      expect(store.find(recordOf('a').id)).toBeDefined()
      expect(store.find(recordOf('b').id)).toBeUndefined()
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
      store.add(recordOf('a', { kind: 'portal' }))
      store.add(recordOf('b', { kind: 'oauth', subject: 'bob' }))
      store.add(recordOf('c', { subject: 'bob' }))
      expect(store.removeAllOf('alice')).toBe(1)
      expect(vi.getTimerCount()).toBe(1)
      store.remove(recordOf('b').id)
      expect(vi.getTimerCount()).toBe(1)
      store.remove(recordOf('c').id)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('lists one kind and no other that shares its place', () => {
    const store = new MemoryTokenStore({ clock: () => start })
    for (const kind of ['management', 'basic', 'portal', 'sso'] as const) store.add(recordOf(kind, { kind }))
    for (const kind of ['management', 'basic', 'portal', 'sso'] as const) {
      expect(store.list({ kind }).map(({ id }) => id)).toEqual([recordOf(kind).id])
      expect(store.list({ kind, subject: 'alice' }).map(({ id }) => id)).toEqual([recordOf(kind).id])
    }
    expect(store.list({ kind: 'oauth' })).toEqual([])
    store.close()
  })

  it('stops its timer when the last token of a user is removed', () => {
    vi.useFakeTimers({ now: start })
    try {
      const store = new MemoryTokenStore()
      store.add(recordOf('a', { kind: 'portal' }))
      expect(vi.getTimerCount()).toBe(1)
      store.removeAllOf('alice')
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
    names.forEach((name, number) => void store.add(recordOf(name, fields(number))))
    for (let step = 1; step <= 40; step++) {
      now = start + step * 100
      names.forEach((name, number) => {
        if ((number * step) % 7 === 0) store.touch(recordOf(name).id, now)
      })
      const live = store.list({ limit: 100 }).map(({ id }) => id)
      const expected = names.filter((name) => {
        const found = store.find(recordOf(name).id)
        return found !== undefined && endOf(found) > now
      })
      expect(live.toSorted()).toEqual(expected.map((name) => recordOf(name).id).toSorted())
    }
    now = start + 60_000
    for (const number of [100, 101])
      store.add(recordOf(`session ${number}`, { ...fields(number), expiresAt: now + 1, lastAccessAt: now }))
    expect(store.size).toBe(2)
    store.close()
  })
})
