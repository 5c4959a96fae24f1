/**
 * Sessions of a portal: its login page, its logout, and the cookie that every other request is known by.
 *
 * @module
 */

import type { RequestHandler } from 'express'
import type { Auth } from '../core/auth.js'
import { systemClock } from '../core/clock.js'
import type { Origin } from '../core/errors.js'
import { UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import { createLanguageChoice, type Language, languages } from '../core/languages.js'
import type { Logger } from '../core/logger.js'
import { isPortalName, portalNameRule } from '../core/names.js'
import { lacksSecondFactor, type SecondFactorPolicy } from '../core/second-factor.js'
import { andThen } from '../core/thenable.js'
import { atPath, noTrace } from '../http/endpoint.js'
import type { Gate } from '../http/gate.js'
import { standAlone } from '../http/refusals.js'
import { backchannelLogoutGate } from '../portals/backchannel-logout.js'
import { portalCookie } from '../portals/cookie.js'
import { createShowLogin, loginGate } from '../portals/login.js'
import type { LoginPage } from '../portals/login-page.js'
import { logoutGate } from '../portals/logout.js'
import { ownOriginGate } from '../portals/navigation.js'
import { displayName } from '../portals/page.js'
import { type PortalSignIn, portalSignInGate } from '../portals/portal-sign-in.js'
import { entryRefusal, type PortalParts } from '../portals/refusals.js'
import type { SecondFactorPage } from '../portals/second-page.js'
import type { SecondStepParts } from '../portals/second-step.js'
import { sessionGate, sessionStatusGate } from '../portals/session.js'
import type { SingleSignOn } from '../portals/single-sign-on.js'
import type { LiveSession, Sessions } from '../tokens/sessions.js'
import type { Authenticator } from '../users/login/authenticator.js'

/** Options of {@link portalSession}. */
export interface PortalSessionOptions {
  /** Part of the cookie's name, and the heading of the login page. The one that `sessions` has. */
  readonly name: string
  /** Keeps the sessions. */
  readonly sessions: Sessions
  /** Checks names and passwords, with the throttle that all logins share. */
  readonly authenticator: Authenticator
  /** Any one of them lets a user in, and administrators get in; an empty list lets in nobody else. @defaultValue everybody */
  readonly roles?: readonly string[] | undefined
  /** What the log names when the roles refuse a user. @defaultValue `{ key: 'roles' }` */
  readonly rolesOrigin?: Origin | undefined
  /** Further origins that the portal is reached by, where a proxy rewrites `Host`. @defaultValue none */
  readonly origins?: readonly string[] | undefined
  /** Whether people may sign in over plain HTTP from another machine; the cookie then has no `Secure`. @defaultValue false */
  readonly allowPlainHttp?: boolean | undefined
  /** The login page. @defaultValue a page of ours */
  readonly loginPage?: LoginPage | undefined
  /** Who has to show a second factor. @defaultValue `'optional'`: users who have one */
  readonly secondFactor?: SecondFactorPolicy | undefined
  /** Asks for it after the password. @defaultValue nobody is asked */
  readonly secondStep?: SecondStepParts | undefined
  /** The page that asks. @defaultValue a page of ours */
  readonly secondFactorPage?: SecondFactorPage | undefined
  /** What the login page calls the portal. @defaultValue made of the name: `Management console` */
  readonly title?: string | undefined
  /** Where people find help: an e-mail address, a URL or any other text. @defaultValue not shown */
  readonly support?: string | undefined
  /** Languages of the built-in pages, of which `Accept-Language` chooses; the first one is for any other. @defaultValue all: `['en', 'de']` */
  readonly languages?: readonly Language[] | undefined
  /** Name of the cookie, without a prefix: two apps on one host need two names. @defaultValue `sallyport-` and the name */
  readonly cookieName?: string | undefined
  /** A sign-on that several portals share. @defaultValue none: each portal asks for the password */
  readonly singleSignOn?: SingleSignOn | undefined
  /** Told of each login, logout and refusal. */
  readonly events?: SecurityEvents | undefined
  /** Gets the reason when the mount hides the path, unless `events` does. @defaultValue one line to stderr */
  readonly logger?: Logger | undefined
  /** Milliseconds since the epoch; the same clock that `sessions` has. @defaultValue `Date.now` */
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
  const { roles, rolesOrigin = { key: 'roles' } } = options
  const admits = (auth: Auth) => entryRefusal({ roles, rolesOrigin }, auth)
  return standAlone({ gates: portalSessionGates(options), readsPath: true, authenticates: true, admits }, options)
}

/** What a portal of `createSecurity` has besides: sign-ins at identity providers. */
export interface PortalGatesOptions extends PortalSessionOptions {
  readonly signIn?: PortalSignIn | undefined
  /** See `PortalView.logo`. */
  readonly logo?: string | undefined
  /** The rule that a session without a second factor is refused by. */
  readonly secondFactorOrigin?: Origin | undefined
  /** Whether users who may not enter do not learn for whom it is. @defaultValue false */
  readonly isHidden?: boolean | undefined
}

/** The options with every default filled in, and the cookie. @throws TypeError for a name that no portal can have. */
export function portalSessionParts(options: PortalGatesOptions): PortalParts {
  const {
    name,
    authenticator,
    roles,
    secondFactor = 'optional',
    secondStep,
    secondFactorPage,
    allowPlainHttp = false,
  } = options
  const { rolesOrigin = { key: 'roles' } } = options
  const { loginPage, singleSignOn, signIn, events, clock = systemClock } = options
  if (!isPortalName(name)) throw new TypeError(`"name" option ${portalNameRule}`)
  const { title = displayName(name), support, logo, cookieName = `sallyport-${name}` } = options
  const { languages: offered = languages } = options
  if (offered.length === 0 || !offered.every((one) => languages.includes(one))) {
    throw new TypeError(`"languages" option must list some of ${languages.join(', ')}`)
  }
  if (!/^[A-Za-z0-9_-]+$/.test(cookieName)) throw new TypeError('"cookieName" option must be letters, digits, _ and -')
  const cookie = portalCookie(cookieName, allowPlainHttp)
  const stepCookie = portalCookie(`${cookieName}-step`, allowPlainHttp)
  const sessions = withSecondFactor(options.sessions, secondFactor, options.secondFactorOrigin)
  const entry = { roles, rolesOrigin, isHidden: options.isHidden }
  const own = { name, sessions, cookie, authenticator, ...entry, allowPlainHttp }
  const pages = { view: { title, support, logo }, languageOf: createLanguageChoice(() => offered) }
  const second = { secondFactor, secondStep, secondFactorPage, stepCookie }
  return { ...own, ...second, ...pages, loginPage, singleSignOn, signIn, events, clock }
}

export function portalSessionGates(options: PortalGatesOptions): readonly Gate[] {
  const { origins = [], signIn } = options
  const parts = portalSessionParts(options)
  const showLogin = createShowLogin(parts)
  const elsewhere = signIn === undefined ? [] : [portalSignInGate(parts, signIn, showLogin)]
  return [
    noTrace,
    // Sent by the provider, and believed by its signature alone.
    ...(signIn === undefined ? [] : [atPath('/backchannel-logout', backchannelLogoutGate(signIn))]),
    ownOriginGate(origins),
    ...elsewhere,
    atPath('/login', loginGate(parts, showLogin)),
    atPath('/logout', logoutGate(parts)),
    atPath('/session', sessionStatusGate(parts)),
    sessionGate(parts),
  ]
}

/** Sessions that began before a second factor was demanded of their users have ended. */
function withSecondFactor(sessions: Sessions, policy: SecondFactorPolicy, origin: Origin | undefined): Sessions {
  if (policy === 'optional') return sessions
  const check = (session: LiveSession): LiveSession => {
    if (!lacksSecondFactor(policy, session.auth)) return session
    const cause = 'a second factor is demanded, and the session began without one'
    throw new UnauthorizedError('ERR_SESSION_ENDED', 'The session has ended. Sign in again.', { cause, origin })
  }
  return { ...sessions, verify: (credential, isActivity) => andThen(sessions.verify(credential, isActivity), check) }
}
