/**
 * Issues tokens: signs them, and puts them into the store unless the user was revoked meanwhile.
 *
 * @module
 */

import type { AuthKind } from '../auth.js'
import { UnauthorizedError, UnavailableError } from '../errors.js'
import { tokenId } from '../internal/token-id.js'
import type { UserAccount } from '../users/user-store.js'
import { createTokenSigner } from './sign-token.js'
import { scopeOf, stateAtLogin, type TokenParts } from './token-parts.js'

/** How a login took place. */
export interface Login {
  /** @defaultValue `'management'` */
  readonly kind?: AuthKind | undefined
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

/** Seconds after which a refused login may find room again. */
const storeFullRetrySeconds = 60

/** The function behind `tokens.issue`. */
export function createTokenIssuer(parts: TokenParts): (account: UserAccount, login?: Login) => Promise<IssuedToken> {
  const { store, expirySeconds: maxExpirySeconds, clock, accounts, revocations } = parts
  const signToken = createTokenSigner(parts)

  return async function issue(
    account: UserAccount,
    { kind = 'management', address, begunAt = clock() }: Login = {},
  ): Promise<IssuedToken> {
    const { subject, roles, isAdmin, version, maxTokenAgeSeconds = maxExpirySeconds } = account
    const expirySeconds = Math.min(maxExpirySeconds, maxTokenAgeSeconds)
    const { sequence } = revocations
    const scope = scopeOf(isAdmin)
    const issuedAt = clock()
    const issuedAtSeconds = Math.floor(issuedAt / 1000)
    const expiresAtSeconds = issuedAtSeconds + expirySeconds
    const token = await signToken({ subject, scope, issuedAtSeconds, expiresAtSeconds })

    const id = tokenId(kind, token)
    // The sequence tells what came during this call, to which a clock is too coarse.
    const isOvertaken = (): boolean =>
      revocations.happenedAfter(begunAt, subject) || revocations.happenedSince(sequence, id, subject)
    if (isOvertaken()) throw invalidCredentials()
    const expiresAt = issuedAt + expirySeconds * 1000
    const isAdded = await store.add({
      id,
      kind,
      subject,
      roles,
      isAdmin,
      accountVersion: version,
      scope,
      issuedAt,
      expiresAt,
      lastAccessAt: issuedAt,
      address,
      account: accounts?.stateOf(account) ?? stateAtLogin(version, roles, isAdmin),
    })
    if (!isAdded) throw storeFull(expirySeconds)
    // The user may have been revoked while the store was adding: then its removal came before.
    if (isOvertaken()) {
      await store.remove(id)
      throw invalidCredentials()
    }
    return { token, id, expiresAt }
  }
}

function storeFull(expirySeconds: number): UnavailableError {
  return new UnavailableError('ERR_TOKEN_STORE_FULL', 'Max concurrent access limit exceeded', {
    headers: { 'Retry-After': String(Math.min(expirySeconds, storeFullRetrySeconds)) },
  })
}

function invalidCredentials(): UnauthorizedError {
  return new UnauthorizedError('ERR_AUTH_INVALID_CREDENTIALS', 'The user name or password is not right.')
}
