/**
 * Authorization by path: which of the authenticated callers may go on. It stands after authentication.
 *
 * @module
 */

import type { Request, RequestHandler } from 'express'
import type { DefaultPolicy } from '../config/config.js'
import { type Auth, findAuth } from '../core/auth.js'
import { ForbiddenError, type HttpError, type Origin, UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import type { Gate } from '../http/gate.js'
import { readSwallowed } from '../http/mounted-at.js'
import { standAlone } from '../http/refusals.js'
import { ambiguousPath } from '../paths/public-path.js'
import { compilePathRules, type PathRule, type Requirement } from '../paths/rules.js'

export type { PathRule }

/** Options of {@link pathAuthorization}. */
export interface PathAuthorizationOptions {
  /** The protected paths, relative to the mount. Every rule that matches has to be met. */
  readonly rules: readonly PathRule[]

  /** What holds where no rule matches; `'deny'` refuses administrators too. @defaultValue `'authenticated'` */
  readonly defaultPolicy?: DefaultPolicy | undefined

  /** What the log names when the default policy refuses. @defaultValue `{ key: 'defaultPolicy' }` */
  readonly defaultOrigin?: Origin | undefined

  /** Paths that anybody may GET and HEAD, exactly as spelled here, whatever the rules say. @defaultValue `[]` */
  readonly publicPaths?: readonly string[] | undefined

  /** What is told to whoever asks why a public path passes. @defaultValue `{ key: 'publicPaths' }` */
  readonly publicOrigin?: Origin | undefined

  /** Whether authentication is switched off as a whole: protected paths are then refused to all. @defaultValue `false` */
  readonly skipAuthentication?: boolean | undefined

  /** Whether the rules hold for a caller; the others pass, but where `'deny'` refuses all. @defaultValue for every caller */
  readonly applyTo?: ((auth: Auth) => boolean) | undefined

  /**
   * Whether the resource itself decides on a request: any authenticated caller passes the rules, but where `'deny'` refuses
   * all.
   * @defaultValue the rules decide
   */
  readonly leaveToResource?: ((request: Request) => boolean) | undefined

  /** Gets the reason when the mount hides the path, unless `events` does. @defaultValue one line to stderr */
  readonly logger?: Logger | undefined

  /** Told of each refusal. @defaultValue `errorResponses` reports it */
  readonly events?: SecurityEvents | undefined
}

/**
 * Lets a request pass when the rules for its path allow it to the caller that an authentication gate has found.
 *
 * A path is read in every way in which a router may read it (escapes, case, slashes, dots, `;` parameters, decoded `?` and
 * `#`), and the strictest verdict holds; nothing is rewritten. Mount it together with the routes that it protects, so that
 * guard and router see the same path, by `app.use` at a plain path. Where the path of the mount has named parameters, or is a
 * regular expression that leaves nothing of the path, the rules hold for every end of the whole path as well.
 *
 * @example
 * ```ts
 * app.use('/management', bearerAuthentication({ tokens }), pathAuthorization({ rules: [{ path: '/users' }] }), routes)
 * ```
 *
 * @returns A handler that passes to `next()`: 401; 403 (`ERR_ADMIN_REQUIRED`, `ERR_ROLE_REQUIRED`, `ERR_PATH_DENIED`); 400
 * (`ERR_PATH_AMBIGUOUS`) for an escape that cannot be decoded, where only some readings are public, and for a path of more
 * than 2048 characters with several readings; 500 (`ERR_MOUNT_PATH`) as part of a route, and below a wildcard or an unnamed
 * group.
 * @throws `ConfigError` at start-up, naming every malformed rule.
 */
export function pathAuthorization(options: PathAuthorizationOptions): RequestHandler {
  const authenticates = options.skipAuthentication !== true
  const gates = [pathAuthorizationGate(options)]
  const askedRoles = options.rules.flatMap(({ roles = [] }) => roles)
  return standAlone({ gates, readsPath: true, authenticates, askedRoles }, options)
}

export function pathAuthorizationGate(options: PathAuthorizationOptions): Gate {
  const { defaultPolicy = 'authenticated', skipAuthentication = false } = options
  const { applyTo = () => true, leaveToResource = () => false, publicOrigin = { key: 'publicPaths' } } = options
  const pathRules = compilePathRules({ ...options, defaultPolicy })

  return function pathAuthorizationGate(request, _response, trace) {
    const { method, path } = request
    const requirement = pathRules.decide(method, path, readSwallowed(request))
    if (requirement === 'public') {
      trace?.rule(publicOrigin, 'passed', 'authorization')
      return undefined
    }
    if (requirement === 'ambiguous') return ambiguousPath()
    const refusal = refusalFor(request, requirement)
    const effect = refusal === undefined ? 'passed' : 'refused'
    trace?.rule(refusal?.origin ?? requirement.origin, effect, 'authorization')
    return refusal
  }

  function refusalFor(request: Request, requirement: Requirement): HttpError | undefined {
    const { level, origin } = requirement
    const auth = findAuth(request)
    if (auth !== undefined) {
      if (level === 'deny') return pathDenied(origin)
      if (level === 'authenticated' || auth.isAdmin || leaveToResource(request) || !applyTo(auth)) return undefined
      return missingRight(auth, requirement)
    }
    if (!skipAuthentication) return authenticationRequired()
    return level === 'authenticated' ? undefined : pathDenied(origin)
  }
}

function missingRight(auth: Auth, { level, roles, origin }: Requirement): HttpError | undefined {
  const headers = challengeFor(auth)
  if (level === 'admin') {
    return new ForbiddenError('ERR_ADMIN_REQUIRED', 'Only administrators may do this.', { headers, origin })
  }
  const missing = roles.find(({ anyOf }) => !auth.roles.some((role) => anyOf.has(role)))
  if (missing === undefined) return undefined
  return new ForbiddenError('ERR_ROLE_REQUIRED', 'This needs a role that the caller does not have.', {
    headers,
    origin: missing.origin,
  })
}

function authenticationRequired(): HttpError {
  return new UnauthorizedError('ERR_AUTH_REQUIRED', 'Authentication is required.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="Sallyport"' },
  })
}

function pathDenied(origin: Origin): HttpError {
  return new ForbiddenError('ERR_PATH_DENIED', 'Access to this path is denied.', { origin })
}

/** RFC 6750 section 3.1. The challenge is for callers that sent a bearer token; others could do nothing with it. */
function challengeFor({ kind }: Auth): Readonly<Record<string, string>> {
  if (kind === 'portal' || kind === 'basic') return {}
  return { 'WWW-Authenticate': 'Bearer realm="Sallyport", error="insufficient_scope"' }
}
