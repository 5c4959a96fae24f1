import { describe, expect, it, vi } from 'vitest'
import { CircuitBreaker } from '../../lib/async/circuit-breaker.js'
import { deferred } from '../users/deferred.js'

function setUp() {
  const clock = { now: 0 }
  const breaker = new CircuitBreaker({ pauseMs: 100, maxPauseMs: 300, now: () => clock.now })
  const fail = () => breaker.run(() => Promise.reject(new Error('down'))).catch(() => {})
  /** Milliseconds until the next attempt. */
  async function pause(): Promise<number> {
    const since = clock.now
    for (let hasTried = false; !hasTried; clock.now += hasTried ? 0 : 100) {
      await breaker
        .run(() => {
          hasTried = true
          return Promise.reject(new Error('down'))
        })
        .catch(() => {})
    }
    return clock.now - since
  }
  return { clock, breaker, fail, pause }
}

describe('the circuit breaker', () => {
  it('makes no attempt during the pause after a failure, and repeats its error', async () => {
    const { clock, breaker, fail } = setUp()
    const attempt = vi.fn(() => Promise.resolve('up'))
    await fail()
    clock.now = 99
    await expect(breaker.run(attempt)).rejects.toThrow('down')
    expect(attempt).not.toHaveBeenCalled()
    clock.now = 100
    expect(await breaker.run(attempt)).toBe('up')
  })

  it('doubles the pause with each failure, up to the longest, and starts again after a success', async () => {
    const { clock, breaker, fail, pause } = setUp()
    await fail()
    expect([await pause(), await pause(), await pause(), await pause()]).toEqual([100, 200, 300, 300])
    clock.now += 300
    await breaker.run(() => Promise.resolve())
    await fail()
    expect(await pause()).toBe(100)
  })

  it('counts attempts that fail together as one failure', async () => {
    const { breaker, pause } = setUp()
    const { promise, reject } = deferred()
    const runs = Array.from({ length: 10 }, () => breaker.run(() => promise))
    reject(new Error('down'))
    await Promise.allSettled(runs)
    expect(await pause()).toBe(100)
  })

  it('takes the failure of an attempt that is older than a success for nothing', async () => {
    const { breaker } = setUp()
    const { promise, reject } = deferred()
    const old = breaker.run(() => promise)
    await breaker.run(() => Promise.resolve())
    reject(new Error('down'))
    await expect(old).rejects.toThrow('down')
    expect(await breaker.run(() => Promise.resolve('up'))).toBe('up')
  })

  it('lets a single attempt decide after the pause', async () => {
    const { clock, breaker, fail } = setUp()
    const { promise, resolve } = deferred()
    const other = vi.fn(() => Promise.resolve())
    await fail()
    clock.now = 100
    const probe = breaker.run(() => promise)
    await expect(breaker.run(other)).rejects.toThrow('down')
    expect(other).not.toHaveBeenCalled()
    resolve()
    await probe
    await breaker.run(other)
    expect(other).toHaveBeenCalledOnce()
  })

  it('limits no parallel attempts while none has failed', async () => {
    const { breaker } = setUp()
    const { promise, resolve } = deferred()
    const runs = [breaker.run(() => promise), breaker.run(() => promise)]
    resolve()
    expect(await Promise.all(runs)).toHaveLength(2)
  })
})
