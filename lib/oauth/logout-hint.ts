/**
 * The `id_token_hint` of a sign-out. Keys end with the process, so that a token from before a restart cannot be verified.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { compactVerify, decodeJwt } from 'jose'

/** Options of {@link createLogoutHint}. */
export interface LogoutHintOptions {
  readonly publicKey: KeyObject
  readonly issuer: string
  readonly clientIds: ReadonlySet<string>
}

/** Takes a hint that cannot be verified out of the parameters of a sign-out. Whether there was one. */
export type LogoutHint = (parameters: URLSearchParams) => Promise<boolean>

/**
 * What cannot be verified must not be used (RP-Initiated Logout 1.0 section 4): whoever is signed in is asked, as without a
 * hint. Its audience is taken for a `client_id` that nobody has proven, which anybody may send: it leads to a registered URI
 * only.
 */
export function createLogoutHint({ publicKey, issuer, clientIds }: LogoutHintOptions): LogoutHint {
  return async function withoutStaleHint(parameters) {
    const [hint, ...others] = parameters.getAll('id_token_hint')
    if (!hint || others.length > 0 || (await isSigned(hint, publicKey))) return false
    parameters.delete('id_token_hint')
    const clientId = audienceOf(hint, issuer)
    if (!parameters.has('client_id') && clientIds.has(clientId)) parameters.set('client_id', clientId)
    return true
  }
}

async function isSigned(token: string, publicKey: KeyObject): Promise<boolean> {
  try {
    await compactVerify(token, publicKey)
    return true
  } catch {
    return false
  }
}

function audienceOf(token: string, issuer: string): string {
  try {
    const { iss, aud } = decodeJwt(token)
    return iss === issuer && typeof aud === 'string' ? aud : ''
  } catch {
    return ''
  }
}
