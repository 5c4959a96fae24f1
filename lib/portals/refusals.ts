/**
 * How a portal answers a refusal: with a page where a page was asked for, else with JSON.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { Request } from 'express'
import { clientAddress } from '../addresses/trust-proxy.js'
import { ForbiddenError, type HttpError, type HttpErrorCode, type Origin, UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import { answerRefusal } from '../http/answer.js'
import type { RefusalAnswer } from '../http/refusals.js'
import type { Sessions } from '../tokens/sessions.js'
import type { Authenticator } from '../users/login/authenticator.js'
import type { PortalCookie } from './cookie.js'
import { isNavigation, readMount } from './navigation.js'
import {
  answerPage,
  createPage,
  escapeHtml,
  formPageHeaders,
  type LoginPage,
  type PortalView,
  pageHeaders,
} from './page.js'
import type { PortalSignIn } from './portal-sign-in.js'
import type { SecondFactorPage } from './second-page.js'
import type { SecondStepParts } from './second-step.js'
import type { SingleSignOn } from './single-sign-on.js'

/**
 * The challenge of a portal. A 401 must have one (RFC 9110 section 15.5.2), and browsers ask for a password in a dialog of their
 * own only at a scheme that they know: this one they do not.
 */
const challenge = 'Cookie realm="Sallyport"'

/** A 401 of a portal. */
export function unauthorized(
  code: HttpErrorCode,
  message: string,
  cause?: unknown,
  origin?: Origin,
): UnauthorizedError {
  return new UnauthorizedError(code, message, {
    cause,
    origin,
    bare: 'never',
    headers: { 'WWW-Authenticate': challenge },
  })
}

/** Users that are signed in and may not enter can sign in as somebody else. */
const hasSignOut: ReadonlySet<HttpErrorCode> = new Set(['ERR_ADMIN_REQUIRED', 'ERR_ROLE_REQUIRED'])

/** Answers refusals of a portal, or of another mount that people open; `support` as in `[portal.<name>]`. */
export function portalRefusalAnswer(support: () => string | undefined = () => undefined): RefusalAnswer {
  return {
    createReference: (request) => (isNavigation(request) ? randomBytes(6).toString('hex') : undefined),

    answer(error, request, response, reference) {
      if (response.headersSent || !isNavigation(request)) {
        answerRefusal(error, request, response)
        return
      }
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
      const headers = hasSignOut.has(error.code) ? formPageHeaders : pageHeaders
      answerPage(response, error.status, refusalPage(error, request, reference, support()), headers)
    },
  }
}

function refusalPage(error: HttpError, request: Request, reference?: string, support?: string): string {
  const { status, code } = error
  const title = titles[status] ?? (status >= 500 ? 'Something went wrong' : 'This did not work')
  const details = [`${status} ${code}`]
  // Only where the page says that it is the address: an operator may have chosen another status to say nothing.
  if (code === 'ERR_IP_NOT_ALLOWED' && status === 403)
    details.push(`Your address: ${clientAddress(request) ?? 'unknown'}`)
  if (reference !== undefined) details.push(`Reference: ${reference}`)
  const main = [`<h1>${title}</h1>`, `<p>${escapeHtml(messageForPeople(error))}</p>`]
  main.push(...details.map((detail) => `<p class="code">${escapeHtml(detail)}</p>`))
  if (hasSignOut.has(code)) {
    main.push(`<form method="post" action="${escapeHtml(readMount(request))}/logout">`)
    main.push('<button type="submit">Sign in as somebody else</button>', '</form>')
  }
  return createPage({ title, main: main.join('\n'), support })
}

const titles: Readonly<Record<number, string>> = {
  403: 'No access',
  404: 'Not found',
  405: 'This did not work',
  429: 'Too many attempts',
  503: 'Not available right now',
}

/** What people can do about a refusal whose message is for operators and programmers. */
const peopleMessages: Partial<Record<HttpErrorCode, string>> = {
  ERR_CROSS_SITE: 'The request did not come from a page of this site. Open the page again and try once more.',
  ERR_HTTPS_REQUIRED: 'Passwords are accepted over HTTPS only. Open this page with https.',
  ERR_METHOD_NOT_ALLOWED: 'This address cannot be opened in this way.',
  ERR_AUTH_SEVERAL_CREDENTIALS: 'Delete the cookies of this site and sign in again.',
  ERR_TRUST_PROXY_UNSAFE: 'The server is not set up safely. Its operator can find the reason in the log.',
}

/** The message of a refusal on a page: what happened and what its reader can do, with the time to wait where the server knows it. */
export function messageForPeople({ code, message, headers }: HttpError): string {
  const text = peopleMessages[code] ?? message
  const seconds = Number(headers['Retry-After'])
  return seconds > 0 ? text.replace('Try again later.', `Try again in ${duration(seconds)}.`) : text
}

function duration(seconds: number): string {
  const [count, unit] = seconds < 60 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** What matters of a user or a caller. */
export interface Entrant {
  readonly roles: readonly string[]
  readonly isAdmin: boolean
}

/**
 * The refusal for a user who may not enter; `undefined` for one who may: administrators, and users with one of the roles.
 * `roles`: `undefined` lets every user in, an empty list administrators only.
 */
export function entryRefusal(
  { roles, rolesOrigin, isHidden }: Pick<PortalParts, 'roles' | 'rolesOrigin' | 'isHidden'>,
  { roles: own, isAdmin }: Entrant,
): ForbiddenError | undefined {
  if (roles === undefined || isAdmin || own.some((role) => roles.includes(role))) return undefined
  const options = { bare: 'never', origin: rolesOrigin } as const
  return roles.length === 0 && isHidden !== true
    ? new ForbiddenError('ERR_ADMIN_REQUIRED', 'Only administrators may enter here.', options)
    : new ForbiddenError('ERR_ROLE_REQUIRED', 'This account may not enter here.', options)
}

/** The options of `portalSession` with every default filled in, and the cookie. */
export interface PortalParts {
  readonly name: string
  readonly sessions: Sessions
  readonly cookie: PortalCookie
  readonly authenticator: Authenticator
  readonly roles: readonly string[] | undefined
  readonly rolesOrigin: Origin
  /** Whether users who may not enter do not learn for whom it is. */
  readonly isHidden?: boolean | undefined
  readonly allowPlainHttp: boolean
  /** `undefined`: ours. */
  readonly loginPage: LoginPage | undefined
  readonly view: PortalView
  /** Who has to show a second factor. */
  readonly secondFactor: SecondFactorPolicy
  /** `undefined`: nobody has one. */
  readonly secondStep: SecondStepParts | undefined
  /** Keeps a login between password and second factor. */
  readonly stepCookie: PortalCookie
  /** `undefined`: ours. */
  readonly secondFactorPage: SecondFactorPage | undefined
  readonly singleSignOn: SingleSignOn | undefined
  /** `undefined`: with a name and a password alone. */
  readonly signIn: PortalSignIn | undefined
  readonly events: SecurityEvents | undefined
  readonly clock: () => number
}
