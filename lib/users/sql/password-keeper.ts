/**
 * How a schema keeps passwords: argon2id in ours, WSO2's digests in WSO2's.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { ConfigError } from '../../core/errors.js'
import type { Logger } from '../../core/logger.js'
import { type HashQueue, sharedHashQueue } from '../hash-queue.js'
import { checkPasswordHash, hashPassword, loadPasswordSchemes, verifyPassword } from '../password-hash.js'
import { type SaltedDigest, saltedDigest } from './salted-digest.js'
import type { StoredPassword, StoredUser } from './schema/user-schema.js'

/** Makes and compares stored passwords. */
export interface PasswordKeeper {
  make(password: string, signal?: AbortSignal): Promise<StoredPassword>
  /**
   * Verifies `standIn` for no user and for one whose stored password cannot be verified, and then says no: the work must not
   * tell which names are there.
   */
  isRight(
    password: string,
    user: StoredUser | undefined,
    standIn: string | undefined,
    signal?: AbortSignal,
  ): Promise<boolean>
}

/** Passwords of our schema. `hashQueue` limits how many are hashed at a time. */
export function argon2idKeeper(hashQueue: HashQueue = sharedHashQueue, logger?: Logger): PasswordKeeper {
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

  /** A hash that cannot be verified is wrong for every password; the login must not tell it from another. */
  async function usersHash(user: StoredUser | undefined): Promise<string | undefined> {
    if (user === undefined) return undefined
    const problem = await problemOf(user.password)
    if (problem === undefined) return user.password
    logger?.error({ user: user.name }, `this user cannot log in: the stored password ${problem}`)
    return undefined
  }

  async function standInHash(standIn: string | undefined): Promise<string> {
    return standIn !== undefined && (await problemOf(standIn)) === undefined ? standIn : hashOfNobody()
  }

  return {
    async make(password, signal) {
      return { hash: await hashQueue.run(() => hashPassword(password), signal), salt: '' }
    },

    async isRight(password, user, standIn, signal) {
      const own = await usersHash(user)
      const hash = own ?? (await standInHash(standIn))
      const isRight = await hashQueue.run(() => verifyPassword(password, hash), signal)
      return isRight && own !== undefined
    },
  }
}

/** Why a hash cannot be verified here, in words that can follow "the stored password". */
async function problemOf(hash: string): Promise<string | undefined> {
  const problem = checkPasswordHash(hash)
  if (problem !== undefined) return problem
  try {
    await loadPasswordSchemes([hash], 'user_store')
    return undefined
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return 'is a bcrypt hash, which needs an optional package; run: npm install bcryptjs'
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
