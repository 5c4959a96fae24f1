/**
 * The keys behind refusals whose gates know nothing of a configuration, for the log.
 *
 * @module
 */

import { originAt } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import type { HttpErrorCode } from '../core/errors.js'
import type { RuleFor } from '../http/refusals.js'

const keys: Readonly<Record<'managementApi' | 'portal', Partial<Record<HttpErrorCode, string>>>> = {
  managementApi: {
    ERR_HTTPS_REQUIRED: 'management_api.protocols',
    ERR_CROSS_SITE: 'management_api.cors.allowed_origins',
    ERR_USERS_NOT_MANAGEABLE: 'internal_apis.file_user_store.enable',
    ERR_TOKEN_STORE_FULL:
      'management_api.jwt_token_security_handler.token_store_config.remove_oldest_token_on_overflow',
  },
  portal: {
    ERR_HTTPS_REQUIRED: 'portal.allow_insecure_http',
    ERR_CROSS_SITE: 'portal.origins',
  },
}

/** Finds the key, and its place in the configuration that runs at the time. */
export function ruleFinder(running: { readonly config: Config }, mount: 'managementApi' | 'portal'): RuleFor {
  return (code) => {
    const key = keys[mount][code]
    return key === undefined ? undefined : originAt(running.config, key)
  }
}
