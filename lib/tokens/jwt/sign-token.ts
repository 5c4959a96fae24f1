/**
 * Writes access tokens (RFC 9068).
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { KeyRing } from '../keys/key-ring.js'

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
  /** `aud`, where it is not that of the signer. */
  readonly audience?: string | undefined
  /** Whom the token was issued to (RFC 9068 section 2.2); left out for tokens that no client asked for. */
  readonly clientId?: string | undefined
  /** Further claims. They replace none of those above. */
  readonly others?: Readonly<Record<string, unknown>> | undefined
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
  let kid: string | undefined
  let header = ''

  return async function signToken({ subject, scope, issuedAtSeconds, expiresAtSeconds, ...claims }) {
    const payload = base64urlJson({
      ...claims.others,
      iss: issuer,
      sub: subject,
      aud: claims.audience ?? audience,
      iat: issuedAtSeconds,
      exp: expiresAtSeconds,
      jti: randomBytes(jtiBytes).toString('base64url'),
      scope,
      client_id: claims.clientId,
    })
    // Nothing is awaited between the header and the signature: the keys may be exchanged at any other moment.
    if (kid !== keys.kid) {
      kid = keys.kid
      header = base64urlJson({ alg: keys.algorithm, typ: tokenType, kid })
    }
    const signingInput = `${header}.${payload}`
    return `${signingInput}.${await keys.sign(signingInput)}`
  }
}

function base64urlJson(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
