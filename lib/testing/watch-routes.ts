/**
 * What routes of an app do while its tests run: which ones ran without a verdict, and which ones no test has reached.
 *
 * @module
 */

import type { Express, Request } from 'express'
import { findAuth } from '../core/auth.js'
import { listPlacedRoutes, type PlacedRoute } from '../http/express/app-routes.js'
import { watchLayerCalls } from '../http/express/layer-calls.js'
import { findGateRow } from '../http/gate.js'

/** A handler of a route that ran before any gate had let the request pass. */
export interface UnguardedRun {
  /** Of the request. */
  readonly method: string
  /** Of the request, without the query. */
  readonly path: string
  /** The route as it was written. */
  readonly route: string
  /** The stack of the call. */
  readonly stack: string
}

/** What {@link watchRoutes} notes. */
export interface RouteWatch {
  /** In the order in which they ran; each route is there once. */
  readonly unguarded: readonly UnguardedRun[]
  /** The routes that have not run, as `GET /apis/:id`. */
  listUnreached(): readonly string[]
  /** Leaves the app as it was. */
  stop(): void
}

/**
 * Watches the routes of an app, all of which are mounted by now. With router 2.3, which Express 5.3 has, its diagnostics channel
 * `express.router.request` tells which handlers run; with any other, the layers of the routers tell, until `stop`.
 *
 * @example
 * ```ts
 * const watch = watchRoutes(app)
 * afterAll(() => {
 *   watch.stop()
 *   expect(watch.unguarded).toEqual([])
 *   expect(watch.listUnreached()).toEqual([])
 * })
 * ```
 */
export function watchRoutes(app: Express): RouteWatch {
  const routes = listPlacedRoutes(app).filter(({ layer }) => layer.route !== undefined)
  const byPart = new Map<object, PlacedRoute>(
    routes.flatMap((route) => partsOf(route).map((part) => [part, route] as const)),
  )
  const passed = new WeakSet<object>()
  const reached = new Set<PlacedRoute>()
  const unguarded = new Map<PlacedRoute, UnguardedRun>()

  const stop = watchLayerCalls(app, (layer, handler, request) => {
    // Nothing behind a gate runs unless it lets the request pass.
    if (findGateRow(handler)?.authenticates === true) passed.add(request)
    const route = byPart.get(layer)
    if (route === undefined) return
    reached.add(route)
    if (passed.has(request) || findAuth(request) !== undefined || unguarded.has(route)) return
    unguarded.set(route, runOf(route, request))
  })

  return {
    get unguarded() {
      return [...unguarded.values()]
    },
    listUnreached: () => routes.filter((route) => !reached.has(route)).map(nameOf),
    stop,
  }
}

/** What of a route holds the handler that answers. */
function partsOf({ layer, method, handler }: PlacedRoute): readonly object[] {
  const stack = layer.route?.stack ?? []
  return stack.filter(
    (part) =>
      part.handle === handler &&
      (method === 'ALL' || part.method === undefined || part.method === method.toLowerCase()),
  )
}

function runOf(route: PlacedRoute, { method, originalUrl }: Request): UnguardedRun {
  const [path = ''] = originalUrl.split('?', 1)
  const { stack = '' } = new Error(`${nameOf(route)} ran before any gate`)
  return { method, path, route: nameOf(route), stack }
}

function nameOf({ method, path }: PlacedRoute): string {
  return `${method} ${path}`
}
