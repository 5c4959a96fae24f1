/**
 * What a token store keeps and answers. A store never sees a request, and never a usable token: only digests.
 *
 * @module
 */

import type { AuthKind } from '../auth.js'
import type { AccountState } from '../users/account-state.js'

/** One live token. */
export interface TokenRecord {
  /** SHA-256 of kind and credential, base64url: store key, `tokenId` and argument of `revoke` in one. */
  readonly id: string
  /** What the token is good for; part of `id`. */
  readonly kind: AuthKind
  /** Whose token it is: see `UserAccount.subject`. */
  readonly subject: string
  /** Roles at login. What a request may do is decided by `account`. */
  readonly roles: readonly string[]
  /** Whether the user was an administrator at login. */
  readonly isAdmin: boolean
  /** What the account was at login: see `UserAccount.version`. */
  readonly accountVersion: string
  /** Space-separated scope at login: `admin` or `default` for the management API. */
  readonly scope: string
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
  /** Milliseconds since the epoch. From this moment on the token is refused, whether it was cleaned up or not. */
  readonly expiresAt: number
  /** Milliseconds since the epoch of the last request that used the token; only the store's `touch` changes it. */
  lastAccessAt: number
  /** The client's address at login. */
  readonly address: string | undefined
  /**
   * The state of the account in this process. It is never stored outside of it: a record that comes from elsewhere has
   * none, and its token's signature is verified before it gets one.
   */
  account?: AccountState | undefined
}

/** Which tokens {@link TokenStore.list} returns. */
export interface TokenQuery {
  /** Only tokens of this user. */
  readonly subject?: string | undefined
  /** Only tokens of this kind. */
  readonly kind?: AuthKind | undefined
  /** At most so many, the most recently used first. @defaultValue 100 */
  readonly limit?: number | undefined
}

type MaybePromise<T> = T | Promise<T>

/**
 * Keeps tokens. Each method answers at once or with a promise; a store that fails throws or rejects with
 * {@link StoreError}, and the request is refused with 503.
 *
 * What each store must do is written as tests in `test/contracts/token-store.ts`.
 */
export interface TokenStore {
  /** The token with this id, expired or not; `undefined` when there is none. It is not an access. */
  find(id: string): MaybePromise<TokenRecord | undefined>
  /** Adds a token. `false`: the store is full and puts nobody out, so the token was not added. */
  add(record: TokenRecord): MaybePromise<boolean>
  /** Notes that a token was used. An id that is not there is ignored: no token comes back to life. */
  touch(id: string, at: number): MaybePromise<void>
  /** Ends a token. Whether there was one. */
  remove(id: string): MaybePromise<boolean>
  /** Ends all tokens of a user, of every kind. How many there were. */
  removeAllOf(subject: string): MaybePromise<number>
  /** Live tokens, the most recently used first. */
  list(query?: TokenQuery): MaybePromise<readonly TokenRecord[]>
  /** Ends timers and connections. */
  close(): MaybePromise<void>
}
