/**
 * What an identity provider is to the rest: nothing here needs openid-client, whose types only some have.
 *
 * @module
 */

import type { IdentityProviderConfig } from '../config/config.js'
import type { UserAccount } from '../users/user-store.js'
import type { LogoutToken } from './logout-token.js'

/** What is made up for one sign-in, and compared when the provider answers. */
export interface SignInSecrets {
  readonly state: string
  readonly nonce: string
  /** Of PKCE (RFC 7636). */
  readonly codeVerifier: string
}

/** What the provider is asked besides. */
export interface SignInWishes {
  /** Who is about to sign in. */
  readonly loginHint?: string | undefined
  /** Whether it must ask for the password again. */
  readonly isFresh?: boolean | undefined
  /** Whether it is to ask who signs in, in place of taking whoever is signed in there. */
  readonly asksWho?: boolean | undefined
}

/** A user whom the provider has authenticated. */
export interface ProviderUser {
  readonly account: UserAccount
  /** `sub`, which names the user at the provider, whatever the account is named by. */
  readonly sub: string
  /** `sid`: the session at the provider; `undefined` where it says nothing of it. */
  readonly sid: string | undefined
  /** For the sign-out at the provider. */
  readonly idToken: string
  /** The name for display. */
  readonly displayName: string | undefined
  readonly email: string | undefined
}

/** An identity provider. Nothing of it is asked before somebody signs in. Each method rejects with {@link ProviderError}. */
export interface IdentityProvider {
  readonly config: IdentityProviderConfig
  /** Where the browser goes to sign in. */
  createSignInUrl(secrets: SignInSecrets, redirectUri: string, wishes?: SignInWishes): Promise<URL>
  /**
   * Who has signed in, by the address that the provider has sent the browser to. `freshSince`: milliseconds since the epoch, before
   * which a password that was typed there does not count.
   */
  finishSignIn(secrets: SignInSecrets, callback: URL, freshSince?: number): Promise<ProviderUser>
  /** Where the browser goes to sign out (RP-Initiated Logout 1.0); `undefined` where the provider has no such page. */
  createSignOutUrl(parameters: Readonly<Record<string, string>>): Promise<URL | undefined>
  /** Rejects with `UnauthorizedError` for a token that is none, and with `StoreError` while the keys cannot be read. */
  verifyLogoutToken(token: string): Promise<LogoutToken>
}
