/** Token stores over one database, each with a link of its own, as the processes of an app have them. */

import { onTestFinished } from 'vitest'
import type { SqlPoolOptions } from '../../lib/sql/pooled-database.js'
import { SqlLink } from '../../lib/sql/sql-link.js'
import { SqlTokenStore, type SqlTokenStoreOptions } from '../../lib/tokens/sql/sql-token-store.js'
import { type RecordedLog, recordedLog } from './recorded-log.js'
import type { SqlEngine } from './sql-engines.js'

/** What a test wants to be different. */
export interface SqlStoreChanges extends Omit<SqlTokenStoreOptions, 'link'> {
  readonly keyPrefix?: string
  readonly pool?: SqlPoolOptions
}

/** A store and what it logs. */
export interface OpenedSqlStore extends RecordedLog {
  readonly link: SqlLink
  readonly store: SqlTokenStore
}

let count = 0

/** A prefix that no other test has. */
export const newPrefix = (): string => `test-${process.pid}-${count++}`

/** Connects, and closes with the test. */
export async function openSqlStore(engine: SqlEngine, changes: SqlStoreChanges = {}): Promise<OpenedSqlStore> {
  const { keyPrefix, pool, ...options } = changes
  const log = recordedLog()
  const link = new SqlLink({ database: await engine.open(pool), keyPrefix, logger: log.logger })
  const store = new SqlTokenStore({ ...options, link })
  onTestFinished(() => store.close())
  await link.start()
  return { ...log, link, store }
}
