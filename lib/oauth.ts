/**
 * The authorization server, for an app that is wired by hand. It needs the optional package `oidc-provider`, which is loaded
 * when a server is made; `security.oauth()` needs none of this.
 *
 * @module
 */

import type { RequestHandler } from 'express'
import type { OauthConfig } from './config/config.js'
import { systemClock } from './core/clock.js'
import type { SecurityEvents } from './core/events.js'
import { type Logger, safeLogger } from './core/logger.js'
import { standAlone } from './http/refusals.js'
import { createAuthorizationServer } from './oauth/authorization-server.js'
import { createClientThrottle } from './oauth/client-authentication.js'
import type { SingleSignOn } from './portals/single-sign-on.js'
import { checkedTokenStore } from './tokens/checked-token-store.js'
import { revocationsFor } from './tokens/revocations.js'
import type { TokenStore } from './tokens/token-store.js'
import type { Accounts } from './users/accounts.js'
import type { Authenticator } from './users/login/authenticator.js'
import type { LoginThrottle } from './users/throttle/login-throttle.js'
import type { UserStore } from './users/user-store.js'

export type { SignOn, SignOnContext, SingleSignOn } from './portals/single-sign-on.js'

/** Options of {@link authorizationServer}: what `[oauth]` says, and the parts that an app has made. */
export interface AuthorizationServerOptions {
  /** The issuer, its service providers and its times: `oauth` of a `Config`. */
  readonly oauth: OauthConfig
  /** Keeps sign-ons and access tokens. It stays yours to close. */
  readonly store: TokenStore
  /** Keeps rights fresh. */
  readonly accounts: Accounts
  /** Asked what clients may learn of a user. @defaultValue none: they learn names and roles */
  readonly users?: Pick<UserStore, 'findProfile'> | undefined
  /** Checks names and passwords, with the throttle that all logins share. */
  readonly authenticator: Authenticator
  /** Counts wrong secrets of clients: one of its own, that no login shares. @defaultValue five in 15 minutes for a client and source */
  readonly clientThrottle?: LoginThrottle | undefined
  /** Told of logins, sign-outs and refusals. @defaultValue none; `errorResponses` reports refusals */
  readonly events?: SecurityEvents | undefined
  /** Told what could not be answered. */
  readonly logger: Logger
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
}

/** A running authorization server. */
export interface HandledAuthorizationServer {
  /** For the path of the issuer. It answers what is below, and passes refusals to `next()`. */
  readonly handler: RequestHandler
  /**
   * For the root of the app. It answers the metadata of the resources (RFC 9728) and of the server (RFC 8414), and passes on everything
   * else.
   */
  readonly wellKnown: RequestHandler
  /** The sign-on that portals can share with it. */
  readonly singleSignOn: SingleSignOn
  /** Forgets grants, codes, sessions and refresh tokens. */
  close(): Promise<void>
}

/**
 * Makes an authorization server over a token store.
 *
 * @example
 * ```ts
 * const { handler } = await authorizationServer({ oauth: config.oauth, store, accounts, authenticator, logger })
 * app.use('/oauth2', handler)
 * ```
 *
 * @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) without `oidc-provider`.
 */
export async function authorizationServer(options: AuthorizationServerOptions): Promise<HandledAuthorizationServer> {
  const { oauth, events, clock = systemClock } = options
  const store = checkedTokenStore(options.store)
  const { users, clientThrottle = createClientThrottle({ clock }) } = options
  const revocations = revocationsFor(store, clock)
  const parts = {
    ...options,
    store,
    users,
    events,
    clock,
    clientThrottle,
    revocations,
    logger: safeLogger(options.logger),
  }
  const { gates, wellKnown, singleSignOn, close } = await createAuthorizationServer(oauth, parts)
  return {
    handler: standAlone({ gates, readsPath: true, authenticates: true }, options),
    wellKnown: standAlone({ gates: [wellKnown] }, options),
    singleSignOn,
    close,
  }
}
