/**
 * How a schema keeps passwords: argon2id in ours, WSO2's digests in WSO2's.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { type HashQueue, sharedHashQueue } from '../hash-queue.js'
import { hashPassword, verifyPassword } from '../password-hash.js'
import { type SaltedDigest, saltedDigest } from './salted-digest.js'
import type { StoredPassword, StoredUser } from './schema/user-schema.js'

/** Makes and compares stored passwords. */
export interface PasswordKeeper {
  make(password: string, signal?: AbortSignal): Promise<StoredPassword>
  /** Does the same work for no user, and then says no. */
  isRight(password: string, user: StoredUser | undefined, signal?: AbortSignal): Promise<boolean>
}

/** Passwords of our schema. `hashQueue` limits how many are hashed at a time. */
export function argon2idKeeper(hashQueue: HashQueue = sharedHashQueue): PasswordKeeper {
  let nobodysHash: Promise<string> | undefined

  /** Made once; a failure is not kept. */
  function hashOfNobody(): Promise<string> {
    nobodysHash ??= hashQueue
      .run(() => hashPassword(randomBytes(16).toString('base64')))
      .catch((error: unknown) => {
        nobodysHash = undefined
        throw error
      })
    return nobodysHash
  }

  return {
    async make(password, signal) {
      return { hash: await hashQueue.run(() => hashPassword(password), signal), salt: '' }
    },

    async isRight(password, user, signal) {
      const hash = user?.password ?? (await hashOfNobody())
      const isRight = await hashQueue.run(() => verifyPassword(password, hash), signal)
      return isRight && user !== undefined
    },
  }
}

/** Passwords of WSO2's schema, as `password_digest` and `store_salted_password` say. */
export function saltedDigestKeeper(digest: string, isSalted: boolean): PasswordKeeper {
  const digests: SaltedDigest = saltedDigest(digest, isSalted)
  const nobody = digests.make(randomBytes(16).toString('base64'))

  return {
    async make(password) {
      return digests.make(password)
    },

    async isRight(password, user) {
      const isRight = digests.matches(password, user === undefined ? nobody : { hash: user.password, salt: user.salt })
      return isRight && user !== undefined
    },
  }
}
