/**
 * The store under test, and what its tests share.
 *
 * @module
 */

import { tokenId } from '../tokens/token-id.js'
import type { TokenQuery, TokenRecord, TokenStore } from '../tokens/token-store.js'

/** What a store under test is made with. */
export interface ContractStoreOptions {
  /** The bound of tokens. */
  readonly maxSize: number
  /** Whether a full store evicts a token, and does not refuse the new one. */
  readonly removeOldestOnOverflow: boolean
  /** In milliseconds since 1970. */
  readonly clock: () => number
  /** The bound of portal sessions, which is one of its own. @default at least 10 */
  readonly maxSessions?: number
}

/** When the tests begin, in milliseconds since the epoch. */
export const start: number = Date.UTC(2026, 0, 1)

/** A record with a digest for an id, as the package makes them. */
export function createRecord(name: string, fields: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: tokenId('management', name),
    kind: 'management',
    audience: undefined,
    parent: undefined,
    idleTimeoutMs: undefined,
    subject: 'alice',
    roles: ['operator'],
    isAdmin: false,
    accountVersion: 'version 1',
    scope: 'default',
    issuedAt: start,
    expiresAt: start + 60_000,
    lastAccessAt: start,
    address: '192.0.2.1',
    ...fields,
  }
}

/** The ids of {@link createRecord}. */
export const idsFor = (...names: readonly string[]): string[] => names.map((name) => createRecord(name).id)

/** The store of one test. */
export class ContractStage {
  /** What the clock says. */
  now: number = start
  readonly #makeStore: (options: ContractStoreOptions) => Promise<TokenStore>
  #store: TokenStore | undefined

  constructor(makeStore: (options: ContractStoreOptions) => Promise<TokenStore>) {
    this.#makeStore = makeStore
  }

  /** The store; there is one from {@link startStore} on. */
  get store(): TokenStore {
    return this.#store!
  }

  /** Makes a store in place of the one before. */
  async startStore(options: Partial<ContractStoreOptions> = {}): Promise<void> {
    await this.#store?.close()
    this.#store = await this.#makeStore({
      maxSize: 10,
      removeOldestOnOverflow: true,
      clock: () => this.now,
      ...options,
    })
  }

  /** The ids that the store lists. */
  async idsFrom(query?: TokenQuery): Promise<string[]> {
    return (await this.store.list(query)).map(({ id }) => id)
  }
}
