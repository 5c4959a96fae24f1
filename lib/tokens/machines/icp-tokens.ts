/**
 * The tokens with which WSO2's Integration Control Plane calls a Micro Integrator, as credentials.
 *
 * @module
 */

import { createSecretKey } from 'node:crypto'
import type { IcpConfig } from '../../config/config.js'
import { digest } from '../../core/digest.js'
import { type FindKey, maxTokenLength } from '../jwt/compact-jws.js'
import { invalidToken } from '../jwt/verify-token.js'
import { verifyIssuerToken } from '../trusted-issuers/verify-issuer-token.js'
import type { CredentialSource } from './credential-source.js'
import { claimedIssuer, credentialName } from './token-claims.js'

const issuer = 'icp-runtime-jwt-issuer'
const audience = 'icp-server'

/** Of the tokens that ICP makes. Those that a runtime shows to ICP are signed with the same secret, and say another one. */
const fetcher = 'icp-artifact-fetcher'

/** Nothing that ICP makes is older. */
const maxAgeMs = 24 * 3_600_000

/** Clocks may differ by a minute, both ways. */
const toleranceMs = 60_000

export function icpTokenSource({ kid, material }: IcpConfig, clock: () => number): CredentialSource {
  const key = createSecretKey(material, 'utf8')
  const subject = `ICP/${kid}`
  const findKey: FindKey = (name) => {
    if (name.kid !== kid) throw new Error('the key is not known')
    return { algorithm: 'HS256', key }
  }

  return {
    kind: 'icp',
    version: digest(`${kid}.${material}`),
    accepts: (token) => claimedIssuer(token) === issuer,

    async verify(token) {
      if (token.length > maxTokenLength) throw invalidToken('the token is too long')
      const terms = { findKey, issuer, audience, maxAgeSeconds: maxAgeMs / 1000, now: clock() }
      const verified = await verifyIssuerToken(token, { ...terms, types: ['jwt', undefined] })
      if (verified.subject !== fetcher) throw invalidToken('sub is missing or wrong')
      return {
        subject,
        roles: [],
        isAdmin: true,
        issuedAt: verified.issuedAtSeconds * 1000,
        expiresAt: Math.min(verified.expiresAtSeconds * 1000, clock() + maxAgeMs) + toleranceMs,
        name: credentialName(token, verified.jti),
      }
    },

    endingsOf: (name, now) => (name === subject ? [{ name: undefined, until: now + maxAgeMs + 2 * toleranceMs }] : []),
  }
}
