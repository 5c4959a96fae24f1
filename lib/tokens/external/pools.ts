/**
 * The tokens that share one bound, in a store that several processes have.
 *
 * @module
 */

import { isMachineKind } from '../../core/auth.js'
import { assertIntegers } from '../../core/option-numbers.js'
import type { MemoryTokenStoreOptions } from '../memory/memory-token-store.js'
import type { RecordKind } from '../token-store.js'

/** What a list shows unless it asks for one kind. */
export const listedPools = ['management', 'portal', 'oauth', 'sso', 'machine'] as const
export const allPools = [...listedPools, 'tombstone'] as const
export type Pool = (typeof allPools)[number]

export function poolFor(kind: RecordKind): Pool {
  if (kind === 'basic') return 'management'
  return isMachineKind(kind) ? 'machine' : kind
}

/** Credentials that nobody here has issued: one that goes is accepted anew at its next use. */
export const maxMachineTokens = 10_000

/** None of them may go before its time. */
export const maxTombstones = 100_000

/** Sizes are those of all processes together, with the defaults of `MemoryTokenStore`. */
export type SharedSizes = Pick<
  MemoryTokenStoreOptions,
  'maxSize' | 'maxSessions' | 'maxOAuthTokens' | 'maxPerUser' | 'removeOldestOnOverflow'
>

/** Bounds of one pool. */
export interface PoolBounds {
  readonly size: number
  readonly perUser: number
  readonly evicts: boolean
}

/** @throws TypeError when a size is out of range. */
export function poolBounds(options: SharedSizes): (pool: Pool) => PoolBounds {
  const { maxSize = 200, maxPerUser = maxSize, removeOldestOnOverflow = true } = options
  const { maxSessions = 10_000, maxOAuthTokens = 10_000 } = options
  assertIntegers({ maxSize, maxPerUser, maxSessions, maxOAuthTokens }, 1)
  const sizes = {
    portal: maxSessions,
    oauth: maxOAuthTokens,
    sso: maxSessions,
    machine: maxMachineTokens,
    tombstone: maxTombstones,
  }
  return (pool) =>
    pool === 'management'
      ? { size: maxSize, perUser: maxPerUser, evicts: removeOldestOnOverflow }
      : { size: sizes[pool], perUser: sizes[pool], evicts: pool !== 'tombstone' }
}

/** Options that the stores have in common which several processes share. */
export interface SharedTokenStoreOptions extends SharedSizes, Pick<MemoryTokenStoreOptions, 'onEvict'> {
  /**
   * Milliseconds for which tokens that this process knows still pass when the store cannot be reached. 0: none does.
   *
   * @defaultValue 0
   */
  readonly maxStalenessOnFailureMs?: number | undefined
  /**
   * Milliseconds between two notes of the use of one token by one process: so much later than its idle time-out a session may end.
   *
   * @defaultValue a twentieth of the idle time-out, at most 30 000; 60 000 for a token without one
   */
  readonly touchIntervalMs?: number | undefined
  /** Records that are kept in this process at the most. @defaultValue 100 000 */
  readonly maxLocal?: number | undefined
  /** Milliseconds since the epoch. @defaultValue the clock of the store */
  readonly clock?: (() => number) | undefined
}
