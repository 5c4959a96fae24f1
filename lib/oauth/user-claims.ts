/**
 * What clients learn of a user, by the scopes that they were granted (OpenID Connect Core 1.0 section 5.4).
 *
 * @module
 */

import type { UserProfile } from '../users/user-store.js'

/** The claims that each scope gives. */
export const claimsOfScope: Readonly<Record<string, readonly string[]>> = {
  openid: ['sub'],
  profile: ['name', 'preferred_username'],
  email: ['email'],
  roles: ['roles'],
}

/** Whether a scope gives something that the user store has to be asked for. */
export function needsProfile(scope: string | undefined): boolean {
  const scopes = scope?.split(' ') ?? []
  return scopes.includes('profile') || scopes.includes('email')
}

/** Everything that is known. Who has no other name is called by the user name. */
export function userClaims(
  subject: string,
  roles: readonly string[],
  { name = subject, email }: UserProfile = {},
): Record<string, unknown> & { readonly sub: string } {
  return { sub: subject, name, preferred_username: subject, roles: [...roles], ...(email !== undefined && { email }) }
}

/** The claims that the scopes give, without `sub`: every token has that by itself. */
export function grantedClaims(all: Readonly<Record<string, unknown>>, scope: string): Record<string, unknown> {
  const names = new Set(scope.split(' ').flatMap((one) => claimsOfScope[one] ?? []))
  return Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'sub' && names.has(name)))
}
