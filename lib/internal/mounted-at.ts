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

/**
 * Whether one of the handlers is mounted at a path. `undefined` where none is found, as behind a sub-app or in another
 * function, and where the router is of a kind that is not known: then only a request can tell. As it rests on what is not
 * documented, it is good for a hint only.
 */
export function isMountedAt(app: Express, handlers: ReadonlySet<unknown>, path: string): boolean | undefined {
  try {
    const places = [...placesIn(rootRouterOf(app), path, handlers, [])]
    return places.length === 0 ? undefined : places.includes(true)
  } catch {
    return undefined
  }
}

/** Express 4 has no public name for its router, and throws for the one that Express 5 has. */
function rootRouterOf(app: Express): unknown {
  return (app as { readonly _router?: unknown })._router ?? app.router
}

/** For each mount of a handler, whether it takes all of `rest`. `rest`: `undefined` below a mount that is not on the way. */
function* placesIn(
  router: unknown,
  rest: string | undefined,
  handlers: ReadonlySet<unknown>,
  above: readonly unknown[],
): Generator<boolean> {
  // A router may be mounted in itself.
  if (above.includes(router)) return
  for (const layer of layersOf(router)) {
    const left = rest === undefined ? undefined : restBelow(layer, rest)
    if (handlers.has(layer.handle)) yield left === ''
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
