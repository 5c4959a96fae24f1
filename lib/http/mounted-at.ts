/**
 * Where a handler is mounted in an app, as far as that can be known before the first request.
 *
 * @module
 */

import type { Express, NextFunction, Request, RequestHandler } from 'express'
import { HttpError } from '../core/errors.js'
import { findRootRouter, listLayers, restBelow, routerIn } from './express/layers.js'

type Handlers = Pick<ReadonlySet<unknown>, 'has'>

/**
 * Whether one of the handlers is mounted at a path; `undefined` where only a request can tell, as behind a sub-app. As it
 * rests on what Express does not document, it is good for a hint only.
 */
export function isMountedAt(app: Express, handlers: Handlers, path: string): boolean | undefined {
  try {
    const places = [...placesIn(findRootRouter(app), path, handlers, [])]
    return places.length === 0 ? undefined : places.includes('')
  } catch {
    return undefined
  }
}

/** Whether a path is below one of the handlers. `true` where that cannot be told of one of them, as behind a sub-app. */
export function isBelow(app: Express, handlers: ReadonlySet<unknown>, path: string): boolean {
  try {
    const router = findRootRouter(app)
    return [...handlers].some((handler) => {
      const places = [...placesIn(router, path, new Set([handler]), [])]
      return places.length === 0 || places.some((place) => place !== undefined)
    })
  } catch {
    return true
  }
}

/** Whether one takes a path and nothing of what is below it. `false` where that cannot be told. */
export function isPrefixAt(app: Express, handlers: Handlers, path: string): boolean {
  try {
    return [...placesIn(findRootRouter(app), `${path}/x`, handlers, [])].includes('/x')
  } catch {
    return false
  }
}

/** Whether it is part of a route, of a router, or of a router or app in it. `false` where that cannot be told. */
export function isInside(holder: unknown, handler: unknown, above: readonly unknown[] = []): boolean {
  if (above.includes(holder)) return false
  return listLayers(holder).some(
    ({ handle }) => handle === handler || isInside(routerIn(handle), handler, [...above, holder]),
  )
}

/** For each mount of a handler, what it leaves of `rest`: `undefined` below a mount that is not on the way. */
function* placesIn(
  router: unknown,
  rest: string | undefined,
  handlers: Handlers,
  above: readonly unknown[],
): Generator<string | undefined> {
  // A router may be mounted in itself.
  if (above.includes(router)) return
  for (const layer of listLayers(router)) {
    const left = rest === undefined ? undefined : restBelow(layer, rest)
    if (handlers.has(layer.handle)) yield left
    else yield* placesIn(layer.handle, left, handlers, [...above, router])
  }
}

/** What a request looked like before a mount took something of its path that may be for the rules. */
export interface Swallowed {
  readonly wholePath: string
  /** Whether the path below the mount is what the client meant by it: see {@link isOwnRoot}. */
  readonly isRoot: () => boolean
}

const pathHandlers = new WeakSet<RequestHandler>()

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
 * What a mount has taken off a path, where that may be more than a prefix, or less: it has named parameters, leaves nothing,
 * or may be a route. `undefined` for any other mount.
 */
export function readSwallowed(request: Request): Swallowed | undefined {
  const { baseUrl, path, params, route } = request
  const hasSwallowed = baseUrl !== '' && (path === '/' || hasNames(params))
  if (!hasSwallowed && (route === undefined || !maybeRouted.has(request))) return undefined
  return { wholePath: baseUrl + path, isRoot: () => isOwnRoot(request) }
}

/**
 * Whether `/` is the root of a mount, and not what a regular expression has left of a longer path. What does not show in the
 * app's own router is taken for the latter.
 */
export function isOwnRoot({ app, baseUrl, path }: Request): boolean {
  return path !== '/' || baseUrl === '' || isPrefixAt(app as Express, pathHandlers, baseUrl)
}

/** Whether a request is for `path` below a mount that has swallowed it: a redirect to it would repeat for ever. */
export function hidesPath(request: Request, path: string): boolean {
  return request.path === '/' && request.baseUrl.toLowerCase().endsWith(path) && !isOwnRoot(request)
}

function hasNames(params: Request['params'] | undefined): boolean {
  for (const _name in params) return true
  return false
}

/** The scheme and host of a request line in absolute form (RFC 9112 section 3.2.2). */
const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/** As the client sent it and, where a middleware has rewritten the URL, as routers will see it. Neither is decoded. */
export function wholePaths({ originalUrl, baseUrl, path }: Request): readonly string[] {
  const sent = originalUrl.replace(origin, '').split('?', 1)[0]!
  const routed = baseUrl + path
  return sent === routed ? [sent] : [sent, routed]
}
