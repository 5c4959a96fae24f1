import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRecord, tokenStoreContract } from '../../../lib/testing.js'
import { MemoryTokenStore, type MemoryTokenStoreOptions } from '../../../lib/tokens/memory/memory-token-store.js'
import type { TokenRecord } from '../../../lib/tokens/token-store.js'

tokenStoreContract({ describe, it }, 'MemoryTokenStore', async (options) => new MemoryTokenStore(options))

const start = Date.UTC(2026, 0, 1)

describe('MemoryTokenStore', () => {
  let now = start
  const clock = (): number => now
  const idsIn = (store: MemoryTokenStore): string[] => store.list({ limit: 1000 }).map(({ id }) => id)

  beforeEach(() => {
    now = start
    vi.useFakeTimers({ now: start })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  describe('options', () => {
    it.each(['maxSize', 'maxPerUser', 'cleanUpIntervalMs'])('refuses a %s that is no integer from 1', (name) => {
      for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null]) {
        expect(() => new MemoryTokenStore({ [name]: value })).toThrow(
          new RegExp(`^"${name}" option must be an integer`),
        )
      }
      for (const value of [1, undefined]) expect(() => new MemoryTokenStore({ [name]: value })).not.toThrow()
    })

    it('refuses an interval that Node would take for no interval', () => {
      expect(() => new MemoryTokenStore({ cleanUpIntervalMs: 2_147_483_000 })).not.toThrow()
      expect(() => new MemoryTokenStore({ cleanUpIntervalMs: 2_147_484_000 })).toThrow(TypeError)
    })

    it('holds 200 tokens by default and puts out the one that was idle longest', () => {
      const evicted: TokenRecord[] = []
      const store = new MemoryTokenStore({ onEvict: (record) => evicted.push(record), clock })
      for (let number = 0; number < 201; number++)
        store.add(createRecord(`token ${number}`, { subject: `user ${number}` }))
      expect(store.size).toBe(200)
      expect(evicted.map(({ id }) => id)).toEqual([createRecord('token 0').id])
      store.close()
    })
  })

  it('answers at once, never with a promise', () => {
    const store = new MemoryTokenStore({ clock })
    const { id } = createRecord('a')
    expect(store.add(createRecord('a'))).toBe(true)
    expect(store.find(id)).not.toBeInstanceOf(Promise)
    expect(store.touch(id, now)).toBeUndefined()
    expect(store.remove(id)).toBe(true)
    expect(store.removeBySubject('alice')).toBe(0)
    expect(store.list()).toEqual([])
    expect(store.close()).toBeUndefined()
  })

  it('answers one and the same object for a token, so that its account can be set', () => {
    const store = new MemoryTokenStore({ clock })
    store.add(createRecord('a'))
    const account = { version: 'version 1', roles: [], isAdmin: false, hasEnded: false, checkedAt: 0 }
    store.find(createRecord('a').id)!.account = account
    expect(store.find(createRecord('a').id)?.account).toBe(account)
    store.close()
  })

  it('lists 100 tokens unless more are asked for', () => {
    const store = new MemoryTokenStore({ maxSize: 150, clock })
    for (let number = 0; number < 150; number++)
      store.add(createRecord(`token ${number}`, { subject: `user ${number}` }))
    expect(store.list()).toHaveLength(100)
    expect(store.list({ limit: 1000 })).toHaveLength(150)
    store.close()
  })

  describe('eviction', () => {
    function storeWith(options: MemoryTokenStoreOptions): { store: MemoryTokenStore; evicted: string[] } {
      const evicted: string[] = []
      const store = new MemoryTokenStore({ clock, onEvict: ({ id }) => evicted.push(id), ...options })
      return { store, evicted }
    }

    it('puts out the longest idle of all when the user holds exactly half', () => {
      const { store, evicted } = storeWith({ maxSize: 4 })
      for (const [name, subject] of Object.entries({ a: 'bob', b: 'bob', c: 'alice', d: 'alice', e: 'alice' })) {
        store.add(createRecord(name, { subject }))
      }
      expect(evicted).toEqual([createRecord('a').id])
      store.close()
    })

    it('at maxPerUser puts out the longest idle of that user, in a store with room', () => {
      const { store, evicted } = storeWith({ maxSize: 10, maxPerUser: 2 })
      store.add(createRecord('bob', { subject: 'bob' }))
      for (const name of ['a', 'b']) store.add(createRecord(name))
      store.touch(createRecord('a').id, now)
      expect(store.add(createRecord('c'))).toBe(true)
      expect(evicted).toEqual([createRecord('b').id])
      expect(store.size).toBe(3)
      store.close()
    })

    it('at maxPerUser refuses when it puts nobody out, until one of that user has expired', () => {
      const { store, evicted } = storeWith({ maxPerUser: 2, removeOldestOnOverflow: false })
      store.add(createRecord('a', { expiresAt: start + 1000 }))
      store.add(createRecord('b'))
      expect(store.add(createRecord('c'))).toBe(false)
      expect(store.add(createRecord('bob', { subject: 'bob' }))).toBe(true)
      now = start + 1000
      expect(store.add(createRecord('c'))).toBe(true)
      expect(evicted).toEqual([])
      store.close()
    })

    it('reports no token that had expired', () => {
      const { store, evicted } = storeWith({ maxSize: 1 })
      store.add(createRecord('a', { expiresAt: start + 1 }))
      now = start + 1
      store.add(createRecord('b'))
      expect(evicted).toEqual([])
      expect(store.size).toBe(1)
      store.close()
    })

    it('keeps the order of use of 20 000 tokens', () => {
      const maxSize = 20_000
      const { store, evicted } = storeWith({ maxSize })
      const added = Array.from({ length: maxSize }, (_, number) =>
        createRecord(`token ${number}`, { subject: `user ${number}` }),
      )
      for (const record of added) store.add(record)
      store.touch(added[0]!.id, now)
      store.remove(added[1]!.id)
      for (let number = 0; number < 4; number++)
        store.add(createRecord(`late ${number}`, { subject: `late ${number}` }))
      expect(evicted).toEqual(added.slice(2, 5).map(({ id }) => id))
      const listed = ['late 3', 'late 2', 'late 1', 'late 0', 'token 0', 'token 19999'].map(
        (name) => createRecord(name).id,
      )
      expect(store.list({ limit: 6 }).map(({ id }) => id)).toEqual(listed)
      expect(store.list({ limit: maxSize })).toHaveLength(maxSize)
      store.close()
    })
  })

  describe('clean-up', () => {
    it('has a timer only while there are tokens', () => {
      const store = new MemoryTokenStore({ clock })
      expect(vi.getTimerCount()).toBe(0)
      store.add(createRecord('a'))
      store.add(createRecord('b'))
      expect(vi.getTimerCount()).toBe(1)
      store.remove(createRecord('a').id)
      expect(vi.getTimerCount()).toBe(1)
      store.removeBySubject('alice')
      expect(vi.getTimerCount()).toBe(0)
      store.add(createRecord('c'))
      expect(vi.getTimerCount()).toBe(1)
      store.close()
      expect(vi.getTimerCount()).toBe(0)
    })

    it('does not keep the process alive', () => {
      vi.useRealTimers()
      const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => undefined, 0)), 'unref')
      const store = new MemoryTokenStore({ clock })
      store.add(createRecord('a'))
      expect(unref).toHaveBeenCalledOnce()
      unref.mockRestore()
      store.close()
    })

    it('frees expired tokens at the interval and stops when nothing is left', () => {
      const store = new MemoryTokenStore({ clock, cleanUpIntervalMs: 10_000 })
      store.add(createRecord('a', { expiresAt: start + 5000 }))
      store.add(createRecord('b', { expiresAt: start + 15_000 }))
      now = start + 10_000
      vi.advanceTimersByTime(9999)
      expect(store.size).toBe(2)
      vi.advanceTimersByTime(1)
      expect(store.size).toBe(1)
      now = start + 20_000
      vi.advanceTimersByTime(10_000)
      expect(store.size).toBe(0)
      expect(vi.getTimerCount()).toBe(0)
    })

    it('works in slices, and lets the event loop go on in between', () => {
      const store = new MemoryTokenStore({ clock, maxSize: 1000, cleanUpIntervalMs: 1000 })
      for (let number = 0; number < 1000; number++)
        store.add(createRecord(`token ${number}`, { subject: `user ${number % 7}` }))
      now = start + 60_000
      vi.advanceTimersToNextTimer()
      expect(store.size).toBe(872)
      expect(vi.getTimerCount()).toBe(2)
      vi.advanceTimersToNextTimer()
      expect(store.size).toBe(744)
      for (let slice = 3; slice <= 8; slice++) vi.advanceTimersToNextTimer()
      expect(store.size).toBe(0)
      expect(vi.getTimerCount()).toBe(0)
    })

    it('ends in the middle of its slices when the store is closed', () => {
      const store = new MemoryTokenStore({ clock, maxSize: 1000, cleanUpIntervalMs: 1000 })
      for (let number = 0; number < 1000; number++) store.add(createRecord(`token ${number}`))
      now = start + 60_000
      vi.advanceTimersToNextTimer()
      store.close()
      expect(vi.getTimerCount()).toBe(0)
      expect(store.size).toBe(0)
    })

    it('removes tokens in the order of expiry, whatever their lifetimes', () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 100 }), (lifetimes) => {
          now = start
          const store = new MemoryTokenStore({ clock, cleanUpIntervalMs: 1000 })
          for (const [number, life] of lifetimes.entries())
            store.add(createRecord(`token ${number}`, { expiresAt: start + life * 1000 }))
          for (let second = 1; second <= 51; second++) {
            now = start + second * 1000
            vi.advanceTimersByTime(1000)
            expect(store.size).toBe(lifetimes.filter((life) => life > second).length)
          }
        }),
        { numRuns: 50 },
      )
    })
  })

  it('drops everything when it is closed, and takes no more', () => {
    const store = new MemoryTokenStore({ clock })
    store.add(createRecord('a'))
    store.close()
    expect(store.find(createRecord('a').id)).toBeUndefined()
    expect(store.list()).toEqual([])
    expect(store.removeBySubject('alice')).toBe(0)
    expect(store.add(createRecord('b'))).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does what a plain list would do, in any order of calls', () => {
    const name = fc.integer({ min: 0, max: 9 }).map((number) => `token ${number}`)
    const subject = fc.constantFrom('alice', 'bob', 'carol')
    const command = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          type: fc.constant('add' as const),
          name,
          subject,
          life: fc.integer({ min: 1, max: 20 }),
        }),
      },
      { weight: 3, arbitrary: fc.record({ type: fc.constant('touch' as const), name }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const), name }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('removeBySubject' as const), subject }) },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 10 }) }) },
    )
    const options = fc.record({
      maxSize: fc.integer({ min: 1, max: 6 }),
      maxPerUser: fc.integer({ min: 1, max: 6 }),
      removeOldestOnOverflow: fc.boolean(),
    })
    fc.assert(
      fc.property(options, fc.array(command, { maxLength: 60 }), (storeOptions, commands) => {
        now = start
        const store = new MemoryTokenStore({ ...storeOptions, clock })
        const model = new PlainStore(storeOptions, clock)
        for (const next of commands) {
          const { id } = createRecord('name' in next ? next.name : '')
          if (next.type === 'wait') now += next.ms
          if (next.type === 'touch') expect(store.touch(id, now)).toBe(model.touch(id, now))
          if (next.type === 'remove') expect(store.remove(id)).toBe(model.remove(id))
          if (next.type === 'removeBySubject')
            expect(store.removeBySubject(next.subject)).toBe(model.removeBySubject(next.subject))
          if (next.type === 'add') {
            const record = createRecord(next.name, {
              subject: next.subject,
              expiresAt: now + next.life,
              lastAccessAt: now,
            })
            expect(store.add(record)).toBe(model.add(record))
          }
          expect(store.size).toBe(model.records.length)
          expect(idsIn(store)).toEqual(model.list())
        }
        store.close()
      }),
      { numRuns: 300 },
    )
  })
})

interface PlainStoreOptions {
  readonly maxSize: number
  readonly maxPerUser: number
  readonly removeOldestOnOverflow: boolean
}

/** The rules of the store, written as slowly and plainly as possible. The most recently used record is last. */
class PlainStore {
  records: TokenRecord[] = []
  readonly #options: PlainStoreOptions
  readonly #clock: () => number

  constructor(options: PlainStoreOptions, clock: () => number) {
    this.#options = options
    this.#clock = clock
  }

  add(record: TokenRecord): boolean {
    const { maxSize, maxPerUser, removeOldestOnOverflow } = this.#options
    this.remove(record.id)
    const own = (): TokenRecord[] => this.records.filter(({ subject }) => subject === record.subject)
    if (own().length >= maxPerUser) {
      this.records = this.records.filter((other) => other.subject !== record.subject || this.#isLive(other))
      if (own().length >= maxPerUser) {
        if (!removeOldestOnOverflow) return false
        this.remove(own()[0]!.id)
      }
    }
    if (this.records.length >= maxSize) {
      this.records = this.records.filter((other) => this.#isLive(other))
      if (this.records.length >= maxSize) {
        if (!removeOldestOnOverflow) return false
        this.remove((own().length > maxSize / 2 ? own() : this.records)[0]!.id)
      }
    }
    this.records.push(record)
    return true
  }

  touch(id: string, at: number): void {
    const record = this.records.find((other) => other.id === id)
    if (record === undefined) return
    this.remove(id)
    this.records.push(Object.assign(record, { lastAccessAt: at }))
  }

  remove(id: string): boolean {
    const before = this.records.length
    this.records = this.records.filter((other) => other.id !== id)
    return this.records.length < before
  }

  removeBySubject(subject: string): number {
    const before = this.records.length
    this.records = this.records.filter((other) => other.subject !== subject)
    return before - this.records.length
  }

  list(): string[] {
    return this.records
      .filter((record) => this.#isLive(record))
      .toReversed()
      .map(({ id }) => id)
  }

  #isLive({ expiresAt }: TokenRecord): boolean {
    return expiresAt > this.#clock()
  }
}

// Covers: K03
it.each([
  [
    'throws',
    () => {
      throw new Error('late')
    },
  ],
  ['rejects', () => Promise.reject(new Error('late'))],
] as const)('an onEvict that %s changes nothing for the store', async (_how, onEvict) => {
  const store = new MemoryTokenStore({ maxSize: 1, onEvict })
  const [first, second] = [createRecord('first'), createRecord('second')]
  expect([store.add(first), store.add(second)]).toEqual([true, true])
  expect([store.find(first.id), store.find(second.id)?.id]).toEqual([undefined, second.id])
  await new Promise((resolve) => setImmediate(resolve))
})
