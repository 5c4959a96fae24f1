/**
 * What keeps a revoked credential from coming back that nobody here has issued: its record may go, and its signature stays good.
 *
 * @module
 */

import type { MachineKind } from '../../core/auth.js'
import { StoreError } from '../../core/errors.js'
import type { CheckedTokenStore } from '../checked-token-store.js'
import { tokenId } from '../token-id.js'
import type { TokenRecord } from '../token-store.js'
import type { Ending } from './credential-source.js'

/** Of nobody, so that no revocation of a user takes one away. */
export const tombstoneKeeper = 'INTERNAL/tombstones'

export function tombstoneId(kind: MachineKind, name: string): string {
  return tokenId('tombstone', `${kind}:${name}`)
}

export function userTombstoneId(subject: string): string {
  return tokenId('tombstone', `user:${subject}`)
}

/** Tombstones in a token store: as far as that reaches, they do. */
export interface Tombstones {
  /** Rejects with `StoreError`: then nothing is revoked that another process might be asked about. */
  add(id: string, at: number, until: number): Promise<void>
  /** Whether a credential was revoked: by itself, or with all of its user. */
  refuses(id: string, subject: string, issuedAt: number | undefined): Promise<boolean>
}

export function createTombstones(store: CheckedTokenStore, clock: () => number): Tombstones {
  async function find(id: string): Promise<TokenRecord | undefined> {
    const found = await store.find(id, 'tombstone')
    return found !== undefined && clock() < found.expiresAt ? found : undefined
  }

  return {
    async add(id, at, until) {
      if (until <= clock()) return
      const isAdded = await store.add({
        id,
        kind: 'tombstone',
        audience: undefined,
        parent: undefined,
        subject: tombstoneKeeper,
        roles: [],
        isAdmin: false,
        accountVersion: '',
        scope: '',
        issuedAt: at,
        expiresAt: until,
        idleTimeoutMs: undefined,
        lastAccessAt: at,
        address: undefined,
      })
      if (isAdded !== true) throw new StoreError('the token store has no room for one more revoked credential')
    },

    async refuses(id, subject, issuedAt) {
      const [own, all] = await Promise.all([find(id), find(userTombstoneId(subject))])
      return own !== undefined || (all !== undefined && (issuedAt ?? 0) <= all.issuedAt)
    },
  }
}

/** The id of the tombstone of an ending. */
export function endingId(kind: MachineKind, subject: string, { name }: Ending): string {
  return name === undefined ? userTombstoneId(subject) : tombstoneId(kind, name)
}
