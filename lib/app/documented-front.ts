/**
 * What the OpenAPI document has to know of a front.
 *
 * @module
 */

import type { UserAdministration } from '../admin-api/user-administration.js'
import type { Config } from '../config/config.js'
import type { DocumentedFront } from '../openapi/front.js'
import { secureName } from '../portals/cookie.js'
import { portalMount } from './mounts.js'
import { portalCookieName } from './portal.js'

/** What is asked about a front. */
export interface DocumentedParts {
  /** Whether the users in effect are those of the configuration file. */
  readonly usesFileUsers: boolean
  /** `undefined`: the store cannot be managed here. */
  readonly administration: UserAdministration | undefined
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
    portals: portals
      .filter(({ name }) => mounted.has(portalMount(name)))
      .map(({ name }) => ({ name, cookieName: secureName(portalCookieName(config, name)) })),
    issuer: mounted.has('oauth') ? oauth?.issuer : undefined,
  }
}
