/**
 * Opens the user store that a configuration makes effective.
 *
 * @module
 */

import type { Config } from '../config/config.js'
import type { Logger } from '../core/logger.js'
import type { PreparedChange } from '../core/prepared-change.js'
import { openFileUsers } from './open-file-users.js'
import { openNamedStores } from './open-named-stores.js'
import type { UserStore } from './user-store.js'

/** What opening a user store takes besides the configuration. */
export interface OpenUserStoreOptions {
  readonly logger: Logger
  /** Folder for the first admin's password when the configuration was not read from a file. */
  readonly home: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
}

/** An open user store, and how a new configuration reaches it. */
export interface OpenUserStore {
  readonly users: UserStore
  /** Makes what the store needs before its first user, such as the tables of a database. */
  readonly init?: (() => Promise<void>) | undefined
  /** Prepares the users of another configuration, to be exchanged all at once. Rejects as {@link openUserStore} does. */
  prepare(config: Config): Promise<PreparedChange>
}

/**
 * Opens the file users, or the directory and databases of `[user_store]`: nothing of those is connected yet, and one that is
 * down is no failure to start.
 *
 * `prepare` exchanges file users. A change to, from or in another store takes effect at the next start, and a warning says
 * so.
 *
 * @throws {@link ConfigError} when the users cannot be used, when a store's options cannot, and
 * (`ERR_CONFIG_MISSING_PACKAGE`) without the package that a store needs.
 */
export async function openUserStore(config: Config, options: OpenUserStoreOptions): Promise<OpenUserStore> {
  const { logger } = options
  const { userStore, secondaryUserStores } = config
  const opened =
    userStore === undefined
      ? await openFileUsers(config, options)
      : {
          ...(await openNamedStores([userStore, ...secondaryUserStores], options)),
          prepare: async () => ({ swap() {} }),
        }

  return {
    users: opened.users,
    init: opened.init,
    async prepare(next) {
      if (storesIn(next) === storesIn(config)) return opened.prepare(next)
      const log = () => logger.warn({ key: 'user_store' }, 'user_store: the change takes effect at the next start')
      return { swap() {}, log }
    },
  }
}

function storesIn({ userStore, secondaryUserStores }: Config): string {
  return userStore === undefined ? 'the users of the file' : JSON.stringify([userStore, secondaryUserStores])
}
