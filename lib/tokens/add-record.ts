/**
 * Puts a new record into the store, unless its user was revoked meanwhile.
 *
 * @module
 */

import { UnauthorizedError, UnavailableError } from '../core/errors.js'
import type { Accounts } from '../users/accounts.js'
import type { UserAccount } from '../users/user-store.js'
import type { LiveRecord } from './record-judge.js'
import type { Revocations } from './revocations.js'
import { stateAtLogin } from './token-parts.js'
import type { TokenRecord, TokenStore } from './token-store.js'

/** How a record comes to be. */
export interface Beginning {
  /** When the login began, in milliseconds since the epoch: a revocation of its user since then refuses it. */
  readonly begunAt: number
  /** That of the revocations when the record was begun: it tells what came since, to which a clock is too coarse. */
  readonly sequence: number
}

/** Seconds after which a refused login may find room again. */
const storeFullRetrySeconds = 60

/** Where a record is added, and what it is compared with. */
export interface RecordPlaces {
  readonly store: TokenStore
  readonly accounts: Accounts | undefined
  readonly revocations: Revocations
}

/** What a record says besides whose it is. */
export type RecordTerms = Pick<
  TokenRecord,
  'id' | 'kind' | 'audience' | 'parent' | 'scope' | 'issuedAt' | 'expiresAt' | 'idleTimeoutMs' | 'address'
>

/**
 * Adds a record for a user who has just been authenticated. Rejects with {@link UnavailableError} (503,
 * `ERR_TOKEN_STORE_FULL`) when the store is full and puts nobody out, and with {@link UnauthorizedError} (401,
 * `ERR_AUTH_INVALID_CREDENTIALS`) when the user, or the record's parent, was revoked meanwhile.
 */
export async function addRecord(
  { store, accounts, revocations }: RecordPlaces,
  account: UserAccount,
  terms: RecordTerms,
  { begunAt, sequence }: Beginning,
): Promise<LiveRecord> {
  const { subject, roles, isAdmin, version } = account
  const { id, parent, issuedAt, expiresAt } = terms
  const isOvertaken = (): boolean =>
    revocations.happenedAfter(begunAt, subject) ||
    revocations.happenedSince(sequence, id, subject) ||
    (parent !== undefined && revocations.happenedSince(sequence, parent, subject))
  if (isOvertaken()) throw invalidCredentials()
  const record: LiveRecord = {
    ...terms,
    subject,
    roles,
    isAdmin,
    accountVersion: version,
    lastAccessAt: issuedAt,
    account: accounts?.stateOf(account) ?? stateAtLogin(version, roles, isAdmin),
  }
  const isAdded = await store.add(record)
  if (!isAdded) throw storeFull(expiresAt - issuedAt)
  // The user may have been revoked while the store was adding: then its removal came before.
  if (isOvertaken()) {
    await store.remove(id)
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
  return new UnauthorizedError('ERR_AUTH_INVALID_CREDENTIALS', 'The user name or password is not right.')
}
