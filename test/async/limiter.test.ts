import { describe, expect, it } from 'vitest'
import { createLimiter, type LimiterOptions } from '../../lib/async/limiter.js'
import { deferred } from '../users/deferred.js'

function limiter(options: Partial<LimiterOptions>) {
  return createLimiter({ maxRunning: 1, maxWaiting: 64, createOverloadError: () => new Error('too many'), ...options })
}

/** Work that ends when it is told to. */
function controlled() {
  const { promise, resolve } = deferred()
  let hasStarted = false
  return {
    work: () => {
      hasStarted = true
      return promise
    },
    get hasStarted() {
      return hasStarted
    },
    resolve,
  }
}

describe('the limiter', () => {
  it('runs so many at a time, the others in the order they came', async () => {
    const calls = limiter({ maxRunning: 2, maxWaiting: 2 })
    const works = [controlled(), controlled(), controlled(), controlled()]
    const runs = works.map(({ work }) => calls.run(work))
    const started = () => works.map(({ hasStarted }) => hasStarted)

    expect(started()).toEqual([true, true, false, false])
    works[1]!.resolve()
    await runs[1]
    await Promise.resolve()
    expect(started()).toEqual([true, true, true, false])
    works[0]!.resolve()
    works[2]!.resolve()
    works[3]!.resolve()
    await Promise.all(runs)
    expect(started()).toEqual([true, true, true, true])
  })

  it('refuses at once what is too much, before any work', async () => {
    const calls = limiter({ maxWaiting: 1 })
    const [first, second, third] = [controlled(), controlled(), controlled()]
    const runs = [calls.run(first.work), calls.run(second.work)]

    await expect(calls.run(third.work)).rejects.toThrow('too many')
    expect(third.hasStarted).toBe(false)
    first.resolve()
    second.resolve()
    await Promise.all(runs)
  })

  it('gives the slot of work that fails to the next', async () => {
    const calls = limiter({ maxRunning: 1 })
    await expect(calls.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    await expect(calls.run(() => Promise.resolve(7))).resolves.toBe(7)
  })

  it('forgets waiting work whose client has gone', async () => {
    const calls = limiter({ maxRunning: 1, maxWaiting: 1 })
    const [first, gone, next] = [controlled(), controlled(), controlled()]
    const client = new AbortController()
    const firstRun = calls.run(first.work)
    const goneRun = calls.run(gone.work, client.signal)
    client.abort(new Error('gone'))
    await expect(goneRun).rejects.toThrow('gone')

    const nextRun = calls.run(next.work)
    first.resolve()
    next.resolve()
    await Promise.all([firstRun, nextRun])
    expect(gone.hasStarted).toBe(false)
  })

  it('does not start for a client that has gone already', async () => {
    const work = controlled()
    await expect(limiter({}).run(work.work, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
    expect(work.hasStarted).toBe(false)
  })
})
