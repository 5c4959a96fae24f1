import { describe, expect, it } from 'vitest'
import { recordOf } from '../../lib/testing.js'
import { RecencyOrder } from '../../lib/tokens/recency-order.js'
import { entryOf, type TokenEntry } from '../../lib/tokens/token-entry.js'
import { TokenPool } from '../../lib/tokens/token-pool.js'
import { UserTokens } from '../../lib/tokens/user-tokens.js'

const start = Date.UTC(2026, 0, 1)

/** Large enough for several parts, and small enough for one. */
const sizes = [20_000, 10]

describe.each(sizes)('RecencyOrder for %i entries', (maxEntries) => {
  let tick = 0
  const entry = (name: string): TokenEntry => entryOf(recordOf(name), new UserTokens('alice'), ++tick)

  it('has no longest-idle entry while it is empty, before the first and behind the last', () => {
    const order = new RecencyOrder(maxEntries)
    expect(order.longestIdle()).toBeUndefined()
    expect(order.longestIdleNextTo('a')).toBeUndefined()
    const only = entry('a')
    order.add(only)
    expect(order.longestIdle()).toBe(only)
    expect(order.longestIdleNextTo(only.id)).toBe(only)
    order.remove(only)
    expect(order.longestIdle()).toBeUndefined()
    expect(order.longestIdleNextTo(only.id)).toBeUndefined()
    expect(order.find(only.id)).toBeUndefined()
  })

  it('removes no entry that it does not hold', () => {
    const order = new RecencyOrder(maxEntries)
    const [held, other] = [entry('a'), entry('b')]
    order.remove(other)
    expect(order.size).toBe(0)
    order.add(held)
    order.remove(other)
    expect(order.size).toBe(1)
    order.clear()
    order.remove(held)
    expect(order.size).toBe(0)
  })

  it('finds the longest-idle entry after every use and removal', () => {
    const order = new RecencyOrder(maxEntries)
    const entries = Array.from({ length: 10 }, (_, number) => entry(`token ${number}`))
    for (const added of entries) order.add(added)
    for (const used of entries.slice(0, 4)) expect(order.touch(used.id, start, ++tick)).toBe(used)
    expect(order.touch('nobody', start, ++tick)).toBeUndefined()
    for (const oldest of [...entries.slice(4), ...entries.slice(0, 4)]) {
      expect(order.longestIdle()).toBe(oldest)
      order.remove(oldest)
    }
    expect(order.longestIdle()).toBeUndefined()
  })
})

describe('TokenPool', () => {
  const poolOf = (maxSize: number): TokenPool =>
    new TokenPool({ maxSize, maxPerUser: maxSize, removesOldest: true, onEvict: undefined })

  it('tells whether it holds what was used, also when that has been idle for too long', () => {
    const pool = poolOf(10)
    const session = recordOf('a', { kind: 'portal', idleTimeoutMs: 1000 })
    pool.add(session, 1, start)
    pool.add(recordOf('b'), 2, start)
    expect(pool.touch(session.id, start + 999, 3)).toBe(true)
    expect(pool.touch(session.id, start + 1999, 4)).toBe(true)
    expect(pool.find(session.id)?.lastAccessAt, 'what has ended stays ended').toBe(start + 999)
    expect(pool.touch(recordOf('b').id, start + 5000, 5)).toBe(true)
    expect(pool.touch('nobody', start, 6)).toBe(false)
  })

  it.each([
    [127, false, 0],
    [128, false, 0],
    [129, true, 1],
  ])('of %i that have expired says after a slice that there are more: %s', (count, hasMore, left) => {
    const pool = poolOf(200)
    for (let number = 0; number < count; number++) {
      pool.add(recordOf(`token ${number}`, { expiresAt: start + 1 }), number + 1, start)
    }
    expect(pool.removeExpired(start)).toBe(false)
    expect(pool.size).toBe(count)
    expect(pool.removeExpired(start + 1)).toBe(hasMore)
    expect(pool.size).toBe(left)
  })
})
