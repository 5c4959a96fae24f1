/**
 * What the parts of one authorization server share.
 *
 * @module
 */

import type { OauthConfig } from '../config/config.js'
import type { SecurityEvents } from '../core/events.js'
import type { LanguageOf } from '../core/languages.js'
import type { Logger } from '../core/logger.js'
import type { PortalView } from '../portals/page.js'
import type { PortalSignIn } from '../portals/portal-sign-in.js'
import type { SecondStepParts } from '../portals/second-step.js'
import type { CheckedTokenStore } from '../tokens/checked-token-store.js'
import type { KeyRing } from '../tokens/keys/key-ring.js'
import type { KeySet } from '../tokens/keys/signing-key.js'
import type { Revocations } from '../tokens/revocations.js'
import type { Accounts } from '../users/accounts.js'
import type { Authenticator } from '../users/login/authenticator.js'
import type { LoginThrottle } from '../users/throttle/login-throttle.js'
import type { UserStore } from '../users/user-store.js'
import type { OauthCookies } from './endpoints.js'
import type { OauthStore, OauthStoreOptions } from './oauth-store.js'
import type { ServiceProviders } from './service-providers.js'

/** What makes authorization servers of several processes one. */
export interface SharedOauth {
  /** Makes what keeps grants, codes, sessions and refresh tokens. */
  createOauthStore(options: OauthStoreOptions): OauthStore
  /** Signs ID tokens until the process ends; what else must be secret and the same everywhere is derived from it. */
  readonly keySet: KeySet
  /** Signs access tokens, and lists the keys of all processes. */
  readonly keys: KeyRing
}

/** What an authorization server is made with. */
export interface AuthorizationServerParts {
  readonly store: CheckedTokenStore
  readonly accounts: Accounts
  /** Asked what clients may learn of a user. Absent: they learn names and roles. */
  readonly users: Pick<UserStore, 'findProfile'> | undefined
  readonly revocations: Revocations
  readonly authenticator: Authenticator
  /** Asks for a second factor after the password; `undefined`: nobody has one. */
  readonly secondStep?: SecondStepParts | undefined
  /** Counts wrong secrets of a client id from a source. Absent: guesses are not limited. */
  readonly clientThrottle: LoginThrottle | undefined
  /** Sign-ins at identity providers. Absent: with a password alone. */
  readonly signIn?: PortalSignIn | undefined
  readonly events: SecurityEvents | undefined
  readonly logger: Logger
  readonly clock: () => number
  /** A key that outlives the process, and what it has signed for longer than that. Absent: one is made. */
  readonly keySet?: KeySet | undefined
  /** Absent: grants and sessions are those of this process, and end with it. */
  readonly shared?: SharedOauth | undefined
  /** Chooses the language of a page. Absent: any of those there are. */
  readonly languageOf?: LanguageOf | undefined
  /** How the login page of a client presents itself. Absent: with its client id. */
  readonly viewOf?: ((clientId: string) => PortalView) | undefined
}

/** That, and what is made first. */
export interface OauthParts extends AuthorizationServerParts {
  readonly oauth: OauthConfig
  readonly oauthStore: OauthStore
  readonly providers: ServiceProviders
  readonly cookies: OauthCookies
  readonly languageOf: LanguageOf
  readonly viewOf: (clientId: string) => PortalView
}
