/**
 * Users from the configuration file: they live in this process and change only when the file is read again.
 *
 * @module
 */

import type { FileUserConfig } from '../config/config.js'
import { type FileUsers, readFileUsers } from './file-users.js'
import { type HashQueue, sharedHashQueue } from './hash-queue.js'
import { verifyPassword } from './password-hash.js'
import type { UserAccount, UserStore } from './user-store.js'

/** Options of {@link fileUserStore}. */
export interface FileUserStoreOptions {
  /** The users, each with a password hash or a plain password. */
  readonly users: readonly FileUserConfig[]
  /**
   * Limits password hashing.
   *
   * @defaultValue the queue that the whole process shares
   */
  readonly hashQueue?: HashQueue
}

/** A {@link UserStore} of users that are known beforehand. */
export interface FileUserStore extends UserStore {
  readonly generation: number
  /** Names of users whose password is given in plain text. Hash it with `sallyport hash-password`. */
  readonly plainTextUsers: readonly string[]
  /** Never a promise: the users are in memory. */
  find(subject: string): UserAccount | undefined
  /**
   * Exchanges all users at once. Until then, and when it rejects, the ones before stay in effect.
   *
   * @throws {@link ConfigError} as {@link fileUserStore} does.
   */
  replace(users: readonly FileUserConfig[]): Promise<void>
  /** The first half of `replace`: answers the function that exchanges the users, which never throws. */
  prepare(users: readonly FileUserConfig[]): Promise<() => void>
  close(): void
}

/**
 * Makes a user store of a list of users. Names are matched exactly, in NFC.
 *
 * A plain password is not kept: only a digest of it under a key that is made at start-up and never leaves the process.
 * An administrator also has the role `admin`.
 *
 * @throws {@link ConfigError} naming each user whose name or password cannot be used, and when a hash needs a package that
 * is not installed.
 */
export async function fileUserStore(options: FileUserStoreOptions): Promise<FileUserStore> {
  const { hashQueue = sharedHashQueue } = options
  let current: FileUsers = await readFileUsers(options.users)
  let generation = 1

  async function prepare(users: readonly FileUserConfig[]): Promise<() => void> {
    const next = await readFileUsers(users)
    return () => {
      current = next
      generation++
    }
  }

  return {
    get generation() {
      return generation
    },

    get plainTextUsers() {
      return current.plainTextUsers
    },

    async authenticate(name, password, signal) {
      signal?.throwIfAborted()
      const { users, standInHash } = current
      const subject = name.normalize('NFC')
      const user = users.get(subject)
      // One hash for every login, once any user has one. The choice is made for every name, so that it tells nothing either.
      const standIn = standInHash(subject)
      const hash = user?.hash ?? standIn
      const matchesHash = hash !== undefined && (await hashQueue.run(() => verifyPassword(password, hash), signal))
      if (user === undefined) return { failure: 'unknown-user' }
      const isRight = user.isPlainPassword?.(password) ?? matchesHash
      // The users may have been exchanged while the hash was computed.
      const account = current.users.get(user.account.subject)?.account
      if (!isRight || account?.version !== user.account.version) return { failure: 'wrong-password', subject }
      return { account }
    },

    find: (subject) => current.users.get(subject)?.account,

    async replace(users) {
      const swap = await prepare(users)
      swap()
    },

    prepare,

    close() {},
  }
}
