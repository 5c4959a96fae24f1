/** Token stores over one Redis, each with a link of its own, as the processes of an app have them. */

import { hash } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { type OpenClient, openAt } from '../../lib/redis/redis-connection.js'
import { RedisLink } from '../../lib/redis/redis-link.js'
import { RedisTokenStore, type RedisTokenStoreOptions } from '../../lib/tokens/redis/redis-token-store.js'
import type { TokenRecord } from '../../lib/tokens/token-store.js'
import { type RecordedLog, recordedLog } from './recorded-log.js'

/** What a test wants to be different. */
export interface StoreChanges extends Omit<RedisTokenStoreOptions, 'link'> {
  readonly keyPrefix?: string
  readonly maxStalenessMs?: number
  readonly replicasToConfirm?: number
  readonly open?: OpenClient
}

/** A store and what it logs. */
export interface OpenedStore extends RecordedLog {
  readonly link: RedisLink
  readonly store: RedisTokenStore
}

/** Connects, and closes with the test. */
export async function openStore(url: string, changes: StoreChanges = {}): Promise<OpenedStore> {
  const { keyPrefix, maxStalenessMs, replicasToConfirm, open = openAt({ url }), ...options } = changes
  const log = recordedLog()
  const link = new RedisLink({ open, keyPrefix, maxStalenessMs, replicasToConfirm, logger: log.logger })
  const store = new RedisTokenStore({ ...options, link })
  onTestFinished(() => store.close())
  await link.start()
  return { ...log, link, store }
}

let count = 0

/** A record that nobody has yet, which lives for ten minutes from `now`. */
export function createRecord(now: number, changes: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: hash('sha256', `record ${process.pid} ${count++}`, 'base64url'),
    kind: 'management',
    audience: undefined,
    parent: undefined,
    subject: 'alice',
    roles: [],
    isAdmin: false,
    accountVersion: '1',
    scope: 'default',
    issuedAt: now,
    expiresAt: now + 600_000,
    idleTimeoutMs: undefined,
    lastAccessAt: now,
    address: undefined,
    ...changes,
  }
}
