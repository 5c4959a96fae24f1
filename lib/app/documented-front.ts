/**
 * What the OpenAPI document has to know of a front.
 *
 * @module
 */

import type { UserAdministration } from '../admin-api/user-administration.js'
import type { AuditTrail } from '../audit/audit-trail.js'
import type { Config } from '../config/config.js'
import { managementConsole } from '../core/names.js'
import type { DocumentedFront, DocumentedPortal } from '../openapi/front.js'
import { secureName } from '../portals/cookie.js'
import { portalMount } from './mounts.js'
import { portalCookieName } from './portal.js'

/** What is asked about a front. */
export interface DocumentedParts {
  /** Whether the users in effect are those of the configuration file. */
  readonly usesFileUsers: boolean
  /** `undefined`: the store cannot be managed here. */
  readonly administration: UserAdministration | undefined
  /** `undefined`: there is none. */
  readonly audit: AuditTrail | undefined
  /** The mounts that were made so far. */
  readonly mounted: ReadonlySet<string>
}

/** Asked at the first request for the document, when the app has mounted everything. */
export function documentedManagementApi(config: Config, parts: DocumentedParts): DocumentedFront {
  const { usesFileUsers, administration, mounted } = parts
  const { managementApi, portals, oauth } = config
  return {
    mount: 'managementApi',
    authentication: managementApi.isBasicEnabled ? 'basic' : 'token',
    users: usesFileUsers ? 'read-only' : administration === undefined ? 'left to the app' : 'managed',
    hasAuditFile: hasAuditFile(parts),
    portals: portals.filter(({ name }) => mounted.has(portalMount(name))).map(({ name }) => portalOf(config, name)),
    issuer: mounted.has('oauth') ? oauth?.issuer : undefined,
  }
}

/** The same for the operators' page. */
export function documentedConsole(config: Config, parts: DocumentedParts): DocumentedFront {
  return {
    mount: 'console',
    authentication: 'token',
    users: parts.administration === undefined ? 'read-only' : 'managed',
    hasAuditFile: hasAuditFile(parts),
    portals: [portalOf(config, managementConsole)],
    issuer: undefined,
  }
}

function portalOf(config: Config, name: string): DocumentedPortal {
  return { name, cookieName: secureName(portalCookieName(config, name)) }
}

function hasAuditFile({ audit }: DocumentedParts): boolean {
  return (audit?.status().file ?? null) !== null
}
