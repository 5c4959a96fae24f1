/**
 * What issuing and verifying share.
 *
 * @module
 */

import type { AccountState } from '../users/account-state.js'
import type { Accounts } from '../users/accounts.js'
import type { CheckedTokenStore } from './checked-token-store.js'
import type { KeyRing } from './key-ring.js'
import type { Revocations } from './revocations.js'

/** The options of `createTokens` with every default filled in, and what was revoked of late. */
export interface TokenParts {
  readonly store: CheckedTokenStore
  readonly keys: KeyRing
  readonly issuer: string
  readonly audience: string
  readonly expirySeconds: number
  readonly clock: () => number
  readonly accounts: Accounts | undefined
  readonly revocations: Revocations
}

/** The state of an account that nobody keeps fresh. */
export function stateAtLogin(version: string, roles: readonly string[], isAdmin: boolean): AccountState {
  return { version, roles: Object.freeze([...roles]), isAdmin, hasEnded: false, checkedAt: 0 }
}

/** The scope of every kind of token but OAuth's. */
export function scopeOf(isAdmin: boolean): string {
  return isAdmin ? 'admin' : 'default'
}
