/**
 * Access control by address for portals and web apps: which rules hold where.
 *
 * @module
 */

import { trustProxyGate } from '../addresses/trust-proxy.js'
import { originAt } from '../config/checks/origins.js'
import type { Config, PortalConfig } from '../config/config.js'
import type { Logger } from '../core/logger.js'
import { managementConsole } from '../core/names.js'
import type { Gate } from '../http/gate.js'
import { type RemoteAddressFilterOptions, remoteAddressFilterGate } from '../middleware/remote-address-filter.js'

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
  const console = name === managementConsole ? config.adminConsoleAddresses : undefined
  const rules = [
    ...webAppRules(config),
    ...createRule(config, 'admin_console.control_access.allow', console),
    ...createRule(config, `portal.${name}.allow`, allow),
  ]
  return createGates(rules, parts)
}

/** The gates of whatever is no portal; none where no rule is for it. */
export function webAppsGates(config: Config, parts: AddressAccessParts): readonly Gate[] {
  return createGates(webAppRules(config), parts)
}

function webAppRules(config: Config): readonly RemoteAddressFilterOptions[] {
  const { webAppAddresses, servletFilters } = config
  return [...createRule(config, 'web_app.control_access.allow', webAppAddresses), ...servletFilters]
}

function createRule(
  config: Config,
  key: string,
  allow: readonly string[] | undefined,
): readonly RemoteAddressFilterOptions[] {
  return allow === undefined ? [] : [{ allow, origin: originAt(config, key) }]
}

function createGates(rules: readonly RemoteAddressFilterOptions[], { logger }: AddressAccessParts): readonly Gate[] {
  if (rules.length === 0) return []
  const isTrustSafe = trustProxyGate(logger)
  return [isTrustSafe, ...rules.map(remoteAddressFilterGate)]
}
