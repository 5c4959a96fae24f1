/**
 * Writes access tokens (RFC 9068).
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { KeyRing } from './key-ring.js'

/** What all tokens of a signer have in common. */
export interface TokenSignerOptions {
  readonly keys: KeyRing
  readonly issuer: string
  readonly audience: string
}

/** What is different in each token. Times are seconds since the epoch (RFC 7519 section 2, NumericDate). */
export interface TokenClaims {
  readonly subject: string
  readonly scope: string
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
}

/** RFC 8725 section 3.11: a token says what it is, and nothing else is taken for it. */
export const tokenType = 'at+jwt'

/** Enough that no two tokens are equal and none can be guessed. */
const jtiBytes = 16

/** Returns a function that writes and signs one token. */
export function createTokenSigner({
  keys,
  issuer,
  audience,
}: TokenSignerOptions): (claims: TokenClaims) => Promise<string> {
  const header = base64urlJson({ alg: keys.algorithm, typ: tokenType, kid: keys.kid })

  return async function signToken({ subject, scope, issuedAtSeconds, expiresAtSeconds }) {
    const payload = base64urlJson({
      iss: issuer,
      sub: subject,
      aud: audience,
      iat: issuedAtSeconds,
      exp: expiresAtSeconds,
      jti: randomBytes(jtiBytes).toString('base64url'),
      scope,
    })
    const signingInput = `${header}.${payload}`
    return `${signingInput}.${await keys.sign(signingInput)}`
  }
}

function base64urlJson(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
