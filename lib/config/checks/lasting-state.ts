/**
 * What outlives a process, or is shared by several, needs what does so too.
 *
 * @module
 */

import type { Deployment } from '../schema/deployment.js'
import type { Finding } from './findings.js'

/** What one process makes up for itself is nothing to the others: a signing key, a first administrator. */
export function refuseUnshared(
  { management_api: { token, isJwtEnabled, isBasicEnabled }, internal_apis: { users } }: Deployment,
  usesFileUsers: boolean,
  mistake: (finding: Finding) => void,
): void {
  const path = ['shared_store']
  if (token.keyFile === undefined && token.keyStore === undefined) {
    const rule =
      'needs a signing key that all processes share; write [management_api.jwt_token_security_handler] and below it ' +
      'token_config.key_file = "token-key.pem", which "npx sallyport keys rotate" makes: once, for all processes'
    mistake({ path, rule })
  }
  if (usesFileUsers && users.length === 0 && (isJwtEnabled || isBasicEnabled)) {
    mistake({ path, rule: 'needs users that all processes share; write [[internal_apis.users]], or [user_store]' })
  }
}

/** A snapshot is encrypted with what the signing key leads to, and is for one process. */
export function refuseUselessSnapshot(
  { management_api: { token, tokenStore }, shared_store }: Deployment,
  mistake: (finding: Finding) => void,
): void {
  if (tokenStore.snapshot === undefined) return
  const path = ['management_api', 'jwt_token_security_handler', 'token_store_config', 'snapshot_file']
  if (shared_store !== undefined) {
    mistake({
      path,
      rule: 'has no use with [shared_store], where all of it outlives the process: remove one of the two',
    })
  } else if (token.keyFile === undefined && token.keyStore === undefined) {
    const rule =
      'needs a signing key that outlives the process: write token_config.key_file = "token-key.pem" beside ' +
      'token_store_config, and make the file with "npx sallyport keys rotate"'
    mistake({ path, rule })
  }
}
