import { expect, it } from 'vitest'
import { createHashQueue, type HashQueue } from '../../../lib/users/passwords/password-hash.js'
import { argon2idKeeper } from '../../../lib/users/sql/password-keeper.js'

/** A queue that is full now and then. */
function fullQueue(): HashQueue & { isFull: boolean; count: number } {
  const queue = createHashQueue()
  return {
    isFull: false,
    count: 0,
    run(work, signal) {
      this.count++
      return this.isFull ? Promise.reject(new Error('full')) : queue.run(work, signal)
    },
  }
}

it('an unknown user costs a hash, however often one could not be made', async () => {
  const queue = fullQueue()
  const { isRight } = argon2idKeeper(queue)
  queue.isFull = true
  await expect(isRight('any-secret', undefined, undefined)).rejects.toThrow('full')
  queue.isFull = false
  queue.count = 0
  expect(await isRight('any-secret', undefined, undefined)).toBe(false)
  // One to make the hash that nobody has, which the full queue refused, and one to compare with it.
  expect(queue.count).toBe(2)
  queue.count = 0
  expect(await isRight('any-secret', undefined, undefined)).toBe(false)
  expect(queue.count).toBe(1)
})
