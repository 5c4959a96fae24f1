/**
 * Verifies tokens and sessions: the store decides, the account says with which rights. This is where a token expires.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import type { Auth, AuthKind } from '../core/auth.js'
import type { UnauthorizedError } from '../core/errors.js'
import { lacksSecondFactor } from '../core/second-factor.js'
import { andThen } from '../core/thenable.js'
import { type RecordParts, scopeFor, stateAtLogin, type TokenParts } from './issuer.js'
import { maxTokenLength } from './jwt/compact-jws.js'
import { invalidToken, verifyToken } from './jwt/verify-token.js'
import { isOfProgram } from './machines/client-subject.js'
import { tokenId } from './token-id.js'
import { getExpiry, type LiveRecord, type RecordKind, type TokenRecord } from './token-store.js'

/** What a {@link RecordVerifier} works with. */
export interface RecordVerifierParts extends RecordParts {
  /** Creates the refusal: the same whatever is wrong. The reason is for the log. */
  readonly refuse: (reason: string) => UnauthorizedError
}

/** Which record is verified, and for what. */
export interface RecordLookup {
  readonly id: string
  readonly kind: RecordKind
  /** The record must be for this audience. @defaultValue any */
  readonly audience?: string | undefined
  /** Whether this is a use, which is noted and keeps an idle session from ending. */
  readonly isActivity: boolean
  /**
   * Proves that a record from outside this process is that of the credential, or rejects.
   *
   * @defaultValue nothing: only who holds the credential can name the record
   */
  readonly prove?: ((record: TokenRecord) => Promise<void>) | undefined
  /** Whether a record says what it would say if it were made now; one that does not is made anew. @defaultValue it does */
  readonly isCurrent?: ((record: TokenRecord) => boolean) | undefined
  /** Makes the record of a credential that was not issued here, or refuses. @defaultValue it is refused */
  readonly admit?: (() => Promise<LiveRecord>) | undefined
}

/**
 * Finds a record and answers with it if it is good, at once for as long as store and accounts do. Otherwise it throws or
 * rejects with the refusal.
 */
export type RecordVerifier = (lookup: RecordLookup) => LiveRecord | Promise<LiveRecord>

/** Creates the verifier of tokens or sessions. Its steps stand in their order; each one answers at once if it can. */
export function createRecordVerifier(parts: RecordVerifierParts): RecordVerifier {
  const { store, clock, accounts, revocations, oauthSecondFactor = 'optional', refuse } = parts
  type Answer = LiveRecord | Promise<LiveRecord>

  function find(lookup: RecordLookup): Answer {
    const { sequence } = revocations
    return andThen(store.find(lookup.id, lookup.kind), (record) => checkRecord(record, lookup, sequence))
  }

  function checkRecord(record: TokenRecord | undefined, lookup: RecordLookup, sequence: number): Answer {
    if (record === undefined || lookup.isCurrent?.(record) === false) {
      if (lookup.admit !== undefined) return lookup.admit()
      throw refuse('it is not in the store')
    }
    if (lookup.audience !== undefined && record.audience !== lookup.audience) throw refuse('it is for another audience')
    if (clock() >= getExpiry(record)) throw refuseAndRemove(record, 'it has expired')
    if (revocations.isRevoked(record)) return refuseRevoked(record)
    if (record.parent === undefined) return identify(record, lookup, sequence)
    return andThen(store.find(record.parent), (parent) => {
      if (parent === undefined || clock() >= getExpiry(parent)) {
        throw refuseAndRemove(record, 'its parent session has ended')
      }
      if (record.impersonator === undefined) {
        return revocations.isRevoked(parent) ? refuseRevoked(parent) : identify(record, lookup, sequence)
      }
      // It is the session of another user, whose account and parent have to be good as well.
      const caller = checkRecord(parent, { id: parent.id, kind: parent.kind, isActivity: false }, sequence)
      return andThen(caller, () => identify(record, lookup, sequence))
    })
  }

  function identify(record: TokenRecord, lookup: RecordLookup, sequence: number): Answer {
    return andThen(record.account ?? restoreAccount(record, lookup), (account) => {
      // Another request may have been faster: all share one state.
      record.account ??= account
      return checkAccount(record as LiveRecord, lookup, sequence)
    })
  }

  /** A record that came from outside this process has no account yet. */
  async function restoreAccount(record: TokenRecord, { prove }: RecordLookup) {
    await prove?.(record)
    const { accountVersion, roles, isAdmin } = record
    const keeper = isOfProgram(record) ? undefined : accounts
    return record.account ?? keeper?.restoreState(record) ?? stateAtLogin(accountVersion, roles, isAdmin)
  }

  function checkAccount(record: LiveRecord, lookup: RecordLookup, sequence: number): Answer {
    const refreshing = isOfProgram(record) ? undefined : accounts?.refresh(record.subject, record.account)
    // What was found before the wait may have been removed by another process meanwhile.
    const found = refreshing === undefined ? record : refreshing.then(() => store.find(record.id))
    return andThen(found, (found) => {
      if (found === undefined) throw refuse('it was revoked meanwhile')
      if (record.account.hasEnded) throw refuseAndRemove(record, 'the account has ended or changed its password')
      // A program has no sign-on. The gates of the other kinds have policies of their own.
      const { subject, factors, account } = record
      const hasSignOn = record.kind === 'oauth' && !isOfProgram(record)
      if (hasSignOn && lacksSecondFactor(oauthSecondFactor, { subject, isAdmin: account.isAdmin, factors })) {
        throw refuse('a second factor is demanded, and its sign-on began without one')
      }
      return noteUse(record, lookup, sequence)
    })
  }

  /** What had to wait may have been overtaken by a revocation. */
  function noteUse(record: LiveRecord, { isActivity }: RecordLookup, sequence: number): Answer {
    return andThen(isActivity ? store.touch(record.id, clock()) : undefined, () => {
      if (revocations.happenedSince(sequence, record)) throw refuse('it was revoked meanwhile')
      return record
    })
  }

  /** Asks the store again to remove what was revoked. While the store fails, its error is the answer. */
  async function refuseRevoked({ id }: TokenRecord): Promise<never> {
    await revocations.retry(id, store)
    throw refuse('it was revoked')
  }

  /** Frees the place of a record that is dead, whether the store can remove it or not. */
  function refuseAndRemove({ id }: TokenRecord, reason: string): UnauthorizedError {
    inBackground(() => store.remove(id))
    return refuse(reason)
  }

  return find
}

/** The caller that a live record stands for. */
export function authFrom(record: LiveRecord): Auth {
  const { subject, id, kind, scope, issuedAt, expiresAt, factors, impersonator } = record
  const { roles, isAdmin } = record.account
  return {
    subject,
    roles,
    isAdmin,
    scope: kind === 'oauth' ? scope : scopeFor(isAdmin),
    tokenId: id,
    // A shared sign-on authenticates no request: none is looked up here.
    kind: kind as AuthKind,
    issuedAt,
    expiresAt,
    factors,
    impersonator,
  }
}

/** Which tokens {@link Tokens.verify} takes. */
export interface VerifyOptions {
  /**
   * Takes OAuth access tokens for this audience, and nothing else.
   *
   * @defaultValue none: management tokens
   */
  readonly audience?: string | undefined
}

type Verify = (token: string, options?: VerifyOptions) => Auth | Promise<Auth>

/** `id` is the `tokenId` of this very text: a caller that passes another one is authenticated by that. */
type VerifyWithId = (token: string, id: string, audience: string | undefined) => Auth | Promise<Auth>

/** By the `verify` that each belongs to, so that one that an app wraps or replaces is called. */
const withIds = new WeakMap<Verify, VerifyWithId>()

/** `tokens.verify` for a caller that remembers the digest of the token. Only modules of this package reach it. */
export function verifyWithId(
  tokens: { readonly verify: Verify },
  { token, id }: { readonly token: string; readonly id: string },
  audience: string | undefined,
): Auth | Promise<Auth> {
  return withIds.get(tokens.verify)?.(token, id, audience) ?? tokens.verify(token, { audience })
}

/** Returns the function behind `tokens.verify`. */
export function createTokenVerifier(parts: TokenParts): Verify {
  const { keys, issuer, audience: ownAudience, clock } = parts
  const verifyRecord = createRecordVerifier({ ...parts, refuse: invalidToken })

  function withId(token: string, id: string, audience: string | undefined): Auth | Promise<Auth> {
    if (token.length > maxTokenLength) throw invalidToken('the token is too long')
    // The authorization server of another process signs with the same keys, under a name of its own.
    const expected = audience === undefined ? { issuer, audience: ownAudience } : { issuer: undefined, audience }
    // The clocks of two processes may be apart.
    const verifySignature = () => verifyToken(token, { ...expected, keys, now: clock(), clockToleranceSeconds: 60 })
    // A store outside this process is not asked about what anybody makes up.
    const signature = parts.store.holds(id) ? undefined : verifySignature()
    const prove = async ({ subject }: TokenRecord): Promise<void> => {
      const claims = await (signature ?? verifySignature())
      if (claims.subject !== subject) throw invalidToken('the token and its record are of different users')
    }
    const lookup = { id, kind: kindFor(audience), audience, isActivity: true, prove } as const
    return andThen(
      andThen(signature, () => verifyRecord(lookup)),
      authFrom,
    )
  }

  function verify(token: string, { audience }: VerifyOptions = {}): Auth | Promise<Auth> {
    return withId(token, tokenId(kindFor(audience), token), audience)
  }

  withIds.set(verify, withId)
  return verify
}

function kindFor(audience: string | undefined): 'management' | 'oauth' {
  return audience === undefined ? 'management' : 'oauth'
}
