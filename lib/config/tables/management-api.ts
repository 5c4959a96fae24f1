/**
 * `[management_api]`.
 *
 * @module
 */

import * as z from 'zod'
import type { AuthorizationConfig, LoginThrottleConfig, ManagementApiConfig } from '../config.js'
import { duration, type Field, field, flag, integer, refuseAt, type TableContext, table } from '../fields.js'
import { authorizationTable } from './authorization.js'
import { breakGlassTable } from './break-glass.js'
import { managementAccessTable } from './control-access.js'
import { corsTable } from './cors.js'
import { isPathWithin, path } from './paths.js'
import { jwtHandlerTable } from './tokens.js'

const protocols: Field<('http' | 'https')[]> = field((value, refuse) => {
  const names = typeof value === 'string' ? value.split(/[\s,]+/).filter((name) => name !== '') : value
  if (Array.isArray(names) && names.length > 0 && names.every((name) => name === 'http' || name === 'https')) {
    return [...new Set<'http' | 'https'>(names)]
  }
  return refuse('must be "https", "http" or "https http"')
})

const loginThrottleTable: Field<LoginThrottleConfig> = table({
  enable: flag.prefault(true),
  max_failures: integer(1, 100).prefault(5),
  window: duration().prefault('15m'),
  lockout: duration().prefault('1m'),
}).transform(
  ({ enable, max_failures, window, lockout }): LoginThrottleConfig => ({
    isEnabled: enable,
    maxFailures: max_failures,
    windowSeconds: window,
    lockoutSeconds: lockout,
  }),
)

/** The management API. */
export const managementApiTable: Field<ManagementApiConfig> = table({
  protocols: protocols.optional(),
  jwt_token_security_handler: jwtHandlerTable.prefault({}),
  basic_security_handler: table({ enable: flag.prefault(false) }).prefault({}),
  authorization_handler: authorizationTable.prefault({}),
  public_paths: z.array(path, { error: 'must be a list of paths' }).prefault([]),
  cors: corsTable.prefault({}),
  control_access: managementAccessTable.prefault({}),
  login_throttle: loginThrottleTable.prefault({}),
  break_glass: breakGlassTable.prefault({}),
}).transform((table, context): ManagementApiConfig => {
  refuseProtectedPublicPaths(table.public_paths, table.authorization_handler, context)
  return {
    protocols: table.protocols ?? ['https', 'http'],
    areProtocolsExplicit: table.protocols !== undefined,
    isJwtEnabled: table.jwt_token_security_handler.enable,
    isBasicEnabled: table.basic_security_handler.enable,
    tokenStore: table.jwt_token_security_handler.token_store_config,
    token: table.jwt_token_security_handler.token_config,
    authorization: table.authorization_handler,
    publicPaths: table.public_paths,
    cors: table.cors,
    allowedNetworks: table.control_access,
    loginThrottle: table.login_throttle,
    breakGlass: table.break_glass,
  }
})

function refuseProtectedPublicPaths(paths: readonly string[], rules: AuthorizationConfig, context: TableContext): void {
  if (!rules.isEnabled) return
  for (const [index, publicPath] of paths.entries()) {
    const guard = rules.resources.find(
      ({ path, methods }) => isPathWithin(publicPath, path) && (methods === undefined || methods.includes('HEAD')),
    )
    if (guard !== undefined) {
      refuseAt(context, ['public_paths', index], `must not be public: the protected path ${guard.path} covers it`)
    }
  }
}
