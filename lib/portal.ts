/**
 * A portal: which gates guard it, in which order.
 *
 * @module
 */

import { portalAddressGates } from './address-access.js'
import type { Config, PortalConfig } from './config/config.js'
import { ConfigError } from './core/errors.js'
import type { SecurityEvents } from './core/events.js'
import type { Logger } from './core/logger.js'
import { withoutForeignAuth } from './internal/foreign-auth.js'
import type { Gate } from './internal/gate.js'
import { nearest } from './internal/near-miss.js'
import { managementConsole } from './internal/portal-name.js'
import { portalSessionGates } from './middlewares/portal-session.js'
import type { LoginPage } from './portals/login-page.js'
import { securityHeadersGate } from './portals/security-headers.js'
import type { SingleSignOn } from './portals/single-sign-on.js'
import type { Revocations } from './tokens/revocations.js'
import { createSessions } from './tokens/sessions.js'
import type { TokenStore } from './tokens/token-store.js'
import type { Accounts } from './users/accounts.js'
import type { Authenticator } from './users/authenticator.js'

/** Options of `security.portal`. */
export interface PortalOptions {
  /**
   * Makes the login page.
   *
   * @defaultValue a page of ours
   */
  readonly loginPage?: LoginPage | undefined
}

/** What the gates of a portal work with. */
export interface PortalGateParts {
  readonly store: TokenStore
  readonly accounts: Accounts
  readonly revocations: Revocations
  readonly authenticator: Authenticator
  readonly events: SecurityEvents
  readonly logger: Logger
  readonly clock: () => number
  /** A sign-on that the portals share; `undefined`: each asks for the password. */
  readonly singleSignOn?: SingleSignOn | undefined
}

/**
 * The gates in the order in which a request meets them.
 *
 * @throws {@link ConfigError} for a name that the configuration does not have.
 */
export function portalGates(
  config: Config,
  name: string,
  parts: PortalGateParts,
  { loginPage }: PortalOptions = {},
): readonly Gate[] {
  const portal = portalNamed(config, name)
  const { sessionTimeoutMs, absoluteTimeoutMs, roles } = portal
  const { origins, allowsInsecureHttp, cookiePrefix } = config.portalDefaults
  const { singleSignOn } = parts
  const sessions = createSessions({
    ...parts,
    portal: name,
    idleTimeoutMs: sessionTimeoutMs,
    absoluteTimeoutMs,
  })
  return [
    withoutForeignAuth,
    ...portalAddressGates(config, portal, parts),
    securityHeadersGate,
    ...portalSessionGates({
      ...parts,
      name,
      sessions,
      roles,
      origins,
      allowsPlainHttp: allowsInsecureHttp,
      title: portal.title,
      support: portal.support,
      cookieName: `${cookiePrefix}-${name}`,
      loginPage,
      // A login of its own in any case: who opens the console can do everything.
      singleSignOn: name === managementConsole ? undefined : singleSignOn,
    }),
  ]
}

function portalNamed({ portals }: Config, name: string): PortalConfig {
  const portal = portals.find((candidate) => candidate.name === name)
  if (portal !== undefined) return portal
  const names = portals.map((candidate) => candidate.name)
  const near = nearest(name, names)
  const suggestion = near === undefined ? undefined : `portal.${near}`
  const rule = `is no portal of this configuration; it has ${names.join(', ')}, and any other needs a table [portal.${name}]`
  throw new ConfigError([{ key: `portal.${name}`, rule, suggestion }])
}
