/**
 * API tokens of the configuration as credentials: known by their hashes alone.
 *
 * @module
 */

import type { ApiTokenConfig } from '../../config/config.js'
import { digest } from '../../core/digest.js'
import type { Origin } from '../../core/errors.js'
import { invalidToken } from '../jwt/verify-token.js'
import { apiTokenPrefix, hashApiToken, isApiToken } from './api-token-text.js'
import type { Credential, CredentialSource } from './credential-source.js'

/** The domain of the subjects of API tokens. */
const domain = 'API'

/** The subject of a token of this name. */
export function apiTokenSubject(name: string): string {
  return `${domain}/${name}`
}

/** Only what the gate says it may do: `allow` and `paths` are looked at with the request. `originOf`: where an entry is written. */
export function apiTokenSource(
  tokens: readonly ApiTokenConfig[],
  originOf?: (index: number) => Origin,
): CredentialSource {
  const known = new Map(
    tokens.map((token, index): [string, Credential] => [token.hash, credentialFrom(token, originOf?.(index))]),
  )

  return {
    kind: 'api',
    version: digest(JSON.stringify(tokens)),
    known,
    accepts: (token) => token.startsWith(apiTokenPrefix),
    keyOf: hashApiToken,

    verify(token) {
      const credential = isApiToken(token) ? known.get(hashApiToken(token)) : undefined
      if (credential === undefined) throw invalidToken('no API token of the configuration has this text')
      return credential
    },

    endingsOf: (subject) =>
      [...known.values()]
        .filter((credential) => credential.subject === subject)
        .map(({ name, expiresAt }) => ({ name, until: expiresAt })),
  }
}

function credentialFrom(
  { name, hash, roles, isAdmin, expiresAt }: ApiTokenConfig,
  origin: Origin | undefined,
): Credential {
  return { subject: apiTokenSubject(name), roles, isAdmin, issuedAt: undefined, expiresAt, name: hash, origin }
}
