/**
 * Paths that need no authentication.
 *
 * @module
 */

import type { Request } from 'express'
import { BadRequestError } from '../core/errors.js'
import { isOwnRoot } from '../http/mounted-at.js'

/** Whether a request needs no authentication. `'ambiguous'`: in one reading of its path it needs none, in another it does. */
export type AllowAnonymous = (method: string, path: string) => boolean | 'ambiguous'

/** Judges a request without credentials: it passes, is refused with 400, or has to be authenticated (`undefined`). */
export function anonymousVerdict(
  request: Request,
  isPublic: AllowAnonymous | undefined,
): 'pass' | BadRequestError | undefined {
  const verdict = isPublic?.(request.method, request.path) ?? false
  if (verdict === 'ambiguous') return ambiguousPath()
  return verdict && isOwnRoot(request) ? 'pass' : undefined
}

/** The refusal of a path whose readings disagree about being public, or that cannot be decoded. */
export function ambiguousPath(): BadRequestError {
  return new BadRequestError('ERR_PATH_AMBIGUOUS', 'The path can be read in more than one way, or in none.')
}
