/**
 * What a router of Express keeps of each `use` and of each route. None of it is documented, and releases differ: Express 4.21, router
 * 2.2 and router 2.3 are known here.
 *
 * @module
 */

import type { Express } from 'express'

/** One `use` of a handler, or one route. */
export interface Layer {
  readonly handle: unknown
  readonly route?: Route | undefined
  /** Matches a path. What the mount takes of it is in the answer since router 2.3, and before that in the layer. */
  match(path: string): boolean | Taken
  readonly path?: string | undefined
  /** The path as it was written. Router 2.3 only. */
  readonly rawPath?: unknown
  /** Router 2: one function for each path. */
  readonly matchers?: readonly ((path: string) => unknown)[] | undefined
  /** Express 4: of all its paths. */
  readonly regexp?: RegExp | undefined
  /** Express 4: the parameters in the path. */
  readonly keys?: readonly { readonly name: string | number }[] | undefined
}

export interface Route {
  readonly path: unknown
  readonly methods: Readonly<Record<string, boolean>>
  /** `method` is missing for what answers all of them. */
  readonly stack: readonly { readonly handle: unknown; readonly method?: string | undefined }[]
}

interface Taken {
  readonly path?: string | undefined
}

/** Express 4 has no public name for its router, and throws for the one that Express 5 has. */
export function findRootRouter(app: Express): unknown {
  return (app as { readonly _router?: unknown })._router ?? app.router
}

/** The router that a handler is, or that the app has which it is; the handler itself where it is neither. */
export function routerIn(handle: unknown): unknown {
  try {
    return findRootRouter(handle as Express) ?? handle
  } catch {
    return handle
  }
}

/** Everything that a router keeps; `undefined` for what is no router. */
export function readStack(router: unknown): readonly unknown[] | undefined {
  const stack = (router as { readonly stack?: unknown } | undefined)?.stack
  return Array.isArray(stack) ? stack : undefined
}

export function listLayers(router: unknown): readonly Layer[] {
  return (readStack(router) ?? []).filter(isLayer)
}

export function isLayer(value: unknown): value is Layer {
  return typeof (value as Layer | undefined)?.match === 'function'
}

/** What a layer leaves of a path; `undefined` where it does not match. */
export function restBelow(layer: Layer, rest: string): string | undefined {
  const match = layer.match(rest || '/')
  if (match === false) return undefined
  const { path } = typeof match === 'object' ? match : layer
  if (path === undefined) throw new TypeError('this kind of router is not known')
  return rest.slice(path.replace(/\/$/, '').length)
}

/**
 * The app that `app.use(path, subApp)` has wrapped in a function of Express' own; `undefined` for any other function. The wrapper is
 * called with a request that tells which app takes it, and that no handler gets.
 */
export function subAppIn(handle: unknown): Express | undefined {
  if (typeof handle !== 'function' || handle.name !== 'mounted_app') return undefined
  if (!/\bfn\.handle\(req, res, function/.test(String(handle))) return undefined
  let found: Express | undefined
  const own = { url: '/', method: 'GET', query: {}, app: { request: {}, response: {} } }
  const request = new Proxy(own, {
    // An app takes over a request by giving it a prototype, before its first handler. From then on nothing is to be matched.
    setPrototypeOf(_request, prototype) {
      found ??= (prototype as { readonly app?: Express } | null)?.app
      return true
    },
    get(target, name) {
      if (found !== undefined && name === 'url') throw new Error('found')
      return Reflect.get(target, name) as unknown
    },
  })
  try {
    handle(request, { setHeader: () => undefined }, () => undefined)
  } catch {
    // Express 5 passes the error of `url` on, Express 4 keeps it.
  }
  return found
}

/** The router that answers in place of a handler: the handler itself, or that of an app; `undefined` for any other function. */
export function innerRouterIn(handle: unknown): unknown {
  const router = routerIn(handle)
  if (readStack(router) !== undefined) return router
  const app = subAppIn(handle)
  return app && routerIn(app)
}
