/**
 * Issues tokens: signs them, and adds records to the store unless the user was revoked meanwhile.
 *
 * @module
 */

import type { Factor } from '../core/auth.js'
import { UnauthorizedError, UnavailableError } from '../core/errors.js'
import type { RequestCorrelation } from '../core/event-members.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import type { Accounts } from '../users/accounts.js'
import type { AccountState, UserAccount } from '../users/user-store.js'
import type { CheckedTokenStore } from './checked-token-store.js'
import { createTokenSigner } from './jwt/sign-token.js'
import type { KeyRing } from './keys/key-ring.js'
import type { Revocations } from './revocations.js'
import { tokenId } from './token-id.js'
import type { LiveRecord, LoginStart as StoredLoginStart, TokenRecord } from './token-store.js'

/** What issuing and verifying records work with. */
export interface RecordParts {
  readonly store: CheckedTokenStore
  readonly clock: () => number
  /** `undefined`: a record has the rights of its login until it ends. */
  readonly accounts: Accounts | undefined
  readonly revocations: Revocations
  /** Whose sign-on at the authorization server needs a second factor. @defaultValue nobody's */
  readonly oauthSecondFactor?: SecondFactorPolicy | undefined
}

/** The options of `createTokens`, with every default filled in. */
export interface TokenParts extends RecordParts {
  readonly keys: KeyRing
  readonly issuer: string
  readonly audience: string
  readonly expiryMs: number
}

/** How a login took place. */
export interface Login extends RequestCorrelation {
  /** No gate takes a token of another kind: `createSessions` starts sessions, an authorization server issues OAuth tokens. */
  readonly kind?: 'management' | undefined
  /** The client's address. */
  readonly address?: string | undefined
  /**
   * When the login began, in milliseconds since the epoch. If all tokens of the user were revoked since then, the login
   * is refused: its password may be the old one.
   *
   * @defaultValue the time of the call
   */
  readonly startedAt?: number | undefined
  /** What the login was proven with. @defaultValue not known */
  readonly factors?: readonly Factor[] | undefined
}

/** A new token. */
export interface IssuedToken {
  /** The usable token, which is kept nowhere. */
  readonly token: string
  /** Argument of {@link Tokens.revoke}. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Returns the function behind `tokens.issue`. */
export function createTokenIssuer(parts: TokenParts): (account: UserAccount, login?: Login) => Promise<IssuedToken> {
  const { expiryMs, clock, revocations } = parts
  const signToken = createTokenSigner(parts)

  return async function issue(account, { kind = 'management', address, startedAt = clock(), factors } = {}) {
    if (kind !== 'management') throw new TypeError(`"kind" option must be "management", got ${JSON.stringify(kind)}`)
    const { sequence } = revocations
    const issuedAt = clock()
    const expiresAt = issuedAt + lifeMsFor(account, expiryMs)
    const issuedAtSeconds = Math.floor(issuedAt / 1000)
    const token = await signToken({
      subject: account.subject,
      scope: scopeFor(account.isAdmin),
      issuedAtSeconds,
      expiresAtSeconds: issuedAtSeconds + (expiresAt - issuedAt) / 1000,
    })
    const id = tokenId(kind, token)
    await addRecord(parts, account, { id, kind, issuedAt, expiresAt, address, factors }, { startedAt, sequence })
    return { token, id, expiresAt }
  }
}

/** What a new record says besides whose it is. */
export type NewRecord = Pick<TokenRecord, 'id' | 'kind' | 'issuedAt' | 'expiresAt' | 'address'> &
  Partial<Pick<TokenRecord, 'audience' | 'parent' | 'idleTimeoutMs' | 'lastAccessAt' | 'factors' | 'impersonator'>>

/** Since when a revocation refuses a login. */
export interface LoginStart extends StoredLoginStart {
  /** That of the revocations when the record was started. It orders what a clock is too coarse for. */
  readonly sequence: number
}

/** Seconds after which a login that a full store has refused may find room. */
const storeFullRetrySeconds = 60

/**
 * Adds a record for a user who has just been authenticated. Rejects with `UnavailableError` (503,
 * `ERR_TOKEN_STORE_FULL`) when the store is full and evicts nothing, and with `UnauthorizedError` (401,
 * `ERR_AUTH_INVALID_CREDENTIALS`) when the user, or the record's parent, was revoked meanwhile, and with TypeError for a `startedAt` that
 * is no time.
 */
export async function addRecord(
  { store, accounts, revocations }: Omit<RecordParts, 'clock'>,
  account: UserAccount,
  added: NewRecord,
  { startedAt, sequence, mustExist }: LoginStart,
): Promise<LiveRecord> {
  if (typeof startedAt !== 'number' || Number.isNaN(new Date(startedAt).getTime())) {
    throw new TypeError(`"startedAt" option must be milliseconds since the epoch, got ${String(startedAt)}`)
  }
  const { subject, roles, isAdmin, version } = account
  const terms = { audience: undefined, parent: undefined, idleTimeoutMs: undefined, ...added, subject }
  const isOvertaken = (): boolean =>
    revocations.happenedAfter(startedAt, subject) || revocations.happenedSince(sequence, terms)
  if (isOvertaken()) throw invalidCredentials()
  const record: LiveRecord = {
    ...terms,
    roles,
    isAdmin,
    accountVersion: version,
    scope: scopeFor(isAdmin),
    lastAccessAt: terms.lastAccessAt ?? terms.issuedAt,
    account: accounts?.getState(account, startedAt) ?? stateAtLogin(version, roles, isAdmin),
  }
  const isAdded = await store.add(record, { startedAt, mustExist })
  if (isAdded === 'revoked') throw invalidCredentials()
  if (!isAdded) throw storeFull(record.expiresAt - record.issuedAt)
  // The user may have been revoked while the store was adding: then its removal came before.
  if (isOvertaken()) {
    await store.remove(record.id)
    throw invalidCredentials()
  }
  return record
}

/** The refusal of a token that a full store does not take. */
export function storeFull(lifeMs: number): UnavailableError {
  const seconds = Math.min(Math.ceil(lifeMs / 1000), storeFullRetrySeconds)
  return new UnavailableError('ERR_TOKEN_STORE_FULL', 'Max concurrent access limit exceeded', {
    headers: { 'Retry-After': String(seconds) },
  })
}

function invalidCredentials(): UnauthorizedError {
  return new UnauthorizedError('ERR_AUTH_INVALID_CREDENTIALS', 'Invalid user name or password.')
}

/** The scope of every kind of token but OAuth's. */
export function scopeFor(isAdmin: boolean): string {
  return isAdmin ? 'admin' : 'default'
}

/** How long a record of an account lives: no longer than the account allows. */
export function lifeMsFor({ maxTokenAgeMs }: UserAccount, longestMs: number): number {
  return maxTokenAgeMs === undefined ? longestMs : Math.min(longestMs, maxTokenAgeMs)
}

/** The state of an account that nothing keeps fresh. */
export function stateAtLogin(version: string, roles: readonly string[], isAdmin: boolean): AccountState {
  return { version, roles: Object.freeze([...roles]), isAdmin, hasEnded: false, checkedAt: 0 }
}
