/**
 * Whether a mount leaves a gate the path that its rules are for. `app.use('/api', gate)` takes `/api` off the path, a
 * wildcard takes all of it, a route takes nothing: then the rules of the gate are about other paths than those it sees.
 *
 * @module
 */

import type { Express, NextFunction, Request, RequestHandler } from 'express'
import { HttpError } from '../core/errors.js'
import { isInside, isPrefixAt } from '../internal/mounted-at.js'

/** What a request looked like before a mount took something of its path that may be for the rules. */
export interface Swallowed {
  /** The path with the mount. */
  readonly wholePath: string
  /** Whether the path below the mount is what the client meant by it: see {@link isOwnRoot}. */
  readonly isRoot: () => boolean
}

/** Handlers whose gates read the path. */
const pathHandlers = new WeakSet<RequestHandler>()

/** Registers a handler whose gates read the path. */
export function addPathHandler(handler: RequestHandler): void {
  pathHandlers.add(handler)
}

/** Requests that a handler may have got as part of a route. */
const maybeRouted = new WeakSet<Request>()

/**
 * The refusal of a request (500, `ERR_MOUNT_PATH`) that came by a route or a wildcard. `next` is what the handler was given.
 *
 * The `route` of a request stays there for whatever is mounted after the route. A handler that another function calls, as tracers
 * do, is not found in the route; then only `next` tells, which is the router's own for what is no part of a route.
 */
export function mountRefusal(request: Request, next: NextFunction, handler: RequestHandler): HttpError | undefined {
  const { route, params } = request
  if (route !== undefined) {
    if (isInside(route, handler)) return wrongMount('it is part of a route (app.get, app.all, app.route)')
    if (next !== request.next) maybeRouted.add(request)
  }
  for (const name in params) {
    if (Array.isArray(params[name]) || /^\d+$/.test(name)) {
      return wrongMount('its path has a wildcard or an unnamed group')
    }
  }
  return undefined
}

/** The refusal for a mount that the rules of a handler cannot be read under. `fact` is private. */
export function wrongMount(fact: string): HttpError {
  const reason = `a handler that reads the path does not see it: ${fact}; mount it with app.use at a plain path, as in app.use('/api', handler)`
  return new HttpError(500, 'ERR_MOUNT_PATH', 'The server is not set up correctly. The log has the reason.', {
    cause: new Error(reason),
  })
}

/**
 * What a mount has taken off a path, where that may be more than a prefix, or less: it has named parameters, nothing is left of
 * the path, as below a regular expression, or it may be a route. `undefined` for any other mount.
 */
export function swallowedOf(request: Request): Swallowed | undefined {
  const { baseUrl, path, params, route } = request
  const hasSwallowed = baseUrl !== '' && (path === '/' || hasNames(params))
  if (!hasSwallowed && (route === undefined || !maybeRouted.has(request))) return undefined
  return { wholePath: baseUrl + path, isRoot: () => isOwnRoot(request) }
}

/**
 * Whether a path of `/` is the root of a mount, and not what a regular expression has left of a longer path. What does not show
 * in the app's own router, as in a sub-app, is taken for the latter.
 */
export function isOwnRoot({ app, baseUrl, path }: Request): boolean {
  return path !== '/' || baseUrl === '' || isPrefixAt(app as Express, pathHandlers, baseUrl)
}

/**
 * Whether a request is for `path` below a mount that has swallowed it: sent there, a browser is sent there again, and so on.
 */
export function hidesPath(request: Request, path: string): boolean {
  return request.path === '/' && request.baseUrl.toLowerCase().endsWith(path) && !isOwnRoot(request)
}

function hasNames(params: Request['params'] | undefined): boolean {
  for (const _name in params) return true
  return false
}
