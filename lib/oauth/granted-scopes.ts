/**
 * Which of the scopes that a client asks for a user grants.
 *
 * @module
 */

import type { OauthConfig } from '../config/config.js'
import { commonScopes } from './clients.js'

/** The rights of the user who signs in. */
export interface ScopeUser {
  readonly roles: readonly string[]
  readonly isAdmin: boolean
}

/** Picks from the scopes that a client asks for. Nothing but what everybody may have where the user is not known. */
export type GrantedScopes = (
  clientId: string,
  asked: readonly string[],
  user: ScopeUser | undefined,
) => readonly string[]

/** What a client may ask for is said by its table; a portal of WSO2 gets its scopes for the users that may enter it. */
export function createGrantedScopes({ serviceProviders }: OauthConfig): GrantedScopes {
  const providers = new Map(serviceProviders.map((provider) => [provider.clientId, provider]))

  return function grantedScopes(clientId, asked, user) {
    const { scopes = [], scopeRoles, adminScopes = [] } = providers.get(clientId) ?? {}
    const isEntitled =
      scopeRoles === undefined || user?.isAdmin === true || user?.roles.some((role) => scopeRoles.includes(role))
    const own = isEntitled ? scopes.filter((scope) => user?.isAdmin === true || !adminScopes.includes(scope)) : []
    const allowed = new Set([...commonScopes, ...own])
    return asked.filter((scope) => allowed.has(scope))
  }
}
