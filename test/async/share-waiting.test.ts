import { expect, it } from 'vitest'
import { shareWaiting } from '../../lib/async/share-waiting.js'
import { deferred } from '../users/deferred.js'

it('runs twice for any number of calls: once for the first, once for all that came while it ran', async () => {
  const [reached, released] = [deferred(), deferred()]
  let count = 0
  const share = shareWaiting(async (name: string) => {
    const run = ++count
    if (run === 1) {
      reached.resolve()
      await released.promise
    }
    return `${name} by run ${run}`
  })
  const first = share('first')
  await reached.promise
  const others = Array.from({ length: 100 }, () => share('other'))
  released.resolve()
  expect(await first).toBe('first by run 1')
  expect(new Set(await Promise.all(others))).toEqual(new Set(['other by run 2']))
  expect(await share('late')).toBe('late by run 3')
})

it('goes on after a run that has failed, and fails only who asked for that', async () => {
  let count = 0
  const share = shareWaiting(async () => {
    if (++count === 1) throw new Error('the first one')
    return count
  })
  const calls = await Promise.allSettled([share(undefined), share(undefined)])
  expect(calls).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled', value: 2 }])
})
