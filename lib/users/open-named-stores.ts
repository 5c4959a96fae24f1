/**
 * Opens the directories and databases that a configuration names. What they need is loaded only here, when one is named.
 *
 * @module
 */

import type { DatabaseConfig, DirectoryConfig, UserStoreConfig } from '../config/config.js'
import { ConfigError, StoreError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import type { ManagedUserStore } from './managed-user-store.js'
import type { OpenUserStore, OpenUserStoreOptions } from './open-user-store.js'
import type { UserStore } from './user-store.js'
import { userStoreChain } from './user-store-chain.js'

type OpenableConfig = DatabaseConfig | DirectoryConfig
type OpenStore = Pick<OpenUserStore, 'init'> & { readonly store: ManagedUserStore }

/**
 * Opens the stores, and makes a chain of several; the first is the primary one. `init` makes the tables of all databases.
 *
 * @throws {@link ConfigError} with every option of any store that cannot be used. None is open then.
 */
export async function openNamedStores(
  configs: readonly UserStoreConfig[],
  options: OpenUserStoreOptions,
): Promise<Pick<OpenUserStore, 'users' | 'init'>> {
  const [primary] = configs
  if (primary?.type === 'unavailable') return { users: unavailableUserStore(primary.reason), init: undefined }
  const opened: OpenStore[] = []
  const failures: unknown[] = []
  for (const config of configs.filter(({ type }) => type !== 'unavailable') as readonly OpenableConfig[]) {
    await openStore(config, options).then(
      (store) => opened.push(store),
      (error: unknown) => failures.push(error),
    )
  }
  if (failures.length > 0) {
    await Promise.all(opened.map(({ store }) => store.close()))
    throw togetherOf(failures)
  }
  const inits = opened.map(({ init }) => init).filter((init) => init !== undefined)
  const stores = opened.map(({ store }) => ({ domain: store.domain, store }))

  return {
    users: stores.length === 1 ? stores[0]!.store : userStoreChain(stores),
    init:
      inits.length === 0
        ? undefined
        : async () => {
            for (const init of inits) await init()
          },
  }
}

/** A store that fails at every call: logins get 503, and the log says why. */
function unavailableUserStore(reason: string): UserStore {
  const fail = async () => Promise.reject(new StoreError(reason))
  return { authenticate: fail, find: fail, close() {} }
}

/** One error with the mistakes of all stores. */
function togetherOf([first, ...others]: readonly unknown[]): unknown {
  if (!(first instanceof ConfigError) || others.length === 0) return first
  const problems = [first, ...others].flatMap((error) => (error instanceof ConfigError ? error.problems : []))
  return new ConfigError(problems, { code: first.code, cause: first.cause })
}

async function openStore(config: OpenableConfig, options: OpenUserStoreOptions): Promise<OpenStore> {
  const keyOf = (key: string): string => key.replace(/^user_store\b/, config.key)
  try {
    return config.type === 'database'
      ? await openDatabase(config, options)
      : await openDirectory(config, options.logger, keyOf)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problems = error.problems.map((problem) => ({ ...problem, key: keyOf(problem.key) }))
    throw new ConfigError(problems, { code: error.code, cause: error.cause })
  }
}

async function openDatabase({ sql }: DatabaseConfig, { logger, clock }: OpenUserStoreOptions): Promise<OpenStore> {
  const { sqlUserStore } = await import('./sql/sql-user-store.js')
  const store = await sqlUserStore({ ...sql, logger, clock })

  async function init(): Promise<void> {
    const [{ openSqlDatabase }, { initSchema }] = await Promise.all([
      import('./sql/database/open-sql-database.js'),
      import('./sql/schema/init-schema.js'),
    ])
    // A database of its own, so that it can be closed at once.
    const database = await openSqlDatabase(sql.datasource)
    try {
      await initSchema(database, { adminRole: sql.adminRole ?? 'admin' })
    } finally {
      await database.close()
    }
  }
  return { store, init }
}

async function openDirectory(
  { ldap }: DirectoryConfig,
  logger: Logger,
  keyOf: (key: string) => string,
): Promise<OpenStore> {
  const { ldapUserStore } = await loadLdap()
  const store = ldapUserStore(ldap)
  for (const warning of store.warnings) {
    const key = keyOf(warning.key)
    logger.warn({ key }, `${key}: ${warning.message}`)
  }
  return { store }
}

async function loadLdap(): Promise<typeof import('./ldap/ldap-user-store.js')> {
  try {
    await import('ldapts')
  } catch (cause) {
    const rule = 'names a directory, which needs an optional package; run: npm install ldapts@8'
    throw new ConfigError([{ key: 'user_store.type', rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  }
  return import('./ldap/ldap-user-store.js')
}
