/**
 * Who is calling: what the authentication stage leaves on the request, and how a route reads it.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import { UnauthorizedError } from './errors.js'

/** What a caller was authenticated with. Rights of one kind are never those of another. */
export type AuthKind = 'management' | 'portal' | 'oauth' | 'basic'

/** The authenticated caller of a request. */
export interface Auth {
  /** The user's name as the user store spells it, with `DOMAIN/` before it unless the store is the primary one. */
  readonly subject: string
  /** Roles at the time of the request, not at the time of the login. */
  readonly roles: readonly string[]
  /** Whether the caller is an administrator, at the time of the request. */
  readonly isAdmin: boolean
  /** Space-separated scope: `admin` or `default` for the management API. */
  readonly scope: string
  /** Id of the token: the argument of `tokens.revoke`. It is a digest and opens nothing. `undefined` for Basic. */
  readonly tokenId: string | undefined
  /** What the caller came with: a token of this kind, or Basic. */
  readonly kind: AuthKind
  /** When the login took place, in milliseconds since the epoch. */
  readonly issuedAt: number
  /** When the token ends, in milliseconds since the epoch. `undefined` for Basic. */
  readonly expiresAt: number | undefined
}

/** A request that may have passed an authentication gate. */
export type AuthenticatedRequest = IncomingMessage & { auth?: Auth }

/**
 * Returns the authenticated caller of a request.
 *
 * @throws {@link UnauthorizedError} (401, `ERR_AUTH_REQUIRED`) when nobody is authenticated: when authentication is
 * switched off, on a public path, or where no authentication gate stands before the route.
 */
export function getAuth(request: IncomingMessage): Auth {
  const { auth } = request as AuthenticatedRequest
  if (auth !== undefined) return auth
  throw new UnauthorizedError('ERR_AUTH_REQUIRED', 'Authentication is required.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="Sallyport"' },
  })
}
