/**
 * Access control by address for portals and web apps: which rules hold where.
 *
 * @module
 */

import type { Config, PortalConfig } from './config/config.js'
import type { Logger } from './core/logger.js'
import type { Gate } from './internal/gate.js'
import { managementConsole } from './internal/portal-name.js'
import { trustProxyGate } from './internal/trust-proxy.js'
import { type RemoteAddressFilterOptions, remoteAddressFilterGate } from './middlewares/remote-address-filter.js'

/** What the gates work with. */
export interface AddressAccessParts {
  readonly logger: Logger
}

/** Whether any rule for portals or web apps depends on addresses. */
export function hasAddressRules(config: Config): boolean {
  const { adminConsoleAddresses, webAppAddresses, servletFilters, portals } = config
  const lists = [adminConsoleAddresses, webAppAddresses, ...portals.map(({ allow }) => allow)]
  return servletFilters.length > 0 || lists.some((list) => list !== undefined)
}

/** The gates of a portal, which every request of it meets first; none where no rule is for it. */
export function portalAddressGates(
  config: Config,
  { name, allow }: PortalConfig,
  parts: AddressAccessParts,
): readonly Gate[] {
  const lists = [name === managementConsole ? config.adminConsoleAddresses : undefined, allow]
  return gatesOf([...webAppRules(config), ...lists.flatMap(ruleOf)], parts)
}

/** The gates of whatever is no portal; none where no rule is for it. */
export function webAppsGates(config: Config, parts: AddressAccessParts): readonly Gate[] {
  return gatesOf(webAppRules(config), parts)
}

function webAppRules({ webAppAddresses, servletFilters }: Config): readonly RemoteAddressFilterOptions[] {
  return [...ruleOf(webAppAddresses), ...servletFilters]
}

function ruleOf(allow: readonly string[] | undefined): readonly RemoteAddressFilterOptions[] {
  return allow === undefined ? [] : [{ allow }]
}

function gatesOf(rules: readonly RemoteAddressFilterOptions[], { logger }: AddressAccessParts): readonly Gate[] {
  if (rules.length === 0) return []
  const isTrustSafe = trustProxyGate(logger)
  return [isTrustSafe, ...rules.map(remoteAddressFilterGate)]
}
