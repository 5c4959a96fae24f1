/**
 * A portal: which gates guard it, in which order.
 *
 * @module
 */

import { originAt } from '../config/checks/origins.js'
import type { Config, PortalConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import { managementConsole, nearest } from '../core/names.js'
import { withoutForeignAuth } from '../http/endpoint.js'
import type { Gate } from '../http/gate.js'
import { type PortalGatesOptions, portalSessionGates } from '../middleware/portal-session.js'
import type { LoginPage } from '../portals/login-page.js'
import { displayName, type PortalView } from '../portals/page.js'
import type { RefusalPage } from '../portals/refusal-page.js'
import type { SecondFactorPage } from '../portals/second-page.js'
import type { SecondStepParts } from '../portals/second-step.js'
import { securityHeadersGate } from '../portals/security-headers.js'
import type { SingleSignOn } from '../portals/single-sign-on.js'
import type { Authenticator } from '../users/login/authenticator.js'
import type { AuthCore } from './auth-core.js'
import type { IdentityProviders } from './identity-providers.js'
import { assertSecondFactors } from './second-factor.js'
import { portalAddressGates } from './web-apps.js'

/** Options of `security.portal`. */
export interface PortalOptions {
  /**
   * Makes the login page.
   *
   * @defaultValue the built-in page
   */
  readonly loginPage?: LoginPage | undefined
  /**
   * Makes the page that asks for a second factor, and helps to set one up.
   *
   * @defaultValue the built-in page
   */
  readonly secondFactorPage?: SecondFactorPage | undefined
  /**
   * Makes the page of a refusal, where a page was asked for.
   *
   * @defaultValue the built-in page
   */
  readonly refusalPage?: RefusalPage | undefined
}

/** What the gates of a portal work with. */
export interface PortalGateParts {
  readonly createSessions: AuthCore['createSessions']
  readonly authenticator: Authenticator
  readonly events: SecurityEvents
  readonly logger: Logger
  readonly clock: () => number
  /** Asks for a second factor after the password; `undefined`: nobody has one. */
  readonly secondStep?: SecondStepParts | undefined
  /** A sign-on that the portals share; `undefined`: each asks for the password. */
  readonly singleSignOn?: SingleSignOn | undefined
  readonly identityProviders?: IdentityProviders | undefined
}

/**
 * The gates in the order in which a request meets them.
 *
 * @throws `ConfigError` for a name that the configuration does not have.
 */
export function portalGates(
  config: Config,
  name: string,
  parts: PortalGateParts,
  options: PortalOptions = {},
): readonly Gate[] {
  const portal = portalNamed(config, name)
  return [
    withoutForeignAuth,
    ...portalAddressGates(config, portal, parts),
    securityHeadersGate,
    ...portalSessionGates(portalSessionOptions(config, name, parts, options)),
  ]
}

/**
 * What the configuration says of a portal, in the terms of `portalSession`.
 *
 * @throws `ConfigError` for a name that the configuration does not have.
 */
export function portalSessionOptions(
  config: Config,
  name: string,
  parts: PortalGateParts,
  { loginPage, secondFactorPage }: PortalOptions = {},
): PortalGatesOptions {
  const { sessionTimeoutMs, absoluteTimeoutMs, roles, signIn, secondFactor } = portalNamed(config, name)
  const { origins, allowInsecureHttp, languages } = config.portalDefaults
  const { singleSignOn, secondStep } = parts
  assertSecondFactors(config, secondStep)
  const cookieName = portalCookieName(config, name)
  return {
    ...parts,
    name,
    sessions: parts.createSessions({ portal: name, idleTimeoutMs: sessionTimeoutMs, absoluteTimeoutMs }),
    roles,
    rolesOrigin: originAt(config, `portal.${name}.roles`),
    origins,
    allowPlainHttp: allowInsecureHttp,
    ...portalView(config, name),
    languages,
    cookieName,
    signIn: parts.identityProviders?.forPortal(config, signIn, cookieName),
    loginPage,
    secondFactor,
    secondFactorPage,
    secondFactorOrigin: originAt(config, `portal.${name}.second_factor`),
    // A login of its own in any case: who opens the console can do everything.
    singleSignOn: name === managementConsole ? undefined : singleSignOn,
  }
}

/** How a portal presents itself; one that the configuration does not have is called by its name. */
export function portalView({ portals }: Config, name: string): PortalView {
  const { title = displayName(name), support, logo } = portals.find((portal) => portal.name === name) ?? {}
  return { title, support, logo }
}

/** Without the prefix that it has over TLS. */
export function portalCookieName({ portalDefaults }: Config, name: string): string {
  return `${portalDefaults.cookiePrefix}-${name}`
}

export function portalNamed({ portals }: Config, name: string): PortalConfig {
  const portal = portals.find((candidate) => candidate.name === name)
  if (portal !== undefined) return portal
  const names = portals.map((candidate) => candidate.name)
  const near = nearest(name, names)
  const suggestion = near === undefined ? undefined : `portal.${near}`
  const rule = `is no portal of this configuration; it has ${names.join(', ')}, and any other needs a table [portal.${name}]`
  throw new ConfigError([{ key: `portal.${name}`, rule, suggestion }])
}
