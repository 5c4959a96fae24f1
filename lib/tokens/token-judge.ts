/**
 * Judges tokens: the store decides, the account says with which rights.
 *
 * @module
 */

import type { Auth } from '../auth.js'
import { tokenId } from '../internal/token-id.js'
import type { AccountState } from '../users/account-state.js'
import { maxTokenLength } from './compact-jws.js'
import { scopeOf, stateAtLogin, type TokenParts } from './token-parts.js'
import type { TokenRecord } from './token-store.js'
import { invalidToken, verifyToken } from './verify-token.js'

/** The function behind `tokens.verify`. It answers at once for as long as store and accounts do. */
export function createTokenJudge(parts: TokenParts): (token: string, id?: string) => Auth | Promise<Auth> {
  const { store, keys, issuer, audience, clock, accounts, revocations } = parts

  return function verify(token: string, id?: string): Auth | Promise<Auth> {
    if (token.length > maxTokenLength) throw invalidToken('the token is too long')
    const { sequence } = revocations
    const found = store.find(id ?? tokenId('management', token))
    return found instanceof Promise
      ? found.then((record) => judge(token, record, sequence))
      : judge(token, found, sequence)
  }

  /** From here on each step answers at once if it can. What had to wait checks at its end that nothing was revoked. */
  function judge(token: string, record: TokenRecord | undefined, sequence: number): Auth | Promise<Auth> {
    if (record === undefined) throw invalidToken('the token is not in the store')
    if (clock() >= record.expiresAt) return end(record, 'the token has expired')
    const { account } = record
    if (account === undefined) return restore(token, record).then((state) => refresh(record, state, sequence))
    return refresh(record, account, sequence)
  }

  /** Gives a record that came from outside this process its account, once its token proves to be ours. */
  async function restore(token: string, record: TokenRecord): Promise<AccountState> {
    const { subject, accountVersion, roles, isAdmin } = record
    const claims = await verifyToken(token, { keys, issuer, audience, now: clock() })
    if (claims.subject !== subject) throw invalidToken('the token and its record are of different users')
    record.account ??= accounts?.restoredStateOf(record) ?? stateAtLogin(accountVersion, roles, isAdmin)
    return record.account
  }

  function refresh(record: TokenRecord, state: AccountState, sequence: number): Auth | Promise<Auth> {
    const refreshing = accounts?.refresh(record.subject, state)
    return refreshing === undefined
      ? admit(record, state, sequence)
      : refreshing.then(() => admit(record, state, sequence))
  }

  function admit(record: TokenRecord, state: AccountState, sequence: number): Auth | Promise<Auth> {
    if (state.hasEnded) return end(record, 'the account has ended or changed its password')
    demandNotRevoked(record, sequence)
    const touching = store.touch(record.id, clock())
    if (touching === undefined) return authOf(record, state)
    return touching.then(() => {
      demandNotRevoked(record, sequence)
      return authOf(record, state)
    })
  }

  function demandNotRevoked({ id, subject }: TokenRecord, sequence: number): void {
    if (revocations.happenedSince(sequence, id, subject)) throw invalidToken('the token was revoked meanwhile')
  }

  /** Refuses a token and frees its place. A store that fails to do so does not change the answer: the token is dead. */
  function end({ id }: TokenRecord, reason: string): never | Promise<never> {
    const refusal = invalidToken(reason)
    const refuse = (): never => {
      throw refusal
    }
    let removing: boolean | Promise<boolean>
    try {
      removing = store.remove(id)
    } catch {
      return refuse()
    }
    return removing instanceof Promise ? removing.then(refuse, refuse) : refuse()
  }
}

function authOf(
  { subject, id, kind, scope, issuedAt, expiresAt }: TokenRecord,
  { roles, isAdmin }: AccountState,
): Auth {
  return {
    subject,
    roles,
    isAdmin,
    scope: kind === 'oauth' ? scope : scopeOf(isAdmin),
    tokenId: id,
    kind,
    issuedAt,
    expiresAt,
  }
}
