/**
 * Mounts that come too late: NestJS adds its routes at once, and what is mounted after them gets no request of theirs.
 *
 * @module
 */

import type { Express } from 'express'
import { findGateRow } from '../gate.js'
import { findRootRouter, type Layer, listLayers, restBelow } from './layers.js'

/**
 * The paths of the routes that a mount would guard if it came before them; none where anything follows the mount, which may be
 * what it is for. As it rests on what Express does not document, it is good for a hint only.
 */
export function listRoutesBefore(app: Express, mount: unknown): readonly string[] {
  try {
    const layers = listLayers(findRootRouter(app))
    const index = layers.findIndex(({ handle }) => handle === mount)
    const own = layers[index]
    if (own === undefined || layers.slice(index + 1).some(mayAnswer)) return []
    const paths = layers.slice(0, index).map(({ route }) => route?.path)
    return [...new Set(paths)].filter(
      (path) => typeof path === 'string' && restBelow(own, path) !== undefined,
    ) as string[]
  } catch {
    return []
  }
}

/** A mount answers what is its own, and a function of four parameters gets errors only. */
function mayAnswer({ route, handle }: Layer): boolean {
  if (route !== undefined) return true
  return typeof handle === 'function' && handle.length < 4 && findGateRow(handle) === undefined
}
