/**
 * A token or a session as the memory store holds it, and the lists that it is in.
 *
 * @module
 */

import type { Factor } from '../../core/auth.js'
import type { AccountState } from '../../users/user-store.js'
import { getExpiry, type RecordKind, type TokenRecord } from '../token-store.js'

/** A place in a list, linked to both neighbours. One that is in no list is its own neighbour. */
class ListPlace {
  before: ListPlace = this
  after: ListPlace = this

  /** Leaves whatever list it is in. */
  leave(): void {
    this.before.after = this.after
    this.after.before = this.before
    this.before = this
    this.after = this
  }
}

/**
 * A live object: `find` answers the same one each time, and `account` may be set on it. It is its own place in the list of its
 * user.
 */
export class StoredToken extends ListPlace implements TokenRecord {
  readonly id: string
  readonly kind: RecordKind
  readonly audience: string | undefined
  readonly parent: string | undefined
  readonly owner: UserTokens
  readonly roles: readonly string[]
  readonly isAdmin: boolean
  readonly accountVersion: string
  readonly scope: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly idleTimeoutMs: number | undefined
  /** A number from the start: after `undefined`, V8 allocates a new one at each use. */
  lastAccessAt = 0
  readonly address: string | undefined
  readonly factors: readonly Factor[] | undefined
  readonly impersonator: string | undefined
  account: AccountState | undefined

  /** Rises with each use of any token: which of two was used last, also within one millisecond. */
  useNumber: number

  readonly placeInQueue: QueuePlace = new QueuePlace(this)

  constructor(record: TokenRecord, owner: UserTokens, useNumber: number) {
    super()
    this.id = record.id
    this.kind = record.kind
    this.audience = record.audience
    this.parent = record.parent
    this.owner = owner
    this.roles = record.roles
    this.isAdmin = record.isAdmin
    this.accountVersion = record.accountVersion
    this.scope = record.scope
    this.issuedAt = record.issuedAt
    this.expiresAt = record.expiresAt
    this.idleTimeoutMs = record.idleTimeoutMs
    this.lastAccessAt = record.lastAccessAt
    this.address = record.address
    this.factors = record.factors
    this.impersonator = record.impersonator
    this.account = record.account
    this.useNumber = useNumber
  }

  get subject(): string {
    return this.owner.subject
  }

  /** What is kept of it outside of the process: all but its account, and the lists that it is in. */
  toJSON(): TokenRecord {
    const { id, kind, audience, parent, subject, roles, isAdmin, accountVersion, scope } = this
    const { issuedAt, expiresAt, idleTimeoutMs, lastAccessAt, address, factors, impersonator } = this
    return {
      id,
      kind,
      audience,
      parent,
      subject,
      roles,
      isAdmin,
      accountVersion,
      scope,
      issuedAt,
      expiresAt,
      idleTimeoutMs,
      lastAccessAt,
      address,
      factors,
      impersonator,
    }
  }

  /** See {@link getExpiry}. */
  get endsAt(): number {
    return getExpiry(this)
  }
}

/** The place of a token among those that end in their order. */
class QueuePlace extends ListPlace {
  readonly token: StoredToken

  constructor(token: StoredToken) {
    super()
    this.token = token
  }
}

/** A doubly linked list: each step takes constant time, also in the middle. It closes the ring: behind the last, before the first. */
class TokenList<Place extends ListPlace> extends ListPlace {
  get first(): Place | undefined {
    return this.after === this ? undefined : (this.after as Place)
  }

  get last(): Place | undefined {
    return this.before === this ? undefined : (this.before as Place)
  }

  /** Moves a place to the end, out of whatever list it is in. */
  append(place: Place): void {
    if (this.before === place) return
    place.leave()
    place.before = this.before
    place.after = this
    this.before.after = place
    this.before = place
  }

  *fromLast(): Generator<Place, undefined> {
    for (let place = this.before; place !== this; place = place.before) yield place as Place
  }
}

/** The tokens of one kind in the order in which they end. */
export class EndQueue extends TokenList<QueuePlace> {}

/** The tokens of one user, the most recently used last. */
export class UserTokens extends TokenList<StoredToken> {
  readonly subject: string
  count = 0

  constructor(subject: string) {
    super()
    this.subject = subject
  }
}
