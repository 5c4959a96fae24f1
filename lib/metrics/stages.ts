/**
 * The stage that refuses, by the code of the refusal.
 *
 * @module
 */

import type { HttpErrorCode } from '../core/errors.js'

/** `login`: too many of them. `resource`: what was asked for is not there, or not allowed. `store`: something that is asked is away. */
const stages = {
  ERR_HEADERS_TOO_MANY: 'request',
  ERR_PATH_AMBIGUOUS: 'request',
  ERR_REQUEST_INVALID: 'request',
  ERR_METHOD_NOT_ALLOWED: 'request',
  ERR_BODY_TOO_LARGE: 'request',
  ERR_MEDIA_TYPE_UNSUPPORTED: 'request',
  ERR_IP_NOT_ALLOWED: 'address',
  ERR_TRUST_PROXY_UNSAFE: 'address',
  ERR_CROSS_SITE: 'cross-site',
  ERR_HTTPS_REQUIRED: 'authentication',
  ERR_AUTH_SEVERAL_CREDENTIALS: 'authentication',
  ERR_AUTH_REQUIRED: 'authentication',
  ERR_AUTH_INVALID_CREDENTIALS: 'authentication',
  ERR_TOKEN_INVALID: 'authentication',
  ERR_SESSION_ENDED: 'authentication',
  ERR_SIGN_IN_ENDED: 'authentication',
  ERR_SIGN_IN_REFUSED: 'authentication',
  ERR_IDENTITY_PROVIDER: 'authentication',
  ERR_LOGIN_THROTTLED: 'login',
  ERR_LOGIN_OVERLOADED: 'login',
  ERR_TOKEN_STORE_FULL: 'login',
  ERR_ADMIN_REQUIRED: 'authorization',
  ERR_IMPERSONATION: 'authorization',
  ERR_SECOND_FACTOR_REQUIRED: 'authorization',
  ERR_ROLE_REQUIRED: 'authorization',
  ERR_SCOPE_REQUIRED: 'authorization',
  ERR_PATH_DENIED: 'authorization',
  ERR_READ_ONLY: 'authorization',
  ERR_NAME_INVALID: 'resource',
  ERR_PASSWORD_INVALID: 'resource',
  ERR_PASSWORD_WRONG: 'resource',
  ERR_USER_EXISTS: 'resource',
  ERR_ROLE_EXISTS: 'resource',
  ERR_USERS_NOT_MANAGEABLE: 'resource',
  ERR_USER_PROTECTED: 'resource',
  ERR_CONFIG_INVALID: 'resource',
  ERR_CONFIG_CHANGED: 'resource',
  ERR_NOT_FOUND: 'resource',
  ERR_STREAMS_TOO_MANY: 'resource',
  ERR_STORE_UNAVAILABLE: 'store',
  ERR_AUDIT_UNAVAILABLE: 'store',
  ERR_INTERNAL: 'internal',
  ERR_MOUNT_PATH: 'internal',
} as const satisfies Record<HttpErrorCode, string>

export const refusalCodes: readonly string[] = Object.keys(stages)
export const refusalStages: readonly string[] = [...new Set(Object.values(stages))]

/** `undefined` for a code that is none of this package. */
export function stageFor(code: string): string | undefined {
  return Object.hasOwn(stages, code) ? stages[code as HttpErrorCode] : undefined
}
