/**
 * Keeps what other packages say of the caller from being taken for what this one says.
 *
 * @module
 */

import type { AuthenticatedRequest } from '../core/auth.js'
import type { Gate } from './gate.js'

/** Other packages set `request.auth` too: what they set is no right of ours. */
export const withoutForeignAuth: Gate = (request: AuthenticatedRequest) => {
  if (request.auth !== undefined) delete request.auth
  return undefined
}
