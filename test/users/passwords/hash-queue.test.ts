import { expect, it } from 'vitest'
import { createHashQueue } from '../../../lib/users/passwords/password-hash.js'
import { deferred } from '../deferred.js'

// Covers: A15
it('the hash queue refuses with 503 and Retry-After what is too much, before any work', async () => {
  const { promise, resolve } = deferred()
  const queue = createHashQueue({ parallel: 1, maxWaiting: 1 })
  const runs = [queue.run(() => promise), queue.run(() => promise)]

  await expect(queue.run(() => Promise.reject(new Error('started')))).rejects.toMatchObject({
    status: 503,
    code: 'ERR_LOGIN_OVERLOADED',
    message: 'Too many logins at the same time. Try again later.',
    headers: { 'Retry-After': '5' },
  })
  resolve()
  await Promise.all(runs)
})
