/**
 * Which resource a path below the mount names.
 *
 * @module
 */

import { foldCase } from '../internal/path-readings.js'

/** The resources that are answered here. */
export type Collection = 'users' | 'roles'

/**
 * What follows the name of a collection in a path, as it came over the wire: `''` for the collection itself, with or
 * without a slash at the end; otherwise the name of one of its members, in which slashes may stand unescaped.
 *
 * @returns `undefined` when the path is none of this collection.
 */
export function memberOf(collection: Collection, path: string): string | undefined {
  const [, first = '', ...rest] = path.split('/')
  if (!path.startsWith('/') || foldCase(first) !== collection) return undefined
  return rest.join('/').replace(/\/$/, '')
}

/**
 * Whether a request sets the password of one user. Anybody may set their own, so the paths of administrators let it
 * pass: the resource itself tells whose password it is.
 */
export function setsPassword({ method, path }: { readonly method: string; readonly path: string }): boolean {
  return method === 'PATCH' && Boolean(memberOf('users', path))
}
