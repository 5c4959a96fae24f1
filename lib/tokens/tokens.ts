/**
 * Issues, verifies, lists and revokes tokens. The store decides: a token is good for as long as the store holds it.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import type { Auth } from '../core/auth.js'
import { systemClock } from '../core/clock.js'
import { type ChangeContext, changedBy, pickClient, type SecurityEvents } from '../core/events.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import type { Accounts } from '../users/accounts.js'
import type { UserAccount } from '../users/user-store.js'
import { checkedTokenStore } from './checked-token-store.js'
import { createTokenIssuer, type IssuedToken, type Login, type TokenParts } from './issuer.js'
import { maxExpiryMs } from './jwt/verify-token.js'
import type { KeyRing } from './keys/key-ring.js'
import type { MachineTokens } from './machines/machine-tokens.js'
import { type Revocations, revocationsFor } from './revocations.js'
import type { TokenQuery, TokenRecord, TokenStore } from './token-store.js'
import { createTokenVerifier, type VerifyOptions } from './verification.js'

export type { IssuedToken, Login } from './issuer.js'
export type { VerifyOptions } from './verification.js'

/** Options of {@link createTokens}. */
export interface TokensOptions {
  /** Keeps the tokens. `close` closes it too. */
  readonly store: TokenStore
  /** Signs and verifies. */
  readonly keys: KeyRing
  /** `iss` of the tokens (RFC 7519 section 4.1.1). */
  readonly issuer: string
  /** `aud` of the tokens (RFC 7519 section 4.1.3). */
  readonly audience: string
  /** Life of a token, a multiple of 1000, at most 2 592 000 000 (30 days). */
  readonly expiryMs: number
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
  /** Keeps rights fresh. @defaultValue a token has the rights of its login until it ends */
  readonly accounts?: Accounts | undefined
  /** Told when a token is issued, and when one, or all of a user, are revoked. */
  readonly events?: SecurityEvents | undefined
  /** What was revoked of late. @defaultValue one for each store */
  readonly revocations?: Revocations | undefined
  /** Whose OAuth tokens are refused where their sign-on lacks a second factor. @defaultValue `'optional'`: nobody's */
  readonly oauthSecondFactor?: SecondFactorPolicy | undefined
  /** Credentials that were not issued here, which are listed and revoked as well. @defaultValue none */
  readonly machines?: Pick<MachineTokens, 'end' | 'endAllOf' | 'recordKnown'> | undefined
}

/** A live token, as a list shows it. Its `id` is the argument of {@link Tokens.revoke}, and opens nothing. */
export type TokenInfo = Pick<
  TokenRecord,
  | 'id'
  | 'kind'
  | 'audience'
  | 'subject'
  | 'scope'
  | 'issuedAt'
  | 'expiresAt'
  | 'lastAccessAt'
  | 'address'
  | 'factors'
  | 'impersonator'
>

/** The tokens of one issuer. Each method throws or rejects with `StoreError` when the store fails. */
export interface Tokens {
  /**
   * Issues a token to a user who has just been authenticated: the event `login`.
   *
   * Rejects with `UnavailableError` (503, `ERR_TOKEN_STORE_FULL`) when the store is full and evicts nothing, and
   * with `UnauthorizedError` (401, `ERR_AUTH_INVALID_CREDENTIALS`) when the user's tokens were revoked meanwhile, and with
   * TypeError for a `kind` that no gate would take, and for a `startedAt` that is no time.
   */
  issue(account: UserAccount, login?: Login): Promise<IssuedToken>
  /**
   * Tells whose token this is, and notes the access. It answers without a promise when the store and the accounts do.
   *
   * @throws `UnauthorizedError` (401, `ERR_TOKEN_INVALID`), or rejects with it.
   */
  verify(token: string, options?: VerifyOptions): Auth | Promise<Auth>
  /**
   * Ends a token: no `verify` succeeds after the answer. Whether there was one.
   *
   * Where the store fails, this process refuses the token all the same, and asks the store again when a client sends it;
   * another process over the same store knows nothing of that.
   */
  revoke(id: string, context?: ChangeContext): Promise<boolean>
  /**
   * Ends all tokens and remembered logins of a user, and refuses the tokens of logins that have started already. How many
   * tokens there were. Where the store fails: as `revoke`.
   */
  revokeUser(subject: string, context?: ChangeContext): Promise<number>
  /** Live tokens, the most recently used first; 100 unless `limit` says otherwise. */
  list(query?: TokenQuery): Promise<readonly TokenInfo[]>
  /** Closes the store. */
  close(): Promise<void>
}

/** By the `issue` that each belongs to, so that one that an app wraps or replaces is called; the events of that one are the app's matter. */
const quietIssuers = new WeakMap<Tokens['issue'], Tokens['issue']>()

/** `tokens.issue` without its event, for what has an event of its own, or is no login. */
export function issueToken(
  tokens: Pick<Tokens, 'issue'>,
  ...[account, login]: Parameters<Tokens['issue']>
): Promise<IssuedToken> {
  return quietIssuers.get(tokens.issue)?.(account, login) ?? tokens.issue(account, login)
}

/** By the `revoke` that each belongs to, as above. */
const quietEnds = new WeakMap<Tokens['revoke'], (id: string) => Promise<boolean>>()

/** `tokens.revoke` without its event, for what has an event of its own. */
export function endToken(tokens: Pick<Tokens, 'revoke'>, id: string): Promise<boolean> {
  return quietEnds.get(tokens.revoke)?.(id) ?? tokens.revoke(id)
}

/**
 * Puts store, keys and accounts together.
 *
 * @throws TypeError when an option is missing or out of range.
 */
export function createTokens(options: TokensOptions): Tokens {
  assertOptions(options)
  const { accounts, events, machines, clock = systemClock } = options
  const store = checkedTokenStore(options.store)
  const { revocations = revocationsFor(store, clock) } = options
  const parts: TokenParts = { ...options, store, accounts, clock, revocations }

  const end = (id: string): Promise<boolean> =>
    afterTombstone(
      () => machines?.end(id),
      () => revocations.end(id, store),
      false,
    )

  async function findRecord(id: string): Promise<TokenRecord | undefined> {
    try {
      return await store.find(id)
    } catch {
      return undefined
    }
  }

  async function revoke(id: string, context: ChangeContext = {}): Promise<boolean> {
    const found = events && findRecord(id)
    const wasLive = await end(id)
    if (wasLive) {
      const { subject, kind } = (await found) ?? {}
      events?.report('revocation', { at: clock(), subject, tokenId: id, kind, count: 1, ...changedBy(context) })
    }
    return wasLive
  }

  const issueQuietly = createTokenIssuer(parts)

  async function issue(account: UserAccount, login: Login = {}): Promise<IssuedToken> {
    const { kind = 'management', address, requestId, traceparent, startedAt = clock(), factors } = login
    const issued = await issueQuietly(account, { ...login, startedAt })
    const client = pickClient({ address, requestId, traceparent })
    const { subject } = account
    events?.report('login', { at: startedAt, ...client, subject, tokenId: issued.id, kind, factors })
    return issued
  }

  quietIssuers.set(issue, issueQuietly)
  quietEnds.set(revoke, end)

  return {
    issue,
    verify: createTokenVerifier(parts),

    revoke,

    async revokeUser(subject, context = {}) {
      const at = clock()
      accounts?.end(subject)
      const count = await afterTombstone(
        () => machines?.endAllOf(subject),
        () => revocations.endAllOf(subject, store),
        0,
      )
      events?.report('revocation', { at, subject, tokenId: undefined, count, ...changedBy(context) })
      return count
    },

    async list(query) {
      if (query?.kind === undefined || query.kind === 'api') await machines?.recordKnown()
      return (await store.list(query)).filter(({ kind }) => kind !== 'tombstone').map(infoFrom)
    },

    async close() {
      await store.close()
    },
  }
}

/**
 * What ends records is done in any case: where the tombstone cannot be written, beside the refusal that says so. `none`: the answer where
 * there is nothing that may be ended.
 */
async function afterTombstone<T>(
  write: () => undefined | Promise<boolean>,
  end: () => Promise<T>,
  none: T,
): Promise<T> {
  const writing = write()
  if (writing === undefined) return end()
  try {
    if (!(await writing)) return none
  } catch (error) {
    inBackground(end)
    throw error
  }
  return end()
}

function infoFrom(record: TokenRecord): TokenInfo {
  const { id, kind, audience, subject, scope, issuedAt, expiresAt, lastAccessAt, address } = record
  const { factors, impersonator } = record
  return { id, kind, audience, subject, scope, issuedAt, expiresAt, lastAccessAt, address, factors, impersonator }
}

function assertOptions({ issuer, audience, expiryMs }: TokensOptions): void {
  for (const [name, value] of Object.entries({ issuer, audience })) {
    if (typeof value !== 'string' || value === '') throw new TypeError(`"${name}" option must be a non-empty string`)
  }
  if (!Number.isInteger(expiryMs / 1000) || expiryMs < 1000 || expiryMs > maxExpiryMs) {
    throw new TypeError(`"expiryMs" option must be a multiple of 1000 from 1000 to ${maxExpiryMs}`)
  }
}
