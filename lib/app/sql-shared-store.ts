/**
 * What processes share through a database.
 *
 * @module
 */

import type { SqlSharedStoreConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { msSince } from '../core/moment.js'
import type { ObserveQuery } from '../core/query-observer.js'
import { SqlOauthStore } from '../oauth/sql-oauth-store.js'
import { openSqlDatabase } from '../sql/open-sql-database.js'
import { initSharedTables } from '../sql/shared-tables.js'
import type { SqlDatabase } from '../sql/sql-database.js'
import { SqlLink } from '../sql/sql-link.js'
import { SqlTokenStore } from '../tokens/sql/sql-token-store.js'
import { createSqlThrottle } from '../users/throttle/sql-throttle.js'
import type { SharedStore, SharedStoreParts } from './shared-store.js'
import { breakGlassStateIn, noteSigningKey, valuesIn } from './sql-shared-values.js'

/** Milliseconds for a statement or a transaction: a request waits so long before it is answered with 503. */
const timeoutMs = 3000

/** @throws `ConfigError` for a database that cannot be used. */
export async function openSqlStore(
  config: SqlSharedStoreConfig,
  { logger, observe }: Pick<SharedStoreParts, 'logger' | 'observe'>,
): Promise<SharedStore> {
  const { keyPrefix, maxStalenessMs, maxStalenessOnFailureMs } = config
  const link = new SqlLink({ database: await openDatabase(config, logger, observe), keyPrefix, logger })
  const staleness = { maxStalenessMs, maxStalenessOnFailureMs }
  return {
    now: link.now,
    breakGlassState: breakGlassStateIn(link),
    values: valuesIn(link),
    async check() {
      link.assertReady()
      await link.lookUp()
    },
    leaseAgeMs: () => msSince(link.heardAt),
    createTokenStore: (options) => new SqlTokenStore({ ...options, ...staleness, link }),
    createThrottle: (options, name) => createSqlThrottle({ ...options, name, link, logger }),
    createOauthStore: (options) => new SqlOauthStore({ ...options, link }),
    noteSigningKey: (kid) => noteSigningKey(link, kid),
    start: () => link.start(),
    close: () => link.close(),
  }
}

/** Makes the tables where they are missing. Rejects with `StoreError`. */
export async function initSqlStore(config: SqlSharedStoreConfig, logger: Logger): Promise<void> {
  const database = await openDatabase(config, logger)
  await initSharedTables(database).finally(() => database.close())
}

async function openDatabase(
  { datasource, datasourceKey }: SqlSharedStoreConfig,
  logger: Logger,
  observe?: ObserveQuery,
): Promise<SqlDatabase> {
  const key = `${datasourceKey}.url`
  const onWarning = (message: string): void => logger.warn({ key }, `${key}: ${message}`)
  try {
    return await openSqlDatabase({ ...datasource, timeoutMs, onWarning, observe })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problems = error.problems.map((problem) => ({
      ...problem,
      key: problem.key.replace(/^datasource\b/, datasourceKey),
    }))
    throw new ConfigError(problems, { code: error.code, cause: error.cause })
  }
}
