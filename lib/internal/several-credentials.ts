/**
 * The refusal for a request that carries more than one credential (RFC 6750 sections 2 and 3.1).
 *
 * @module
 */

import { BadRequestError } from '../core/errors.js'

/** A 400 with the challenge of the scheme that was expected. */
export function severalCredentials(challenge: string): BadRequestError {
  return new BadRequestError(
    'ERR_AUTH_SEVERAL_CREDENTIALS',
    'Send exactly one credential, in one Authorization header.',
    {
      headers: { 'WWW-Authenticate': challenge },
    },
  )
}
