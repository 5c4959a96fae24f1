import { expect, it } from 'vitest'
import { createMutex } from '../../lib/async/mutex.js'
import { deferred } from '../users/deferred.js'

it('the mutex runs work in the order of the calls, each after the end of the one before, good or bad', async () => {
  const runAlone = createMutex()
  const { promise, reject } = deferred()
  const started: string[] = []
  const note = (name: string, work: Promise<void>) => () => {
    started.push(name)
    return work
  }
  const first = runAlone(note('first', promise))
  const second = runAlone(note('second', Promise.resolve()))
  await new Promise(setImmediate)
  expect(started).toEqual(['first'])
  reject(new Error('broken'))
  await expect(first).rejects.toThrow('broken')
  await second
  expect(started).toEqual(['first', 'second'])
})
