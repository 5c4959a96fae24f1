/**
 * The gates that a request would meet in an app, as its routers show them. No handler is called.
 *
 * @module
 */

import type { Express } from 'express'
import { findGateRow } from '../gate.js'
import { listPaths } from './layer-paths.js'
import { innerRouterIn, type Layer, listLayers, restBelow, routerIn } from './layers.js'

/** One handler of gates. */
export interface RowOnTheWay {
  readonly handler: unknown
  /** The path of its mount as it was written, without a slash at the end. */
  readonly at: string
  /** Whether it is part of a route. */
  readonly isInRoute: boolean
}

/** The handlers of gates in the order of the routers, up to the first route that answers the method, or to the layer `until`. */
export function listRowsOnTheWay(app: Express, method: string, path: string, until?: Layer): readonly RowOnTheWay[] {
  const found: RowOnTheWay[] = []
  walk(routerIn(app), path, '', [])
  return found

  /** Whether something ends the way. */
  function walk(router: unknown, rest: string, at: string, above: readonly unknown[]): boolean {
    if (above.includes(router)) return false
    for (const layer of listLayers(router)) {
      const left = restBelow(layer, rest)
      if (left === undefined) continue
      const place = at + writtenPath(layer, rest, left)
      if (layer.route !== undefined) {
        const row = layer.route.stack.filter(
          (part) => part.method === undefined || part.method === method.toLowerCase(),
        )
        found.push(
          ...row
            .filter(({ handle }) => isRow(handle))
            .map(({ handle }) => ({ handler: handle, at: place, isInRoute: true })),
        )
        const ends = row.some(({ handle }) => typeof handle === 'function' && handle.length < 3)
        if (layer === until || (until === undefined && ends)) return true
        continue
      }
      if (layer === until) return true
      if (isRow(layer.handle)) found.push({ handler: layer.handle, at: place, isInRoute: false })
      const inner = innerRouterIn(layer.handle)
      if (inner !== undefined && walk(inner, left, place, [...above, router])) return true
    }
    return false
  }
}

function isRow(handle: unknown): boolean {
  return findGateRow(handle) !== undefined
}

/** The path as it was written, where there is one; else the part of the request that it has matched. */
function writtenPath(layer: Layer, rest: string, left: string): string {
  const written = listPaths(layer)
  const [path] = written
  const matched = rest.slice(0, rest.length - left.length)
  return (written.length === 1 && path !== undefined ? path : matched).replace(/\/$/, '')
}
