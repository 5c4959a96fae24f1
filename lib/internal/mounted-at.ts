/**
 * Where a handler is mounted in an app, as far as that can be known before the first request.
 *
 * @module
 */

import type { Express } from 'express'

/** What a router keeps of each `use`. It is not documented, and releases of Express differ. */
interface Layer {
  readonly handle: unknown
  /** Matches a path. What the mount takes of it is in the answer since router 2.3, and before that in the layer. */
  match(path: string): boolean | Taken
  readonly path?: string | undefined
}

interface Taken {
  readonly path?: string | undefined
}

/** Those that are looked for. */
type Handlers = Pick<ReadonlySet<unknown>, 'has'>

/**
 * Whether one of the handlers is mounted at a path. `undefined` where none is found, as behind a sub-app or in another
 * function, and where the router is of a kind that is not known: then only a request can tell. As it rests on what is not
 * documented, it is good for a hint only.
 */
export function isMountedAt(app: Express, handlers: Handlers, path: string): boolean | undefined {
  try {
    const places = [...placesIn(rootRouterOf(app), path, handlers, [])]
    return places.length === 0 ? undefined : places.includes('')
  } catch {
    return undefined
  }
}

/**
 * Whether one of the handlers is mounted so that it takes a path, and nothing of what is below. `false` where that cannot be
 * told.
 */
export function isPrefixAt(app: Express, handlers: Handlers, path: string): boolean {
  try {
    return [...placesIn(rootRouterOf(app), `${path}/x`, handlers, [])].includes('/x')
  } catch {
    return false
  }
}

/** Whether a handler is part of a route, of a router, or of a router or app in it. `false` where that cannot be told. */
export function isInside(holder: unknown, handler: unknown, above: readonly unknown[] = []): boolean {
  if (above.includes(holder)) return false
  return layersOf(holder).some(
    ({ handle }) => handle === handler || isInside(routerIn(handle), handler, [...above, holder]),
  )
}

/** The router of an app; anything else as it is. */
function routerIn(handle: unknown): unknown {
  try {
    return rootRouterOf(handle as Express) ?? handle
  } catch {
    return handle
  }
}

/** Express 4 has no public name for its router, and throws for the one that Express 5 has. */
function rootRouterOf(app: Express): unknown {
  return (app as { readonly _router?: unknown })._router ?? app.router
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
  for (const layer of layersOf(router)) {
    const left = rest === undefined ? undefined : restBelow(layer, rest)
    if (handlers.has(layer.handle)) yield left
    else yield* placesIn(layer.handle, left, handlers, [...above, router])
  }
}

function layersOf(router: unknown): readonly Layer[] {
  const stack = (router as { readonly stack?: unknown } | undefined)?.stack
  return Array.isArray(stack) ? stack.filter((layer) => typeof layer?.match === 'function') : []
}

function restBelow(layer: Layer, rest: string): string | undefined {
  const match = layer.match(rest || '/')
  if (match === false) return undefined
  const { path } = typeof match === 'object' ? match : layer
  if (path === undefined) throw new TypeError('this kind of router is not known')
  return rest.slice(path.replace(/\/$/, '').length)
}
