/**
 * What the end points and gates of a portal's sessions share.
 *
 * @module
 */

import type { SecurityEvents } from '../core/events.js'
import type { Sessions } from '../tokens/sessions.js'
import type { Authenticator } from '../users/authenticator.js'
import type { LoginPage } from './login-page.js'
import type { PortalView } from './page.js'
import type { PortalCookie } from './portal-cookie.js'
import type { SingleSignOn } from './single-sign-on.js'

/** The options of `portalSession` with every default filled in, and the cookie. */
export interface PortalParts {
  readonly name: string
  readonly sessions: Sessions
  readonly cookie: PortalCookie
  readonly authenticator: Authenticator
  readonly roles: readonly string[] | undefined
  readonly allowsPlainHttp: boolean
  /** `undefined`: ours. */
  readonly loginPage: LoginPage | undefined
  readonly view: PortalView
  readonly singleSignOn: SingleSignOn | undefined
  readonly events: SecurityEvents | undefined
  readonly clock: () => number
}
