/**
 * What is read of a JWT before anything of it is believed, and what its tombstone is found by.
 *
 * @module
 */

import { hash } from 'node:crypto'

/** `iss` of a JWT, whoever has signed it; `undefined` for any other text. */
export function claimedIssuer(token: string): unknown {
  const payload = /^[^.]+\.([^.]+)\.[^.]+$/.exec(token)?.[1]
  if (payload === undefined) return undefined
  try {
    return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss?: unknown } | null)?.iss
  } catch {
    return undefined
  }
}

/** Its `jti`, or else what was signed: of one ECDSA signature anybody can make a second one that is as good. */
export function credentialName(token: string, jti: string | undefined): string {
  return jti === undefined
    ? `text ${hash('sha256', token.slice(0, token.lastIndexOf('.')), 'base64url')}`
    : `jti ${jti}`
}
