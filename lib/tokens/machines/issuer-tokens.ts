/**
 * Access tokens of the trusted issuer as credentials.
 *
 * @module
 */

import type { TrustedIssuerConfig } from '../../config/config.js'
import { digest } from '../../core/digest.js'
import { assertClaim } from '../jwt/claims.js'
import type { FindKey } from '../jwt/compact-jws.js'
import { invalidToken } from '../jwt/verify-token.js'
import { type IssuerToken, verifyIssuerToken } from '../trusted-issuers/verify-issuer-token.js'
import type { CredentialSource } from './credential-source.js'
import { claimedIssuer, credentialName } from './token-claims.js'

/** Clocks may differ by a minute, both ways. */
const toleranceMs = 60_000

/**
 * What ID tokens and logout tokens say and access tokens do not (OpenID Connect Core 1.0 section 2, Back-Channel Logout 1.0 section
 * 2.4).
 */
const idTokenClaims = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events']

/** Some issuers give access tokens no `typ` in the header, and Keycloak says in the payload what a token is. */
const types = { 'at+jwt': ['at+jwt'], JWT: ['jwt', undefined] } as const

export function issuerTokenSource(
  config: TrustedIssuerConfig,
  findKey: FindKey,
  clock: () => number,
): CredentialSource {
  const { issuer, audience, type, domainName, maxTokenAgeMs } = config

  return {
    kind: 'issuer',
    version: digest(JSON.stringify(config)),
    accepts: (token) => claimedIssuer(token) === issuer,

    async verify(token) {
      const maxAgeSeconds = maxTokenAgeMs / 1000
      const now = clock()
      const verified = await verifyIssuerToken(token, {
        ...{ findKey, issuer, audience, maxAgeSeconds, now },
        types: types[type],
        check: type === 'JWT' ? refuseIdToken : undefined,
      })
      const { subject, jti, issuedAtSeconds, expiresAtSeconds } = verified
      assertSubject(subject)
      const { roles, isAdmin } = rolesFrom(verified, config)
      const issuedAt = issuedAtSeconds * 1000
      return {
        subject: `${domainName}/${subject}`,
        roles,
        isAdmin,
        issuedAt,
        expiresAt: Math.min(expiresAtSeconds * 1000, issuedAt + maxTokenAgeMs) + toleranceMs,
        name: credentialName(token, jti),
      }
    },

    endingsOf: (subject, now) =>
      subject.startsWith(`${domainName}/`) ? [{ name: undefined, until: now + maxTokenAgeMs + 2 * toleranceMs }] : [],
  }
}

function refuseIdToken({ claims }: IssuerToken): void {
  for (const claim of idTokenClaims) assertClaim(!claims.has(claim), claim)
  const type = claims.get('typ')
  assertClaim(type === undefined || type === 'Bearer', 'typ of the payload')
}

function assertSubject(subject: string | undefined): asserts subject is string {
  if (subject === undefined) throw invalidToken('sub is missing or wrong')
}

function rolesFrom(
  { claims }: IssuerToken,
  { rolesClaim, roleMapping, adminRoles, allowUnmapped }: TrustedIssuerConfig,
): { readonly roles: readonly string[]; readonly isAdmin: boolean } {
  const values = textsAt(claims, rolesClaim)
  const roles = values.flatMap((value) => (Object.hasOwn(roleMapping, value) ? roleMapping[value]! : []))
  const isAdmin = values.some((value) => adminRoles.includes(value))
  if (roles.length === 0 && !isAdmin && !allowUnmapped)
    throw invalidToken(`${rolesClaim} has nothing that is a role here`)
  return { roles: [...new Set(roles)], isAdmin }
}

/** The texts of a claim: by its whole name, which may have dots, or by the way to it through objects. */
function textsAt(claims: IssuerToken['claims'], path: string): readonly string[] {
  const value = claims.has(path) ? claims.get(path) : valueAt(Object.fromEntries(claims), path.split('.'))
  // RFC 6749 section 3.3: scopes are separated by blanks. Names of groups may have blanks in them.
  if (typeof value === 'string')
    return path === 'scope' || path === 'scp' ? value.split(' ').filter((name) => name !== '') : [value]
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : []
}

function valueAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value
  const isOwn = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
  return isOwn ? valueAt((value as Readonly<Record<string, unknown>>)[name], rest) : undefined
}
