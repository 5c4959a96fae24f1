/**
 * `[management_api]`, with `login_throttle` and `break_glass`.
 *
 * @module
 */

import * as z from 'zod'
import type { BreakGlassConfig, LoginThrottleConfig, ManagementApiConfig } from '../config.js'
import { authorizationTable, path, refuseProtectedPublicPaths } from './authorization.js'
import { managementAccessTable, networks } from './control-access.js'
import { corsTable } from './cors.js'
import {
  duration,
  type Field,
  field,
  filledText,
  flag,
  integer,
  passwordHash,
  refuseAt,
  table,
  wholeSeconds,
} from './fields.js'
import { apiTokensTable, trustedIssuerTable } from './machines.js'
import { secondFactorPolicy } from './second-factor.js'
import { jwtHandlerTable } from './tokens.js'

const protocols = field((value, refuse): ('http' | 'https')[] => {
  const names = typeof value === 'string' ? value.split(/[\s,]+/).filter((name) => name !== '') : value
  if (Array.isArray(names) && names.length > 0 && names.every((name) => name === 'http' || name === 'https')) {
    return [...new Set<'http' | 'https'>(names)]
  }
  return refuse('must be "https", "http" or "https http"')
}).meta({ unit: '`"https"`, `"http"` or `"https http"`', type: ['string', 'array'] })

const loginThrottleTable: Field<LoginThrottleConfig> = table({
  enable: flag.prefault(true).describe('`false`: guesses are not limited'),
  max_failures: integer(1, 100).prefault(5).describe('failures of one user from one source that lock the pair'),
  window: duration().prefault('15m').describe('how long a failure counts'),
  lockout: duration().prefault('1m').describe('first lock; each further one is twice as long, up to the window'),
}).transform(
  ({ enable, max_failures, window, lockout }): LoginThrottleConfig => ({
    isEnabled: enable,
    maxFailures: max_failures,
    windowMs: window,
    lockoutMs: lockout,
  }),
)

/** HTTP Basic ends a name at the first colon (RFC 7617 section 2), and a slash would make a domain of what is before it. */
const breakGlassUser = filledText.refine((name) => !/[:/]/.test(name) && name.length <= 255, {
  error: 'must be a name of 1 to 255 characters, without colons and slashes',
})

const breakGlassTable: Field<BreakGlassConfig | undefined> = table({
  enable: flag.prefault(false).describe('an account for the time when the user store cannot be reached'),
  user: breakGlassUser.optional().describe('its name').meta({ absent: 'required with `enable`' }),
  password: passwordHash(', not a plain password')
    .optional()
    .describe('a hash from `npx sallyport hash-password`')
    .meta({ absent: 'required with `enable`' }),
  allow: networks.optional().describe('the networks it may be used from').meta({ absent: 'required with `enable`' }),
  after: duration().prefault('30s').describe('how long the user store must have been unreachable'),
  max_token_age: duration().prefault('15m').describe('longest life of its tokens; they end when the store is back'),
}).transform(({ enable, user, password, allow = [], after, max_token_age }, context) => {
  if (!enable) return undefined
  if (user === undefined) refuseAt(context, ['user'], 'must name the account')
  if (password === undefined) refuseAt(context, ['password'], 'must be a hash from "npx sallyport hash-password"')
  if (allow.length === 0)
    refuseAt(context, ['allow'], 'must list the networks that the account may be used from, such as ["10.0.0.0/8"]')
  if (user === undefined || password === undefined) return undefined
  return {
    userName: user,
    passwordHash: password,
    allowedNetworks: allow,
    afterMs: after,
    maxTokenAgeMs: wholeSeconds(max_token_age),
  }
})

const otpSeparator = field((value, refuse) =>
  typeof value === 'string' && /^[!-/:-@[-`{-~]{1,4}$/.test(value)
    ? value
    : refuse('must be 1 to 4 characters that are neither letters nor digits, such as ","'),
).meta({ unit: '1 to 4 characters' })

export const managementApiTable: Field<ManagementApiConfig> = table({
  protocols: protocols
    .optional()
    .describe(
      'what may be spoken; written with `http` in it, passwords are taken over plain HTTP from other machines too',
    )
    .meta({ absent: '`"https http"`' }),
  jwt_token_security_handler: jwtHandlerTable.prefault({}),
  basic_security_handler: table({
    enable: flag
      .prefault(false)
      .describe('HTTP Basic for every resource, in place of tokens: `/login`, `/logout` and `/jwks` are 404'),
  }).prefault({}),
  authorization_handler: authorizationTable.prefault({}),
  public_paths: z
    .array(path, { error: 'must be a list of paths' })
    .prefault([])
    .describe('paths that anybody may GET and HEAD, exactly as spelled'),
  cors: corsTable.prefault({}),
  control_access: managementAccessTable.prefault({}),
  login_throttle: loginThrottleTable.prefault({}),
  break_glass: breakGlassTable.prefault({}),
  second_factor: secondFactorPolicy
    .optional()
    .describe('who has to send a code as `X-OTP` to `/login`')
    .meta({ absent: '`"optional"`: users who have a second factor' }),
  otp_separator: otpSeparator
    .optional()
    .describe('what stands between password and code for clients that send nothing but Basic')
    .meta({ absent: 'codes are taken from `X-OTP` alone' }),
  trusted_issuer: trustedIssuerTable.optional(),
  api_tokens: apiTokensTable.prefault([]),
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
    secondFactor: table.second_factor,
    otpSeparator: table.otp_separator,
    trustedIssuer: table.trusted_issuer,
    apiTokens: table.api_tokens,
  }
})
