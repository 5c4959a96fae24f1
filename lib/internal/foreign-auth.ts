/**
 * Keeps what was said of the caller before a mount from counting behind it.
 *
 * @module
 */

import { forgetAuth } from '../core/auth.js'
import type { Gate } from './gate.js'

/** Other packages set `request.auth` too, and the caller of one mount is none of another. */
export const withoutForeignAuth: Gate = (request) => {
  forgetAuth(request)
  return undefined
}
