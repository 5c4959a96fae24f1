/**
 * Who is calling: what the authentication stage leaves on the request, and how a route reads it.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import { UnauthorizedError } from './errors.js'

/**
 * What a caller was authenticated with. Rights of one kind are never those of another. `api`: an API token of the configuration;
 * `issuer`: a token of the trusted issuer; `icp`: one of WSO2's control plane.
 */
export type AuthKind = 'management' | 'portal' | 'oauth' | 'basic' | MachineKind

/** Credentials of the management API that no login here has issued. */
export type MachineKind = 'api' | 'issuer' | 'icp'

const machineKinds: ReadonlySet<string> = new Set<MachineKind>(['api', 'issuer', 'icp'])

export function isMachineKind(kind: string): kind is MachineKind {
  return machineKinds.has(kind)
}

/**
 * What a login was proven with: a password, a code of an authenticator app, a recovery code, an identity provider, or what the app
 * itself has checked.
 */
export type Factor = 'password' | 'otp' | 'recovery' | 'provider' | 'app'

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
  /** What the login was proven with; absent where that is not known. */
  readonly factors?: readonly Factor[] | undefined
  /** Who acts as this user: the subject of the user whose session this one ends with. Absent for everybody else. */
  readonly impersonator?: string | undefined
}

/**
 * Where the gates of this package note the caller. The symbol is known to this module alone, so nothing else sets it by
 * chance, as other packages set `request.auth`; what is made from the request (`Object.create(request)`, a proxy) has it
 * too. It is not one of the global registry: two copies of the package do not believe each other, and then refuse.
 */
const noted = Symbol('caller')

type NotedRequest = IncomingMessage & { [noted]?: Auth | undefined; auth?: Auth | undefined }

/** Notes who was authenticated: for `getAuth`, and as `request.auth`. Nobody changes it from then on. */
export function setAuth(request: IncomingMessage, auth: Auth): void {
  const noting: NotedRequest = request
  noting[noted] = Object.freeze(auth)
  noting.auth = auth
}

/** The caller that a gate of this package has noted; `undefined`: none, whatever `request.auth` says. */
export function findAuth(request: IncomingMessage): Auth | undefined {
  return (request as NotedRequest)[noted]
}

/** Forgets who was authenticated, and what other packages say of it. */
export function forgetAuth(request: IncomingMessage): void {
  const noting: NotedRequest = request
  if (noting[noted] !== undefined) noting[noted] = undefined
  if (noting.auth !== undefined) noting.auth = undefined
}

/**
 * Returns the authenticated caller of a request: the one that a gate of this package has found. What other code or another
 * package writes to `request.auth`, before or after, does not count.
 *
 * @throws `UnauthorizedError` (401, `ERR_AUTH_REQUIRED`) when nobody is authenticated: when authentication is
 * switched off, on a public path, or where no authentication gate of this package stands before the route.
 */
export function getAuth(request: IncomingMessage): Auth {
  const auth = findAuth(request)
  if (auth !== undefined) return auth
  throw new UnauthorizedError('ERR_AUTH_REQUIRED', 'Authentication is required.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="Sallyport"' },
    cause:
      'auth' in request
        ? 'request.auth was set by other code than the gates of this package'
        : 'no gate of this package has found the caller: mount security.managementApi(), security.portal(name) or ' +
          'bearerAuthentication before the route; a public path has no caller',
  })
}
