/**
 * A token or a session as the memory store holds it: the record, and its places in the orders of its user and of expiry.
 *
 * @module
 */

import type { AccountState } from '../users/account-state.js'
import { endOf, type RecordKind, type TokenRecord } from './token-store.js'
import type { UserTokens } from './user-tokens.js'

/** Times are kept relative to this, so that V8 stores them as small integers in place of boxed doubles. */
const origin = Date.now()

/** A live object: `find` answers the same one each time, and `account` may be set on it. */
export class TokenEntry implements TokenRecord {
  readonly id: string
  readonly kind: RecordKind
  readonly owner: UserTokens
  readonly roles: readonly string[]
  readonly isAdmin: boolean
  readonly accountVersion: string
  readonly scope: string
  readonly address: string | undefined
  account: AccountState | undefined

  readonly #issued: number
  readonly #expires: number
  #lastAccess: number

  /** Rises with each use of any token: what was used last, also within one millisecond. */
  tick: number

  newerOfUser: TokenEntry | undefined = undefined
  olderOfUser: TokenEntry | undefined = undefined
  earlierToExpire: TokenEntry | undefined = undefined
  laterToExpire: TokenEntry | undefined = undefined

  constructor(record: TokenRecord, owner: UserTokens, tick: number) {
    this.id = record.id
    this.kind = record.kind
    this.owner = owner
    this.roles = record.roles
    this.isAdmin = record.isAdmin
    this.accountVersion = record.accountVersion
    this.scope = record.scope
    this.address = record.address
    this.account = record.account
    this.#issued = record.issuedAt - origin
    this.#expires = record.expiresAt - origin
    this.#lastAccess = record.lastAccessAt - origin
    this.tick = tick
  }

  get subject(): string {
    return this.owner.subject
  }

  /** Only a {@link BoundEntry} has one: most entries are management tokens, and a field of theirs would cost each of them. */
  get audience(): string | undefined {
    return undefined
  }

  /** As `audience`. */
  get parent(): string | undefined {
    return undefined
  }

  /** As `audience`. */
  get idleTimeoutMs(): number | undefined {
    return undefined
  }

  get issuedAt(): number {
    return this.#issued + origin
  }

  get expiresAt(): number {
    return this.#expires + origin
  }

  get lastAccessAt(): number {
    return this.#lastAccess + origin
  }

  /** See {@link endOf}. */
  get endsAt(): number {
    return endOf(this)
  }

  noteAccess(at: number, tick: number): void {
    this.#lastAccess = at - origin
    this.tick = tick
  }
}

/** An entry with an audience, a parent or an idle time-out: a session, or an OAuth token. */
export class BoundEntry extends TokenEntry {
  readonly #audience: string | undefined
  readonly #parent: string | undefined
  readonly #idleTimeoutMs: number | undefined

  constructor(record: TokenRecord, owner: UserTokens, tick: number) {
    super(record, owner, tick)
    this.#audience = record.audience
    this.#parent = record.parent
    this.#idleTimeoutMs = record.idleTimeoutMs
  }

  override get audience(): string | undefined {
    return this.#audience
  }

  override get parent(): string | undefined {
    return this.#parent
  }

  override get idleTimeoutMs(): number | undefined {
    return this.#idleTimeoutMs
  }
}

/** Makes the entry that holds a record in the least memory. */
export function entryOf(record: TokenRecord, owner: UserTokens, tick: number): TokenEntry {
  const { audience, parent, idleTimeoutMs } = record
  const isBound = audience !== undefined || parent !== undefined || idleTimeoutMs !== undefined
  return isBound ? new BoundEntry(record, owner, tick) : new TokenEntry(record, owner, tick)
}
