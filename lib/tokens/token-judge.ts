/**
 * Judges tokens: see {@link createRecordJudge}. What is special to a token is its signature.
 *
 * @module
 */

import type { Auth } from '../core/auth.js'
import { andThen } from '../core/thenable.js'
import { tokenId } from '../internal/token-id.js'
import type { AccountState } from '../users/account-state.js'
import { maxTokenLength } from './compact-jws.js'
import { authOf, createRecordJudge } from './record-judge.js'
import { stateAtLogin, type TokenParts } from './token-parts.js'
import type { TokenRecord } from './token-store.js'
import { invalidToken, verifyToken } from './verify-token.js'

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

/** `id` is the `tokenId` of this very text: whoever passes another one is authenticated by it. */
type VerifyWithId = (token: string, id: string, audience: string | undefined) => Auth | Promise<Auth>

/** By the `verify` that each belongs to, so that one that an app wraps or replaces is never passed by. */
const withIds = new WeakMap<Verify, VerifyWithId>()

/** `tokens.verify` for a caller that remembers the digest of the token. Only modules of this package reach it. */
export function verifyWithId(
  tokens: { readonly verify: Verify },
  { token, id }: { readonly token: string; readonly id: string },
  audience: string | undefined,
): Auth | Promise<Auth> {
  return withIds.get(tokens.verify)?.(token, id, audience) ?? tokens.verify(token, { audience })
}

/** The function behind `tokens.verify`. It answers at once for as long as store and accounts do. */
export function createTokenJudge(parts: TokenParts): Verify {
  const { store, keys, issuer, audience, clock, accounts, revocations } = parts
  const judge = createRecordJudge({ ...parts, refusalOf: invalidToken, restore })

  /** An OAuth token is good for one API, which the one that verifies it names. */
  function forAudience(record: TokenRecord | undefined, oauthAudience: string | undefined): TokenRecord | undefined {
    const isForAnother = oauthAudience !== undefined && record !== undefined && record.audience !== oauthAudience
    if (isForAnother) throw invalidToken('it is for another audience')
    return record
  }

  /** A record that came from outside this process is believed once its token proves to be ours. */
  async function restore(token: string, record: TokenRecord): Promise<AccountState> {
    const { subject, accountVersion, roles, isAdmin } = record
    const claims = await verifyToken(token, { keys, issuer, audience, now: clock() })
    if (claims.subject !== subject) throw invalidToken('the token and its record are of different users')
    return record.account ?? accounts?.restoredStateOf(record) ?? stateAtLogin(accountVersion, roles, isAdmin)
  }

  function withId(token: string, id: string, oauthAudience: string | undefined): Auth | Promise<Auth> {
    if (token.length > maxTokenLength) throw invalidToken('the token is too long')
    const { sequence } = revocations
    const found = store.find(id, kindFor(oauthAudience))
    const live = andThen(found, (record) => judge(token, forAudience(record, oauthAudience), sequence, true))
    return andThen(live, authOf)
  }

  function verify(token: string, { audience: oauthAudience }: VerifyOptions = {}): Auth | Promise<Auth> {
    return withId(token, tokenId(kindFor(oauthAudience), token), oauthAudience)
  }

  withIds.set(verify, withId)
  return verify
}

function kindFor(oauthAudience: string | undefined): 'management' | 'oauth' {
  return oauthAudience === undefined ? 'management' : 'oauth'
}
