/**
 * Authorization by path: which of the authenticated callers may go on. It stands after authentication.
 *
 * @module
 */

import type { Request, RequestHandler } from 'express'
import type { DefaultPolicy } from '../config/config.js'
import { type Auth, findAuth } from '../core/auth.js'
import { ForbiddenError, type HttpError, UnauthorizedError } from '../core/errors.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import { swallowedOf } from '../http/mount-path.js'
import { standAlone } from '../internal/facet-refusal.js'
import type { Gate } from '../internal/gate.js'
import { compilePathRules, type Demand, type PathRule } from '../internal/path-rules.js'
import { ambiguousPath } from '../internal/public-path.js'

export type { PathRule }

/** Options of {@link pathAuthorization}. */
export interface PathAuthorizationOptions {
  /**
   * The protected paths, relative to the mount. Every rule that matches has to be met.
   *
   * @example [{ path: '/users' }, { path: '/apis', methods: ['POST', 'DELETE'], roles: ['publisher'] }]
   */
  readonly rules: readonly PathRule[]

  /**
   * What holds where no rule matches: `'authenticated'`: any authenticated caller; `'admin'`: administrators;
   * `'deny'`: nobody, administrators neither.
   *
   * @defaultValue `'authenticated'`
   */
  readonly defaultPolicy?: DefaultPolicy | undefined

  /**
   * Paths that anybody may GET and HEAD, exactly as spelled here: neither other letters nor a trailing slash, and
   * nothing below them. They go before the rules.
   *
   * @defaultValue `[]`
   */
  readonly publicPaths?: readonly string[] | undefined

  /**
   * Whether authentication is switched off as a whole. Then nobody can show a right: protected paths are refused to
   * all, and what needs no more than authentication passes.
   *
   * @defaultValue `false`
   */
  readonly isAuthenticationOff?: boolean | undefined

  /**
   * Whether the rules hold for a caller. Callers they do not hold for pass everywhere, but where `'deny'` refuses all.
   *
   * @defaultValue they hold for every caller
   */
  readonly appliesTo?: ((auth: Auth) => boolean) | undefined

  /**
   * Whether the resource itself decides who may make this request. Then any authenticated caller passes the rules, but
   * where `'deny'` refuses all.
   *
   * @defaultValue the rules decide
   */
  readonly isLeftToResource?: ((request: Request) => boolean) | undefined

  /**
   * Gets the reason when the mount hides the path from the rules, unless `events` does.
   *
   * @defaultValue one JSON line to stderr
   */
  readonly logger?: Logger | undefined

  /** Told of each refusal. @defaultValue `errorResponses` reports it */
  readonly events?: SecurityEvents | undefined
}

/**
 * Lets a request pass when the rules for its path allow it to the caller that an authentication gate has found.
 *
 * A path is judged in every way in which a router may read it (escapes, case, slashes, dots, `;` parameters, decoded `?`
 * and `#`), and the strictest verdict holds; nothing is rewritten. Mount it together with the routes it guards, so that
 * guard and router see the same path, by `app.use` at a plain path. Where the path of the mount has named parameters, or is a
 * regular expression that leaves nothing of the path, the rules hold for every end of the whole path as well.
 *
 * @example
 * ```ts
 * app.use('/management', bearerAuthentication({ tokens }), pathAuthorization({ rules: [{ path: '/users' }] }), routes)
 * ```
 *
 * @returns A handler that passes to `next()`: {@link UnauthorizedError} (401) where nobody is authenticated;
 * {@link ForbiddenError} (403, `ERR_ADMIN_REQUIRED`, `ERR_ROLE_REQUIRED` or `ERR_PATH_DENIED`); {@link BadRequestError}
 * (400, `ERR_PATH_AMBIGUOUS`) for an escape that cannot be decoded, where only some readings are public, and for a path of
 * more than 2048 characters that can be read in several ways; and 500 (`ERR_MOUNT_PATH`) as part of a route, and below a
 * wildcard or an unnamed group.
 * @throws {@link ConfigError} at start-up, naming every malformed rule.
 */
export function pathAuthorization(options: PathAuthorizationOptions): RequestHandler {
  return standAlone({ gates: [pathAuthorizationGate(options)], readsPath: true }, options)
}

/** The gate behind {@link pathAuthorization}, for wiring into a facet. */
export function pathAuthorizationGate({
  rules,
  defaultPolicy = 'authenticated',
  publicPaths,
  isAuthenticationOff = false,
  appliesTo = () => true,
  isLeftToResource = () => false,
}: PathAuthorizationOptions): Gate {
  const pathRules = compilePathRules({ rules, defaultPolicy, publicPaths })

  return function pathAuthorizationGate(request) {
    const { method, path } = request
    const demand = pathRules.decide(method, path, swallowedOf(request))
    if (demand === 'public') return undefined
    if (demand === 'ambiguous') return ambiguousPath()

    const auth = findAuth(request)
    if (auth !== undefined) {
      const isLeft = demand.level !== 'deny' && isLeftToResource(request)
      return isLeft ? undefined : refusalFor(auth, demand, appliesTo)
    }
    if (!isAuthenticationOff) return authenticationRequired()
    return demand.level === 'authenticated' ? undefined : pathDenied()
  }
}

function refusalFor(auth: Auth, demand: Demand, appliesTo: (auth: Auth) => boolean): HttpError | undefined {
  if (demand.level === 'deny') return pathDenied()
  if (auth.isAdmin || demand.level === 'authenticated' || !appliesTo(auth)) return undefined
  if (demand.level === 'admin') {
    return new ForbiddenError('ERR_ADMIN_REQUIRED', 'Only administrators may do this.', { headers: challengeFor(auth) })
  }
  const hasOneOfEach = demand.roles.every((roles) => auth.roles.some((role) => roles.has(role)))
  if (hasOneOfEach) return undefined
  return new ForbiddenError('ERR_ROLE_REQUIRED', 'This needs a role that the caller does not have.', {
    headers: challengeFor(auth),
  })
}

function authenticationRequired(): HttpError {
  return new UnauthorizedError('ERR_AUTH_REQUIRED', 'Authentication is required.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="Sallyport"' },
  })
}

function pathDenied(): HttpError {
  return new ForbiddenError('ERR_PATH_DENIED', 'This path is closed.')
}

/** RFC 6750 section 3.1. The challenge is for callers that sent a bearer token; others could do nothing with it. */
function challengeFor({ kind }: Auth): Readonly<Record<string, string>> {
  if (kind !== 'management' && kind !== 'oauth') return {}
  return { 'WWW-Authenticate': 'Bearer realm="Sallyport", error="insufficient_scope"' }
}
