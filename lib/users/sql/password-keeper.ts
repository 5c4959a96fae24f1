/**
 * How a schema keeps passwords: argon2id in ours, WSO2's digests in WSO2's.
 *
 * @module
 */

import { createHash, getHashes, randomBytes, timingSafeEqual } from 'node:crypto'
import { ConfigError } from '../../core/errors.js'
import type { Logger } from '../../core/logger.js'
import {
  checkPasswordHash,
  type HashQueue,
  hashPassword,
  loadPasswordSchemes,
  sharedHashQueue,
  verifyPassword,
} from '../passwords/password-hash.js'
import type { StoredPassword, StoredUser } from './user-schema.js'

export interface PasswordKeeper {
  make(password: string, signal?: AbortSignal): Promise<StoredPassword>
  /** For no user and for one whose stored password cannot be verified, `standIn` is, and the answer is no: time tells no names. */
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
    const problem = await findProblem(user.password)
    if (problem === undefined) return user.password
    logger?.error({ user: user.name }, `this user cannot log in: the stored password ${problem}`)
    return undefined
  }

  async function standInHash(standIn: string | undefined): Promise<string> {
    return standIn !== undefined && (await findProblem(standIn)) === undefined ? standIn : hashOfNobody()
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
async function findProblem(hash: string): Promise<string | undefined> {
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

/** Bytes of a salt: 24 characters in base64, of the column's 31. */
const saltBytes = 16

/** Spellings of Java that OpenSSL has other names for. */
const opensslNames: Readonly<Record<string, string>> = {
  SHA: 'sha1',
  'SHA-1': 'sha1',
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
  'SHA-512/224': 'sha512-224',
  'SHA-512/256': 'sha512-256',
}

/** `PasswordDigest` of a database whose passwords are not hashed. */
const plainText = 'PLAIN_TEXT'

/** OpenSSL's name for a `PasswordDigest`; `undefined` when there is none. */
function digestName(digest: string): string | undefined {
  const name = opensslNames[digest.toUpperCase()] ?? digest.toLowerCase()
  return getHashes().includes(name) || getHashes().includes(name.toUpperCase()) ? name : undefined
}

/**
 * Passwords of WSO2's schema, as `password_digest` and `store_salted_password` say: the standard base64 of one digest over the
 * UTF-8 of the password, followed by the base64 text of the salt. One round of a fast digest does not withstand guessing once a
 * database is stolen; it is kept because the servers that share the database read nothing else.
 */
export function saltedDigestKeeper(digest: string, storeSaltedPasswords: boolean): PasswordKeeper {
  const name = digest === plainText ? undefined : digestName(digest)

  function createDigest(password: string, salt: string): string {
    return name === undefined
      ? password + salt
      : createHash(name)
          .update(password + salt, 'utf8')
          .digest('base64')
  }

  function make(password: string): StoredPassword {
    const salt = storeSaltedPasswords ? randomBytes(saltBytes).toString('base64') : ''
    return { hash: createDigest(password, salt), salt }
  }

  const { hash: nobodysHash, salt: nobodysSalt } = make(randomBytes(16).toString('base64'))

  return {
    make: async (password) => make(password),

    async isRight(password, user) {
      const salt = storeSaltedPasswords ? (user?.salt ?? nobodysSalt) : ''
      return isEqual(createDigest(password, salt), user?.password ?? nobodysHash) && user !== undefined
    },
  }
}

/** Both are hashed first, so that the time does not tell how long or how much of it was right. */
function isEqual(one: string, other: string): boolean {
  const bytesFrom = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(bytesFrom(one), bytesFrom(other))
}

const broken = /^(?:MD2|MD4|MD5|SHA|SHA-?1)$/i

/** The digest that WSO2's tables are read with, with a warning when it protects little. @throws `ConfigError` */
export function checkedDigest(digest = 'SHA-256', storeSaltedPasswords: boolean, logger: Logger | undefined): string {
  const key = 'user_store.password_digest'
  if (digest === plainText) {
    logger?.warn({ key }, 'SECURITY: passwords are stored in plain text: whoever reads the database has them')
    return digest
  }
  if (digestName(digest) === undefined) {
    throw new ConfigError([{ key, rule: `must be SHA-256, another digest, or ${plainText}` }])
  }
  if (broken.test(digest) || !storeSaltedPasswords) {
    logger?.warn({ key }, 'passwords are stored under a weak digest: use SHA-256 or stronger, with a salt')
  }
  return digest
}
