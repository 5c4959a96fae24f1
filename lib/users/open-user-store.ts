/**
 * Opens the user store that a configuration makes effective.
 *
 * @module
 */

import type { Config, DatabaseConfig, DirectoryConfig, UserStoreConfig } from '../config/config.js'
import { ConfigError, StoreError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import type { PreparedChange } from '../core/prepared-change.js'
import type { ObserveQuery } from '../core/query-observer.js'
import { userStoreChain } from './chain.js'
import { openFileUsers } from './file/open-file-users.js'
import type { ManagedUserStore } from './managed-user-store.js'
import { primaryDomain } from './names.js'
import type { UserStore } from './user-store.js'

export interface OpenUserStoreOptions {
  readonly logger: Logger
  /** Folder for the first admin's password when the configuration was not read from a file. */
  readonly home: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** See `FileUserStoreOptions`. */
  readonly versionKey?: Uint8Array | undefined
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
  /** Makes what is told of the queries to the store of a domain. @defaultValue nothing is */
  readonly observe?: ((domain: string) => ObserveQuery) | undefined
  /** Whether users may have second factors: then `init` makes their table beside those of WSO2 too. @defaultValue `false` */
  readonly usesSecondFactors?: boolean | undefined
}

/** One of the stores that a front looks users up in. */
export interface NamedUserStore {
  /** Its domain. */
  readonly name: string
  readonly store: UserStore
}

export interface OpenUserStore {
  readonly users: UserStore
  /** Each store by itself, the primary one first. */
  readonly stores: readonly NamedUserStore[]
  /** Makes what the store needs before its first user, such as the tables of a database. */
  readonly init?: (() => Promise<void>) | undefined
  /** Prepares the users of another configuration, to be exchanged all at once. Rejects as {@link openUserStore} does. */
  prepare(config: Config): Promise<PreparedChange>
}

/**
 * Opens the file users, or the directory and databases of `[user_store]`: nothing of those is connected yet, and one that is
 * down is no failure to start. `prepare` exchanges file users; a change to, from or in another store takes effect at the next start.
 *
 * @throws `ConfigError` when the users or a store's options cannot be used, and (`ERR_CONFIG_MISSING_PACKAGE`) without the package
 * that a store needs.
 */
export async function openUserStore(config: Config, options: OpenUserStoreOptions): Promise<OpenUserStore> {
  const { logger } = options
  const { userStore, secondaryUserStores } = config
  const opened =
    userStore === undefined
      ? await openFileUsers(config, options)
      : {
          ...(await openNamedStores([userStore, ...secondaryUserStores], {
            ...options,
            usesSecondFactors: config.secondFactor !== undefined,
          })),
          prepare: async () => ({ swap() {} }),
        }

  return {
    users: opened.users,
    stores: opened.stores,
    init: opened.init,
    async prepare(next) {
      if (storesIn(next) === storesIn(config)) return opened.prepare(next)
      const log = () => logger.warn({ key: 'user_store' }, 'user_store: the change takes effect at the next start')
      return { swap() {}, log }
    },
  }
}

function storesIn({ userStore, secondaryUserStores }: Config): string {
  return userStore === undefined
    ? 'the users of the file'
    : JSON.stringify([userStore, secondaryUserStores], withoutPlace)
}

/** Where a table stands in the file makes no other store. */
function withoutPlace(name: string, value: unknown): unknown {
  return name === 'datasourceKey' ? undefined : value
}

type OpenableConfig = DatabaseConfig | DirectoryConfig
type OpenStore = Pick<OpenUserStore, 'init'> & { readonly store: ManagedUserStore }

/**
 * Opens the stores, and makes a chain of several; the first is the primary one.
 *
 * @throws `ConfigError` with every option of any store that cannot be used. None is open then.
 */
export async function openNamedStores(
  configs: readonly UserStoreConfig[],
  options: OpenUserStoreOptions,
): Promise<Pick<OpenUserStore, 'users' | 'stores' | 'init'>> {
  const [primary] = configs
  if (primary?.type === 'unavailable') {
    const users = unavailableUserStore(primary.reason)
    return { users, stores: [{ name: primaryDomain, store: users }], init: undefined }
  }
  const opened: OpenStore[] = []
  const failures: unknown[] = []
  for (const config of configs.filter(({ type }) => type !== 'unavailable') as readonly OpenableConfig[]) {
    await openStore(config, options, config === primary).then(
      (store) => opened.push(store),
      (error: unknown) => failures.push(error),
    )
  }
  if (failures.length > 0) {
    await Promise.all(opened.map(({ store }) => store.close()))
    throw combineStores(failures)
  }
  const inits = opened.map(({ init }) => init).filter((init) => init !== undefined)
  const stores = opened.map(({ store }) => ({ domain: store.domain, store }))

  return {
    users: stores.length === 1 ? stores[0]!.store : userStoreChain(stores),
    stores: stores.map(({ domain, store }) => ({ name: domain, store })),
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
  return { authenticate: fail, find: fail, ping: fail, close() {} }
}

function combineStores([first, ...others]: readonly unknown[]): unknown {
  if (!(first instanceof ConfigError) || others.length === 0) return first
  const problems = [first, ...others].flatMap((error) => (error instanceof ConfigError ? error.problems : []))
  return new ConfigError(problems, { code: first.code, cause: first.cause })
}

async function openStore(
  config: OpenableConfig,
  options: OpenUserStoreOptions,
  isPrimary: boolean,
): Promise<OpenStore> {
  const renameKey = (key: string): string => {
    const own = key.replace(/^user_store\b/, config.key)
    return config.type === 'database' ? own.replace(/^datasource\b/, config.datasourceKey) : own
  }
  try {
    return config.type === 'database'
      ? await openDatabase(config, options, isPrimary)
      : await openDirectory(config, options, renameKey)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problems = error.problems.map((problem) => ({ ...problem, key: renameKey(problem.key) }))
    throw new ConfigError(problems, { code: error.code, cause: error.cause })
  }
}

async function openDatabase(
  { sql, domain }: DatabaseConfig,
  { logger, clock, observe, usesSecondFactors = false }: OpenUserStoreOptions,
  isPrimary: boolean,
): Promise<OpenStore> {
  const { sqlUserStore } = await import('./sql/sql-user-store.js')
  const datasource = { ...sql.datasource, observe: observe?.(domain) }
  const store = await sqlUserStore({ ...sql, datasource, logger, clock })

  async function init(): Promise<void> {
    const [{ openSqlDatabase }, { hasWso2Users, initSchema }, { initSecondFactors }] = await Promise.all([
      import('../sql/open-sql-database.js'),
      import('./sql/own-schema.js'),
      import('./second-factor/sql-second-factors.js'),
    ])
    // A database of its own, so that it can be closed at once.
    const database = await openSqlDatabase(sql.datasource)
    try {
      const leavesUsers = usesSecondFactors && (await hasWso2Users(database))
      if (!leavesUsers) await initSchema(database, { adminRole: sql.adminRole ?? 'admin' })
      // All second factors are kept in the primary store's database.
      if (isPrimary) await initSecondFactors(database)
    } finally {
      await database.close()
    }
  }
  return { store, init }
}

async function openDirectory(
  { ldap, domain }: DirectoryConfig,
  { logger, observe }: OpenUserStoreOptions,
  renameKey: (key: string) => string,
): Promise<OpenStore> {
  const { ldapUserStore } = await loadLdap()
  const store = ldapUserStore({ ...ldap, observe: observe?.(domain) })
  for (const warning of store.warnings) {
    const key = renameKey(warning.key)
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
