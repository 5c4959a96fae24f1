/**
 * Sessions of a portal: its login page, its logout, and the cookie that every other request is known by.
 *
 * @module
 */

import type { RequestHandler } from 'express'
import { systemClock } from '../core/clock.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import { atPath, noTrace } from '../internal/endpoint.js'
import { standAlone } from '../internal/facet-refusal.js'
import type { Gate } from '../internal/gate.js'
import { isPortalName, portalNameRule } from '../internal/portal-name.js'
import { loginGate } from '../portals/login.js'
import { displayName, type LoginPage } from '../portals/login-page.js'
import { logoutGate } from '../portals/logout.js'
import { ownOriginGate } from '../portals/own-origin.js'
import { portalCookie } from '../portals/portal-cookie.js'
import type { PortalParts } from '../portals/portal-parts.js'
import { sessionGate } from '../portals/session-gate.js'
import { sessionStatusGate } from '../portals/session-status.js'
import type { SingleSignOn } from '../portals/single-sign-on.js'
import type { Sessions } from '../tokens/sessions.js'
import type { Authenticator } from '../users/authenticator.js'

/** Options of {@link portalSession}. */
export interface PortalSessionOptions {
  /** Name of the portal: part of its cookie's name, and the heading of its login page. The one that `sessions` has. */
  readonly name: string
  /** Keeps the sessions. */
  readonly sessions: Sessions
  /** Checks names and passwords, with the throttle that all logins share. */
  readonly authenticator: Authenticator
  /**
   * Any one of these roles lets a user in; administrators always get in. An empty list lets in nobody else.
   *
   * @defaultValue everybody may enter
   */
  readonly roles?: readonly string[] | undefined
  /**
   * Further origins that the portal is reached by, where a proxy rewrites `Host`.
   *
   * @defaultValue none
   * @example ['https://portal.example.com']
   */
  readonly origins?: readonly string[] | undefined
  /**
   * Whether people may sign in over plain HTTP from another machine. The cookie then has neither `Secure` nor the `__Host-`
   * prefix over plain HTTP.
   *
   * @defaultValue false
   */
  readonly allowsPlainHttp?: boolean | undefined
  /**
   * The login page.
   *
   * @defaultValue a page of ours
   */
  readonly loginPage?: LoginPage | undefined
  /**
   * What the login page calls the portal.
   *
   * @defaultValue the name: `management_console` becomes `Management console`
   */
  readonly title?: string | undefined
  /**
   * Where people find help, on the built-in pages: an e-mail address, a URL or any other text.
   *
   * @defaultValue not shown
   */
  readonly support?: string | undefined
  /**
   * Name of the cookie, without a prefix. Browsers keep the cookies of one host together, whatever the port: two apps on one host
   * need names of their own.
   *
   * @defaultValue `sallyport-` and the name of the portal
   */
  readonly cookieName?: string | undefined
  /**
   * A sign-on that several portals share.
   *
   * @defaultValue none: each portal asks for the password
   */
  readonly singleSignOn?: SingleSignOn | undefined
  /** Told of each login, logout and refusal. */
  readonly events?: SecurityEvents | undefined
  /**
   * Gets the reason when the mount hides the path from the portal, unless `events` does.
   *
   * @defaultValue one JSON line to stderr
   */
  readonly logger?: Logger | undefined
  /**
   * Milliseconds since the epoch; the same clock that `sessions` has.
   *
   * @defaultValue `Date.now`
   */
  readonly clock?: (() => number) | undefined
}

/**
 * Answers `/login`, `/logout` and `/session` below its mount, and lets any other request pass with a live session; it sets
 * `request.auth`, see `getAuth`. A navigation without a session is sent to the login page.
 *
 * A request with an unsafe method passes only from a page of the same origin. `Sallyport-Background: ?1` marks a request that is
 * no activity of the user.
 *
 * @example
 * ```ts
 * const sessions = createSessions({ store, portal: 'shop', idleTimeoutMs: 900_000, absoluteTimeoutMs: 43_200_000 })
 * app.use('/shop', portalSession({ name: 'shop', sessions, authenticator }), shopRoutes)
 * ```
 *
 * @returns A handler that passes to `next()`: 401 with a challenge that opens no dialog, 400 for several session cookies, 403, 405,
 * 503 when a store fails, 400, 408, 413, 415 or 429 for the form of a login, and 500 (`ERR_MOUNT_PATH`) as part of a route and
 * below a wildcard.
 * @throws TypeError for a name that no portal can have.
 */
export function portalSession(options: PortalSessionOptions): RequestHandler {
  return standAlone({ gates: portalSessionGates(options), readsPath: true }, options)
}

/** The gates behind {@link portalSession}, for wiring into a facet. */
export function portalSessionGates(options: PortalSessionOptions): readonly Gate[] {
  const { name, sessions, authenticator, roles, origins = [], allowsPlainHttp = false } = options
  const { loginPage, singleSignOn, events, clock = systemClock } = options
  if (!isPortalName(name)) throw new TypeError(`"name" option ${portalNameRule}`)
  const { title = displayName(name), support, cookieName = `sallyport-${name}` } = options
  if (!/^[A-Za-z0-9_-]+$/.test(cookieName)) throw new TypeError('"cookieName" option must be letters, digits, _ and -')
  const cookie = portalCookie(cookieName, allowsPlainHttp)
  const own = { name, sessions, cookie, authenticator, roles, allowsPlainHttp, view: { title, support } }
  const parts: PortalParts = { ...own, loginPage, singleSignOn, events, clock }
  return [
    noTrace,
    ownOriginGate(origins),
    atPath('/login', loginGate(parts)),
    atPath('/logout', logoutGate(parts)),
    atPath('/session', sessionStatusGate(parts)),
    sessionGate(parts),
  ]
}
