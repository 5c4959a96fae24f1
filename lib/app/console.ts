/**
 * The operators' page: which gates guard it, in which order, and what it answers.
 *
 * @module
 */

import { openApiGate } from '../admin-api/openapi.js'
import { readOnlyUsersGates } from '../admin-api/read-only-users.js'
import { rolesGate } from '../admin-api/roles.js'
import { usersGate } from '../admin-api/users.js'
import { originAt } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import { apiGate, indexGate, nothingBehind } from '../console/api.js'
import { type PageFiles, pageGate } from '../console/page-gate.js'
import { ConfigError, HttpError, type HttpErrorCode } from '../core/errors.js'
import { managementConsole } from '../core/names.js'
import { packageVersion } from '../core/package-version.js'
import { isReported, markReported } from '../core/reported.js'
import { isThenable } from '../core/thenable.js'
import { notFound, withoutForeignAuth } from '../http/endpoint.js'
import type { Gate, Verdict } from '../http/gate.js'
import { portalSessionGates } from '../middleware/portal-session.js'
import { displayName } from '../portals/page.js'
import { securityHeadersGate } from '../portals/security-headers.js'
import { isFileUserStore } from '../users/file/file-user-store.js'
import { isManagedUserStore } from '../users/managed-user-store.js'
import { documentedConsole } from './documented-front.js'
import type { ManagementApiParts } from './management-api.js'
import { operatorResources } from './operator-resources.js'
import { type PortalGateParts, portalNamed, portalSessionOptions } from './portal.js'
import { portalAddressGates } from './web-apps.js'

const enabling = 'operator_console.enable'

/** @throws `ConfigError` where the configuration does not enable the page. */
export function assertConsole(config: Config): void {
  if (config.isOperatorConsoleEnabled) return
  const rule = "must be true for security.console(): the operators' page is not enabled"
  throw new ConfigError([{ key: enabling, rule, position: originAt(config, enabling).position }])
}

/** The gates in the order in which a request meets them. The last one lets nothing pass: what is below the mount is the page's. */
export function consoleGates(config: Config, parts: ManagementApiParts & PortalGateParts): readonly Gate[] {
  // By a reload: the mount stays.
  if (!config.isOperatorConsoleEnabled) return [notFound]
  const portal = portalNamed(config, managementConsole)
  const session = {
    ...portalSessionOptions(config, managementConsole, parts),
    // Whoever else may enter the portal.
    roles: [],
    rolesOrigin: originAt(config, enabling),
    isHidden: true,
  }
  const index = {
    version: packageVersion,
    title: portal.title ?? displayName(managementConsole),
    file: config.path ?? null,
    features: {
      users: parts.administration === undefined ? 'read-only' : 'managed',
      serviceProviders: config.oauth !== undefined,
      auditTrail: typeof parts.audit?.status().file === 'string',
      reload: config.path !== undefined,
    },
  } as const
  const document = openApiGate(() => documentedConsole(config, parts))
  return [
    withoutForeignAuth,
    ...portalAddressGates(config, portal, parts).map(hidden),
    securityHeadersGate,
    ...portalSessionGates(session).map(hidden),
    apiGate([indexGate(index), ...operatorResources(parts), ...userResources(parts), document]),
    pageGate(findPageFiles),
    nothingBehind,
  ]
}

async function findPageFiles(): Promise<PageFiles | undefined> {
  return (await import('../console/page-files.js')).findPageFiles()
}

/** Managed where the store can be; else what can be known of them. */
function userResources({ users, administration, usesFileUsers }: ManagementApiParts): readonly Gate[] {
  const listAccounts = usesFileUsers && isFileUserStore(users) ? () => users.listAccounts() : undefined
  if (administration === undefined || !isManagedUserStore(users)) return readOnlyUsersGates(users, listAccounts)
  return [usersGate(users, administration), rolesGate(users, administration)]
}

/** Who may not enter, and is not told so. */
const hiddenCodes: ReadonlySet<HttpErrorCode> = new Set(['ERR_IP_NOT_ALLOWED', 'ERR_ROLE_REQUIRED'])

/** Refuses whoever may not enter as if nothing were there. The log has the rule. */
function hidden(gate: Gate): Gate {
  return function hiddenGate(request, response, trace) {
    const verdict = gate(request, response, trace)
    return isThenable(verdict) ? Promise.resolve(verdict).then(hide) : hide(verdict)
  }
}

function hide(verdict: Verdict): Verdict {
  if (!(verdict instanceof HttpError) || !hiddenCodes.has(verdict.code)) return verdict
  const { origin } = verdict
  return markReported(new HttpError(404, 'ERR_NOT_FOUND', 'Not found.', { origin }), isReported(verdict))
}
