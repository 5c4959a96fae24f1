/**
 * The sessions of one portal, in the store that holds the tokens as well: started, verified and ended.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { inBackground } from '../async/background.js'
import type { Auth, Factor } from '../core/auth.js'
import { systemClock } from '../core/clock.js'
import { UnauthorizedError } from '../core/errors.js'
import { isPortalName, portalNameRule } from '../core/names.js'
import { andThen } from '../core/thenable.js'
import type { Accounts } from '../users/accounts.js'
import type { UserAccount } from '../users/user-store.js'
import { checkedTokenStore } from './checked-token-store.js'
import { addRecord, lifeMsFor } from './issuer.js'
import { type Revocations, revocationsFor } from './revocations.js'
import { tokenId } from './token-id.js'
import { getExpiry, type TokenRecord, type TokenStore } from './token-store.js'
import { authFrom, createRecordVerifier } from './verification.js'

/** Options of {@link createSessions}. */
export interface SessionsOptions {
  /** Keeps the sessions. It may hold tokens and the sessions of other portals too; it stays yours to close. */
  readonly store: TokenStore
  /** Name of the portal; part of each session's id, so that the cookie of one portal is nothing to another. */
  readonly portal: string
  /** Milliseconds without a request after which a session ends. */
  readonly idleTimeoutMs: number
  /** Milliseconds after which a session ends however busy it is. */
  readonly absoluteTimeoutMs: number
  /** Keeps rights fresh. @defaultValue a session has the rights of its login until it ends */
  readonly accounts?: Accounts | undefined
  /** What was revoked of late. @defaultValue one for each store */
  readonly revocations?: Revocations | undefined
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
}

/** How a session begins. */
export interface SessionLogin {
  /** The client's address. */
  readonly address?: string | undefined
  /**
   * When the login began, in milliseconds since the epoch: see `Login.startedAt`.
   *
   * @defaultValue the time of the call
   */
  readonly startedAt?: number | undefined
  /** Id of the record that the session ends with. @defaultValue none */
  readonly parent?: string | undefined
  /** What the login was proven with. @defaultValue not known */
  readonly factors?: readonly Factor[] | undefined
  /** The subject of the user who acts as this one. @defaultValue nobody */
  readonly impersonator?: string | undefined
}

/** A session that has just begun. */
export interface NewSession {
  /** What the cookie holds: 256 random bits. It is kept nowhere. */
  readonly credential: string
  /** Argument of {@link Sessions.end} and of `tokens.revoke`. */
  readonly id: string
  /** The caller of its requests. */
  readonly auth: Auth
}

/** A session that was found good. */
export interface LiveSession {
  /** The caller. `expiresAt` is the absolute end of the session. */
  readonly auth: Auth
  /** When it was last used, in milliseconds since the epoch; this request included if it counts as a use. */
  readonly lastAccessAt: number
  /** Milliseconds without a request after which it ends. */
  readonly idleTimeoutMs: number
}

/** The sessions of one portal. Each method throws or rejects with `StoreError` when the store fails. */
export interface Sessions {
  /**
   * Begins a session for a user who has just been authenticated. Rejects like `tokens.issue`.
   */
  start(account: UserAccount, login?: SessionLogin): Promise<NewSession>
  /**
   * Tells whose session this is. `isActivity`: the request counts as a use, which keeps the session from being idle. It
   * answers without a promise when the store and the accounts do.
   *
   * @throws `UnauthorizedError` (401, `ERR_SESSION_ENDED`), or rejects with it. It has no challenge yet.
   */
  verify(credential: string, isActivity: boolean): LiveSession | Promise<LiveSession>
  /**
   * Tells whose session there is under an id, and who acts as that user; `undefined` when there is none, or it has timed out. It
   * asks the store alone, and does not tell whether the account is still good: for a log, not for a decision.
   */
  find(id: string): Promise<Pick<TokenRecord, 'subject' | 'impersonator'> | undefined>
  /**
   * Ends a session: no `verify` succeeds after the answer. Whether there was one.
   *
   * Rejects with `StoreError` when the store fails. This process refuses it all the same, and asks the store again
   * when a client sends it; another process over the same store knows nothing of that.
   */
  end(id: string): Promise<boolean>
  /** The id of a session, by what its cookie holds. */
  getId(credential: string): string
}

const credentialBytes = 32
const credentialForm = /^[\w-]{43}$/

/**
 * Makes the sessions of one portal.
 *
 * @throws TypeError when an option is out of range.
 */
export function createSessions(options: SessionsOptions): Sessions {
  assertOptions(options)
  const { portal, idleTimeoutMs, absoluteTimeoutMs, accounts, clock = systemClock } = options
  const store = checkedTokenStore(options.store)
  const { revocations = revocationsFor(store, clock) } = options
  const parts = { store, clock, accounts, revocations }
  const verifyRecord = createRecordVerifier({ ...parts, refuse: sessionEnded })

  function getId(credential: string): string {
    return tokenId('portal', `${portal}:${credential}`)
  }

  return {
    getId,

    async start(account, { address, startedAt = clock(), parent, factors, impersonator } = {}) {
      const { sequence } = revocations
      const credential = randomBytes(credentialBytes).toString('base64url')
      const id = getId(credential)
      const issuedAt = clock()
      const expiresAt = issuedAt + lifeMsFor(account, absoluteTimeoutMs)
      const added = {
        id,
        kind: 'portal',
        audience: portal,
        parent,
        issuedAt,
        expiresAt,
        idleTimeoutMs,
        address,
        factors,
        impersonator,
      } as const
      const record = await addRecord(parts, account, added, { startedAt, sequence })
      return { credential, id, auth: authFrom(record) }
    },

    verify(credential, isActivity) {
      // No session has it, and no store outside the process is asked.
      if (!credentialForm.test(credential)) throw sessionEnded('the cookie is malformed')
      const id = getId(credential)
      // Refused at once, however long the store takes: the browser that signed out has no cookie any more.
      if (revocations.isRevoked({ id })) {
        inBackground(() => revocations.retry(id, store))
        throw sessionEnded()
      }
      return andThen(verifyRecord({ id, kind: 'portal', isActivity }), (record) => ({
        auth: authFrom(record),
        lastAccessAt: isActivity ? clock() : record.lastAccessAt,
        idleTimeoutMs: record.idleTimeoutMs ?? idleTimeoutMs,
      }))
    },

    async find(id) {
      const record = await store.find(id, 'portal')
      return record === undefined || clock() >= getExpiry(record) ? undefined : record
    },

    end: (id) => revocations.end(id, store, false),
  }
}

/** The one refusal of a session: the same whatever is wrong with it. */
function sessionEnded(cause?: unknown): UnauthorizedError {
  return new UnauthorizedError('ERR_SESSION_ENDED', 'The session has ended. Sign in again.', { cause })
}

function assertOptions({ portal, idleTimeoutMs, absoluteTimeoutMs }: SessionsOptions): void {
  if (!isPortalName(portal)) throw new TypeError(`"portal" option ${portalNameRule}`)
  for (const [name, value] of Object.entries({ idleTimeoutMs, absoluteTimeoutMs })) {
    if (!Number.isFinite(value) || value <= 0) throw new TypeError(`"${name}" option must be a number above 0`)
  }
}
