/**
 * Judges records of every kind: the store decides, the account says with which rights.
 *
 * @module
 */

import type { Auth, AuthKind } from '../core/auth.js'
import type { UnauthorizedError } from '../core/errors.js'
import { andThen, isThenable } from '../core/thenable.js'
import type { AccountState } from '../users/account-state.js'
import type { Accounts } from '../users/accounts.js'
import type { Revocations } from './revocations.js'
import { scopeOf } from './token-parts.js'
import { endOf, type TokenRecord, type TokenStore } from './token-store.js'

/** What a {@link RecordJudge} works with. */
export interface RecordJudgeParts {
  readonly store: TokenStore
  readonly clock: () => number
  readonly accounts: Accounts | undefined
  readonly revocations: Revocations
  /** Makes the refusal: the same whatever is wrong. The reason is private. */
  readonly refusalOf: (reason: string) => UnauthorizedError
  /** Gives a record that came from outside this process its account, or rejects. */
  readonly restore: (credential: string, record: TokenRecord) => AccountState | Promise<AccountState>
}

/** A record that was found good, with the state of its account. */
export interface LiveRecord extends TokenRecord {
  account: AccountState
}

/**
 * Answers with the record if it is good, at once for as long as store and accounts do, and throws or rejects with the
 * refusal if it is not. `sequence` is that of the revocations when the look-up began; `isActivity`: the access is noted, and
 * keeps an idle session from ending.
 */
export type RecordJudge = (
  credential: string,
  record: TokenRecord | undefined,
  sequence: number,
  isActivity: boolean,
) => LiveRecord | Promise<LiveRecord>

/** Makes the judge of one kind of records. */
export function createRecordJudge(parts: RecordJudgeParts): RecordJudge {
  const { store, clock, accounts, revocations, refusalOf, restore } = parts

  /** From here on each step answers at once if it can. What had to wait checks at its end that nothing was revoked. */
  function judge(
    credential: string,
    record: TokenRecord | undefined,
    sequence: number,
    isActivity: boolean,
  ): LiveRecord | Promise<LiveRecord> {
    if (record === undefined) throw refusalOf('it is not in the store')
    if (clock() >= endOf(record)) return end(record, 'it has expired')
    if (revocations.isOutstanding(record)) return refuseOutstanding(record)
    if (record.parent === undefined) return identify(credential, record, sequence, isActivity)
    return andThen(store.find(record.parent), (parent) => judgeBelow(parent, credential, record, sequence, isActivity))
  }

  function judgeBelow(
    parent: TokenRecord | undefined,
    credential: string,
    record: TokenRecord,
    sequence: number,
    isActivity: boolean,
  ): LiveRecord | Promise<LiveRecord> {
    if (parent === undefined || clock() >= endOf(parent)) return end(record, 'what it was begun by has ended')
    if (revocations.isPending(parent.id) || revocations.isOutstanding(parent)) return refuseOutstanding(parent)
    return identify(credential, record, sequence, isActivity)
  }

  function identify(
    credential: string,
    record: TokenRecord,
    sequence: number,
    isActivity: boolean,
  ): LiveRecord | Promise<LiveRecord> {
    if (record.account !== undefined) return refresh(record as LiveRecord, sequence, isActivity)
    return andThen(restore(credential, record), (state) => refresh(withAccount(record, state), sequence, isActivity))
  }

  function refresh(record: LiveRecord, sequence: number, isActivity: boolean): LiveRecord | Promise<LiveRecord> {
    return andThen(accounts?.refresh(record.subject, record.account), () => admit(record, sequence, isActivity))
  }

  function admit(record: LiveRecord, sequence: number, isActivity: boolean): LiveRecord | Promise<LiveRecord> {
    if (record.account.hasEnded) return end(record, 'the account has ended or changed its password')
    demandNotRevoked(record, sequence)
    return andThen(isActivity ? store.touch(record.id, clock()) : undefined, () => {
      demandNotRevoked(record, sequence)
      return record
    })
  }

  function demandNotRevoked({ id, subject, parent }: TokenRecord, sequence: number): void {
    const wasRevoked =
      revocations.happenedSince(sequence, id, subject) ||
      (parent !== undefined && revocations.happenedSince(sequence, parent, subject))
    if (wasRevoked) throw refusalOf('it was revoked meanwhile')
  }

  /** Refuses what was ended, and asks the store again to take the end. While the store fails, its error is the answer. */
  async function refuseOutstanding({ id }: TokenRecord): Promise<never> {
    await revocations.retry(id, store)
    throw refusalOf('it was ended before')
  }

  /** Refuses a record and frees its place. A store that fails to do so does not change the answer: the record is dead. */
  function end({ id }: TokenRecord, reason: string): never | Promise<never> {
    const refusal = refusalOf(reason)
    const refuse = (): never => {
      throw refusal
    }
    try {
      const removing = store.remove(id)
      return isThenable(removing) ? removing.then(refuse, refuse) : refuse()
    } catch {
      return refuse()
    }
  }

  return judge
}

/** Another request may have been faster: all share one state. */
function withAccount(record: TokenRecord, state: AccountState): LiveRecord {
  record.account ??= state
  return record as LiveRecord
}

/** The caller that a live record stands for. */
export function authOf({ subject, id, kind, scope, issuedAt, expiresAt, account }: LiveRecord): Auth {
  const { roles, isAdmin } = account
  return {
    subject,
    roles,
    isAdmin,
    scope: kind === 'oauth' ? scope : scopeOf(isAdmin),
    tokenId: id,
    // A shared sign-on authenticates no request: nobody looks one up by its cookie here.
    kind: kind as AuthKind,
    issuedAt,
    expiresAt,
  }
}
