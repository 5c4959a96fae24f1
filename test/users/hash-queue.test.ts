import { describe, expect, it } from 'vitest'
import { createHashQueue } from '../../lib/users/hash-queue.js'
import { deferred } from './deferred.js'

/** Work that ends when it is told to. */
function controlled() {
  const { promise, resolve } = deferred()
  let hasBegun = false
  return {
    work: () => {
      hasBegun = true
      return promise
    },
    get hasBegun() {
      return hasBegun
    },
    resolve,
  }
}

// Covers: A15
describe('the hash queue', () => {
  it('runs so many at a time, the others in the order they came', async () => {
    const queue = createHashQueue({ parallel: 2, maxWaiting: 2 })
    const works = [controlled(), controlled(), controlled(), controlled()]
    const runs = works.map(({ work }) => queue.run(work))
    const begun = () => works.map(({ hasBegun }) => hasBegun)

    expect(begun()).toEqual([true, true, false, false])
    works[1]!.resolve()
    await runs[1]
    await Promise.resolve()
    expect(begun()).toEqual([true, true, true, false])
    works[0]!.resolve()
    works[2]!.resolve()
    works[3]!.resolve()
    await Promise.all(runs)
    expect(begun()).toEqual([true, true, true, true])
  })

  it('refuses with 503 and Retry-After what is too much, before any work', async () => {
    const queue = createHashQueue({ parallel: 1, maxWaiting: 1 })
    const [first, second, third] = [controlled(), controlled(), controlled()]
    const runs = [queue.run(first.work), queue.run(second.work)]

    await expect(queue.run(third.work)).rejects.toMatchObject({
      status: 503,
      code: 'ERR_LOGIN_OVERLOADED',
      headers: { 'Retry-After': '5' },
    })
    expect(third.hasBegun).toBe(false)
    first.resolve()
    second.resolve()
    await Promise.all(runs)
  })

  it('gives the slot of work that fails to the next', async () => {
    const queue = createHashQueue({ parallel: 1 })
    await expect(queue.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    await expect(queue.run(() => Promise.resolve(7))).resolves.toBe(7)
  })

  it('forgets waiting work whose client has gone', async () => {
    const queue = createHashQueue({ parallel: 1, maxWaiting: 1 })
    const [first, gone, next] = [controlled(), controlled(), controlled()]
    const client = new AbortController()
    const firstRun = queue.run(first.work)
    const goneRun = queue.run(gone.work, client.signal)
    client.abort(new Error('gone'))
    await expect(goneRun).rejects.toThrow('gone')

    const nextRun = queue.run(next.work)
    first.resolve()
    next.resolve()
    await Promise.all([firstRun, nextRun])
    expect(gone.hasBegun).toBe(false)
  })

  it('does not begin for a client that has gone already', async () => {
    const work = controlled()
    await expect(createHashQueue().run(work.work, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
    expect(work.hasBegun).toBe(false)
  })
})
