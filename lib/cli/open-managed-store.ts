/**
 * Opens the user store that a configuration file names, for the command that manages its users.
 *
 * @module
 */

import { loadConfig } from '../config/load-config.js'
import { locateProblems } from '../config/locate-problems.js'
import { ConfigError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { isManaged, type ManagedUserStore } from '../users/managed-user-store.js'
import { openUserStore } from '../users/open-user-store.js'
import { CommandError } from './read-password.js'

/** A store whose users can be managed. */
export interface ManagedStore {
  readonly store: ManagedUserStore
  /** Makes what the store needs before its first user; absent where there is nothing to make. */
  readonly init?: (() => Promise<void>) | undefined
}

/** Opens the user store of a configuration file. */
export type OpenManagedStore = (path: string, logger: Logger) => Promise<ManagedStore>

/**
 * Opens the user store. Nothing is changed by that.
 *
 * @throws {@link CommandError} when the users are in the file itself, or in a store that cannot be managed.
 * @throws {@link ConfigError} with every mistake of the file.
 */
export const openManagedStore: OpenManagedStore = async (path, logger) => {
  const config = await loadConfig(path)
  // Before anything is opened: opening the users of a file may make a first administrator.
  if (config.fileUsers.isEnabled) {
    throw new CommandError(
      `${path}: the users are those of [[internal_apis.users]] in the file itself: change them there, with hashes from ` +
        '"sallyport hash-password". To use a directory or database, write [internal_apis.file_user_store] enable = false ' +
        'and a [user_store].',
    )
  }
  const opening = openUserStore(config, { logger, home: undefined, env: process.env })
  const { users, init } = await opening.catch(async (error: unknown) => {
    throw error instanceof ConfigError ? await locateProblems(error, config) : error
  })
  if (isManaged(users)) return { store: users, init }
  await users.close()
  const { userStore } = config
  const why = userStore?.type === 'unavailable' ? `: ${userStore.reason}` : ''
  throw new CommandError(`${path}: the users of this user store cannot be managed${why}.`)
}
