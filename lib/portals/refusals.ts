/**
 * How a portal answers a refusal: with a page where a page was asked for, else with JSON.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { Request } from 'express'
import { clientAddress } from '../addresses/trust-proxy.js'
import { inBackground } from '../async/background.js'
import { ForbiddenError, type HttpError, type HttpErrorCode, type Origin, UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { LanguageOf } from '../core/languages.js'
import type { Logger } from '../core/logger.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import { answerRefusal } from '../http/answer.js'
import type { Gate } from '../http/gate.js'
import type { RefusalAnswer } from '../http/refusals.js'
import type { Sessions } from '../tokens/sessions.js'
import type { Authenticator } from '../users/login/authenticator.js'
import type { PortalCookie } from './cookie.js'
import type { LoginPage } from './login-page.js'
import { isNavigation, readMount } from './navigation.js'
import { answerPage, type PortalView } from './page.js'
import type { PortalSignIn } from './portal-sign-in.js'
import { answerOwnRefusalPage, builtInRefusalPage, type Refusal, type RefusalPage } from './refusal-page.js'
import type { SecondFactorPage } from './second-page.js'
import type { SecondStepParts } from './second-step.js'
import type { SingleSignOn } from './single-sign-on.js'
import { english } from './texts/en.js'
import { type Texts, textsIn } from './texts/texts.js'

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

/** How the pages of refusals look. */
export interface RefusalPages {
  readonly languageOf: LanguageOf
  /** The portal that they belong to. Absent: none. */
  readonly portal?:
    | {
        readonly name: string
        /** As the configuration in effect says. */
        readonly view: () => PortalView
        /** The page of the app. Absent: the built-in one. */
        readonly refusalPage?: RefusalPage | undefined
        /** Sets the headers of pages of the app, which a request that is refused early does not have yet. */
        readonly setHeaders: Gate
        readonly logger: Logger
      }
    | undefined
}

/** Answers refusals of a portal, or of another mount that people open. */
export function portalRefusalAnswer({ languageOf, portal }: RefusalPages): RefusalAnswer {
  function describe(error: HttpError, request: Request, reference: string | undefined): Refusal {
    const { status, code } = error
    const language = languageOf(request)
    // Only where the page says that it is the address: an operator may have chosen another status to say nothing.
    const isOfAddress = code === 'ERR_IP_NOT_ALLOWED' && status === 403
    return {
      ...{ status, code, language, reference },
      message: messageForPeople(error, textsIn(language)),
      address: isOfAddress ? (clientAddress(request) ?? textsIn(language).refusal.unknownAddress) : undefined,
      signOutAction: hasSignOut.has(code) ? `${readMount(request)}/logout` : undefined,
    }
  }

  return {
    createReference: (request) => (isNavigation(request) ? randomBytes(6).toString('hex') : undefined),

    answer(error, request, response, reference) {
      if (response.headersSent || !isNavigation(request)) {
        answerRefusal(error, request, response)
        return
      }
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
      const refusal = describe(error, request, reference)
      const view = portal?.view()
      const answerBuiltIn = (): void => answerPage(response, error.status, builtInRefusalPage(refusal, view))
      if (portal?.refusalPage === undefined) {
        answerBuiltIn()
        return
      }
      const { name, refusalPage, setHeaders, logger } = portal
      const own = { portal: name, ...portal.view(), ...refusal }
      inBackground(async () => {
        await setHeaders(request, response)
        if (!(await answerOwnRefusalPage(refusalPage, own, request, response, logger))) answerBuiltIn()
      })
    },
  }
}

/** What pages say of a refusal that has a text of its own, in place of that of its code. */
const ownTexts = new WeakMap<HttpError, (texts: Texts) => string>()

/** Makes a refusal with a text of its own: programs get it in English, and pages show it in the language of their reader. */
export function worded<Refused extends HttpError>(
  text: (texts: Texts) => string,
  create: (message: string) => Refused,
): Refused {
  const error = create(text(english))
  ownTexts.set(error, text)
  return error
}

/** The message of a refusal on a page: what happened and what its reader can do, with the time to wait where the server knows it. */
export function messageForPeople(error: HttpError, texts: Texts): string {
  const text = ownTexts.get(error)?.(texts) ?? texts.refusals[error.code] ?? error.message
  const seconds = Number(error.headers['Retry-After'])
  return seconds > 0 ? text.replace(texts.tryAgainLater, () => texts.tryAgainIn(seconds)) : text
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
  readonly languageOf: LanguageOf
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
