/**
 * Secrets of confidential clients: only hashes are known.
 *
 * @module
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createHashQueue } from '../users/hash-queue.js'
import { verifyPassword } from '../users/password-hash.js'

/** Says whether a secret is that of a client. */
export type ClientSecrets = (clientId: string, secret: string) => Promise<boolean>

/**
 * A hash is made to be slow, and a client shows its secret at every call: the last one that was right is remembered, under a
 * key that ends with the process. Wrong ones are hashed each time, one after the other and beside the queue of logins, so that
 * nobody keeps people from signing in by guessing secrets.
 */
export function createClientSecrets(hashes: ReadonlyMap<string, string>): ClientSecrets {
  const queue = createHashQueue({ parallel: 1 })
  const key = randomBytes(32)
  const lastGood = new Map<string, Buffer>()

  return async function isSecretOf(clientId, secret) {
    const hash = hashes.get(clientId)
    if (hash === undefined) return false
    const digest = createHmac('sha256', key).update(secret).digest()
    const isLastGood = (): boolean => {
      const good = lastGood.get(clientId)
      return good !== undefined && timingSafeEqual(good, digest)
    }
    if (isLastGood()) return true
    // Asked again: another call of the client may have shown the same secret while this one waited.
    const isRight = await queue.run(async () => isLastGood() || verifyPassword(secret, hash))
    if (isRight) lastGood.set(clientId, digest)
    return isRight
  }
}
