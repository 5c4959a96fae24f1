/**
 * What a token store keeps and answers. A store never sees a request, and never a usable token: only digests.
 *
 * @module
 */

import type { AuthKind, Factor, MachineKind } from '../core/auth.js'
import type { AccountState } from '../users/user-store.js'

/**
 * What a record is good for: what requests are authenticated with; `sso`, a sign-on that several portals share, which
 * authenticates no request by itself; or `tombstone`, which keeps a credential that nobody here has issued from coming back.
 */
export type RecordKind = AuthKind | 'sso' | 'tombstone'

/** One live token or session. */
export interface TokenRecord {
  /** SHA-256 of kind and credential, base64url: store key, `tokenId` and argument of `revoke` in one. */
  readonly id: string
  /** What the token is good for; part of `id`. */
  readonly kind: RecordKind
  /** The portal of a session, the audience of an OAuth token; `undefined` for the other kinds. */
  readonly audience: string | undefined
  /**
   * Id of the parent session: the record is good only while its parent is. `list` leaves it out from then on; at a request the
   * caller of `find` looks the parent up. `undefined`: none.
   */
  readonly parent: string | undefined
  /** Whose token it is: see `UserAccount.subject`. */
  readonly subject: string
  /** Roles at login. What a request may do is decided by `account`. */
  readonly roles: readonly string[]
  /** Whether the user was an administrator at login. */
  readonly isAdmin: boolean
  /** What the account was at login: see `UserAccount.version`. Of an `api`, `issuer` or `icp` token: by which settings it was accepted, and its tombstone. */
  readonly accountVersion: string
  /** Space-separated scope at login: `admin` or `default` for the management API. */
  readonly scope: string
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
  /** Milliseconds since the epoch. From this moment on the token is refused, whether it was cleaned up or not. */
  readonly expiresAt: number
  /** Milliseconds without a request after which the record ends earlier: see {@link getExpiry}. `undefined`: it does not. */
  readonly idleTimeoutMs: number | undefined
  /** Milliseconds since the epoch of the last request that used the token; only the store's `touch` changes it. */
  lastAccessAt: number
  /** The client's address at login. */
  readonly address: string | undefined
  /** What the login was proven with. Absent: not known, which no rule about factors takes for one. */
  readonly factors?: readonly Factor[] | undefined
  /** Who acts as the user: see `Auth.impersonator`. */
  readonly impersonator?: string | undefined
  /**
   * The state of the account in this process. It is never stored outside of it: a record that comes from elsewhere has
   * none, and its token's signature is verified before it gets one.
   */
  account?: AccountState | undefined
}

/** A record that was verified, with the state of its account. */
export interface LiveRecord extends TokenRecord {
  account: AccountState
}

/** Since when a revocation of all tokens of a user refuses a login. */
export interface LoginStart {
  /** When the login began, before the user was read, in milliseconds since the epoch. */
  readonly startedAt: number
  /** Whether the record must be there already: what has ended meanwhile is not made anew. @defaultValue false */
  readonly mustExist?: boolean | undefined
}

/** Which tokens {@link TokenStore.list} returns. */
export interface TokenQuery {
  /** Only tokens of this user. */
  readonly subject?: string | undefined
  /** Only tokens of this kind. */
  readonly kind?: RecordKind | undefined
  /** At most so many, the most recently used first. @defaultValue 100 */
  readonly limit?: number | undefined
}

/** How full the part of a store is that has a bound of its own. */
export interface PoolFill {
  /** What its tokens are good for; `machine` stands for the kinds `api`, `issuer` and `icp`. */
  readonly kind: Exclude<RecordKind, MachineKind | 'basic' | 'tombstone'> | 'machine'
  /** Tokens that are held; those that have ended may be among them. */
  readonly count: number
  /** Tokens that can be held. */
  readonly capacity: number
}

type MaybePromise<T> = T | Promise<T>

/**
 * Keeps tokens. Each method answers at once or with a promise; a store that fails throws or rejects with
 * `StoreError`, and the request is refused with 503.
 *
 * What each store must do is in `tokenStoreContract` of `sallyport/testing`.
 */
export interface TokenStore {
  /** The token with this id, expired or not; `undefined` when there is none. It is not an access. */
  find(id: string): MaybePromise<TokenRecord | undefined>
  /**
   * Adds a token. `false`: the store is full and evicts nothing, so the token was not added. `'revoked'`: another process over the
   * same store has ended all tokens of the user since the login began.
   */
  add(record: TokenRecord, login?: LoginStart): MaybePromise<boolean | 'revoked'>
  /**
   * Notes that a token was used. An id that is not there is ignored, and so is a record that has ended by `at`: nothing comes
   * back to life.
   */
  touch(id: string, at: number): MaybePromise<void>
  /** Ends a token. Whether there was one. */
  remove(id: string): MaybePromise<boolean>
  /** Ends all tokens of a user, of every kind. How many there were. */
  removeBySubject(subject: string): MaybePromise<number>
  /** Live tokens, the most recently used first. A record whose parent has ended is not live. Tombstones are listed only by their kind. */
  list(query?: TokenQuery): MaybePromise<readonly TokenRecord[]>
  /** How full it is, for metrics. Absent: they do not tell. */
  fill?(): MaybePromise<readonly PoolFill[]>
  /** Ends timers and connections. */
  close(): MaybePromise<void>
  /**
   * A store that other processes have too has this method and all that follow, or none of them. Whether `find` answers with what is kept
   * in this process. Such a store is asked about other tokens only when their
   * signature was verified.
   */
  holds?(id: string): boolean
  /** @throws StoreError when no token can be added: asked before a password is checked. */
  assertReady?(): void
  /** Resolves when this process knows of every change that the others have made. Rejects with `StoreError`. */
  assertCurrent?(): undefined | Promise<void>
  /** Calls `tell` when another process over the same store has changed the rights of a user, or of all. */
  onAccountChange?(tell: (subject: string | undefined) => void): void
  /** Tells the other processes that the rights of a user, or of all, have changed. */
  publishAccountChange?(subject?: string): MaybePromise<void>
}

/**
 * When a record ends, in milliseconds since the epoch: at `expiresAt`, or earlier if it was idle for `idleTimeoutMs`. From
 * this moment on it is refused.
 */
export function getExpiry({
  expiresAt,
  idleTimeoutMs,
  lastAccessAt,
}: Pick<TokenRecord, 'expiresAt' | 'idleTimeoutMs' | 'lastAccessAt'>): number {
  return idleTimeoutMs === undefined ? expiresAt : Math.min(expiresAt, lastAccessAt + idleTimeoutMs)
}
