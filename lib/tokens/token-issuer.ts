/**
 * Issues tokens: signs them, and puts them into the store unless the user was revoked meanwhile.
 *
 * @module
 */

import { tokenId } from '../internal/token-id.js'
import type { UserAccount } from '../users/user-store.js'
import { addRecord } from './add-record.js'
import { createTokenSigner } from './sign-token.js'
import { scopeOf, type TokenParts } from './token-parts.js'

/** How a login took place. */
export interface Login {
  /** No gate takes a token of another kind: sessions are begun by `createSessions`, OAuth tokens by an authorization server. */
  readonly kind?: 'management' | undefined
  /** The client's address. */
  readonly address?: string | undefined
  /**
   * When the login began, in milliseconds since the epoch. If all tokens of the user were revoked since then, the login
   * is refused: its password may be the old one.
   *
   * @defaultValue the time of the call
   */
  readonly begunAt?: number | undefined
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

/** The function behind `tokens.issue`. */
export function createTokenIssuer(parts: TokenParts): (account: UserAccount, login?: Login) => Promise<IssuedToken> {
  const { expirySeconds: maxExpirySeconds, clock, revocations } = parts
  const signToken = createTokenSigner(parts)

  return async function issue(
    account: UserAccount,
    { kind = 'management', address, begunAt = clock() }: Login = {},
  ): Promise<IssuedToken> {
    if (kind !== 'management') throw new TypeError(`"kind" option must be "management", got ${JSON.stringify(kind)}`)
    const { subject, isAdmin, maxTokenAgeSeconds = maxExpirySeconds } = account
    const expirySeconds = Math.min(maxExpirySeconds, maxTokenAgeSeconds)
    const { sequence } = revocations
    const scope = scopeOf(isAdmin)
    const issuedAt = clock()
    const issuedAtSeconds = Math.floor(issuedAt / 1000)
    const expiresAtSeconds = issuedAtSeconds + expirySeconds
    const token = await signToken({ subject, scope, issuedAtSeconds, expiresAtSeconds })

    const id = tokenId(kind, token)
    const expiresAt = issuedAt + expirySeconds * 1000
    const terms = {
      id,
      kind,
      audience: undefined,
      parent: undefined,
      idleTimeoutMs: undefined,
      scope,
      issuedAt,
      address,
    }
    await addRecord(parts, account, { ...terms, expiresAt }, { begunAt, sequence })
    return { token, id, expiresAt }
  }
}
