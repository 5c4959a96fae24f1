/**
 * What outlives this process, where the configuration says so: shared by processes, or in files of the only one.
 *
 * @module
 */

import type { Config } from '../config/config.js'
import { systemClock } from '../core/clock.js'
import { ConfigError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import type { ObserveQuery } from '../core/query-observer.js'
import type { SharedValues } from '../core/shared-values.js'
import type { OauthStore, OauthStoreOptions } from '../oauth/oauth-store.js'
import type { DuplicableClient } from '../redis/redis-connection.js'
import type { KeySet } from '../tokens/keys/signing-key.js'
import type { MemoryTokenStoreOptions } from '../tokens/memory/memory-token-store.js'
import type { TokenStore } from '../tokens/token-store.js'
import type { BreakGlassState } from '../users/login/break-glass.js'
import type { LoginThrottleOptions, ManagedLoginThrottle } from '../users/throttle/login-throttle.js'

/** What outlives this process. What is made with it is made before it is started. */
export interface SharedStore {
  /** Milliseconds since the epoch, by a clock that all its processes follow. */
  readonly now: () => number
  /** The last use of the account for emergencies. */
  readonly breakGlassState: BreakGlassState
  /** Small values by name. */
  readonly values: SharedValues
  /** Rejects, or throws, where the store cannot be used now. */
  check(): void | Promise<void>
  /** Milliseconds since the other processes' changes were proven to be known; absent for a store of one process. */
  readonly leaseAgeMs?: (() => number) | undefined
  createTokenStore(options: MemoryTokenStoreOptions): TokenStore
  /** `name` tells throttles apart that count other things. */
  createThrottle(options: LoginThrottleOptions, name: 'login' | 'clients'): ManagedLoginThrottle
  createOauthStore(options: OauthStoreOptions): OauthStore
  /** Told of the keys of another configuration. */
  useKeys?(keySet: KeySet): void
  /** Notes with which key the process signs that has started last. Resolves with that of the one before. */
  noteSigningKey(kid: string): Promise<string | undefined>
  /**
   * Rejects with `StoreError` where the store cannot be reached: it is tried again until `close`; and with `ConfigError` where it is not
   * what it has to be.
   */
  start(): Promise<void>
  close(): Promise<void>
}

/** What a store is opened with. */
export interface SharedStoreParts {
  readonly client?: DuplicableClient | undefined
  readonly keySet: KeySet
  /** For a store that has no clock of its own. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
  /** Told of each query of a store that is asked over a network. */
  readonly observe?: ObserveQuery | undefined
  readonly logger: Logger
}

/**
 * Opens the store of `[shared_store]`, or that of `snapshot_file`; `undefined` without both. Only then anything of it is loaded.
 *
 * @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) without the package that it needs, and for a file that cannot be read.
 */
export async function openSharedStore(
  { sharedStore, managementApi: { tokenStore, token } }: Config,
  { client, keySet, clock = systemClock, observe, logger }: SharedStoreParts,
): Promise<SharedStore | undefined> {
  const { snapshot } = tokenStore
  if (snapshot !== undefined) {
    const { createSnapshotStore } = await import('./snapshot-store.js')
    return createSnapshotStore(snapshot, { keySet, issuer: token.issuer, clock, logger })
  }
  if (sharedStore === undefined) return undefined
  if (sharedStore.type === 'sql') {
    if (client !== undefined)
      throw new TypeError(`the option "redisClient" has no effect with [shared_store] type = "sql"`)
    const { openSqlStore } = await import('./sql-shared-store.js')
    return openSqlStore(sharedStore, { logger, observe })
  }
  const { openRedisStore } = await loadRedisStore()
  return openRedisStore(sharedStore, { client, observe, logger })
}

/** @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) with the line that installs it. */
export async function loadRedisStore(): Promise<typeof import('./redis-shared-store.js')> {
  try {
    return await import('./redis-shared-store.js')
  } catch (cause) {
    const rule = 'needs an optional package; run: npm install @redis/client@6'
    throw new ConfigError([{ key: 'shared_store.type', rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  }
}

/** Logs that the process which started before signs with another key: it refuses the tokens of this one. */
export async function warnOfOtherKey(store: SharedStore, kid: string, logger: Logger): Promise<void> {
  const other = await store.noteSigningKey(kid)
  if (other === undefined || other === kid) return
  logger.warn(
    {},
    'the process that started before this one signs tokens with another key, and each refuses those of the other: give all processes the same key; after a rotation restart all',
  )
}
