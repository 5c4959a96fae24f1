/**
 * Every view of the page, by its address. A view is one component below views/, made of {@link useResource} and the components.
 *
 * @module
 */

import type { ComponentType } from 'preact'
import type { ConsoleIndex } from '../api.js'
import { ApiTokens } from './views/api-tokens.js'
import { Audit } from './views/audit.js'
import { Configuration } from './views/configuration.js'
import { Health } from './views/health.js'
import { Locks } from './views/locks.js'
import { Overview } from './views/overview.js'
import { Roles } from './views/roles.js'
import { ServiceProviders } from './views/service-providers.js'
import { Sessions } from './views/sessions.js'
import { Users } from './views/users.js'

export interface ViewEntry {
  /** First segment of the address; `''` is shown first. */
  readonly path: string
  /** In the navigation; absent: not there. */
  readonly title?: string
  /** Which entry of the navigation is current; absent: its own. */
  readonly navigation?: string
  /** `name`: second segment of the address, such as a user. */
  readonly Component: ComponentType<{ readonly name: string }>
  /** Whether it is in the navigation. @defaultValue yes */
  readonly isShown?: (about: ConsoleIndex) => boolean
}

export const views: readonly ViewEntry[] = [
  { path: '', title: 'Overview', Component: Overview },
  { path: 'sessions', title: 'Sessions', Component: Sessions },
  { path: 'locks', title: 'Lock-outs', Component: Locks },
  { path: 'users', title: 'Users', Component: Users },
  { path: 'roles', title: 'Roles', Component: Roles },
  { path: 'api-tokens', title: 'API tokens', Component: ApiTokens },
  {
    path: 'service-providers',
    title: 'Service providers',
    Component: ServiceProviders,
    isShown: ({ features }) => features.serviceProviders,
  },
  { path: 'audit', title: 'Audit', Component: Audit, isShown: ({ features }) => features.auditTrail },
  { path: 'configuration', title: 'Configuration', Component: Configuration },
  { path: 'health', title: 'Health', Component: Health },
]
