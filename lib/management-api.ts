/**
 * The management API: which gates guard it, in which order.
 *
 * @module
 */

import type { Request } from 'express'
import type { Config, ManagementApiConfig } from './config/config.js'
import type { SecurityEvents } from './core/events.js'
import type { Logger } from './core/logger.js'
import { atPath, noTrace, notFound } from './internal/endpoint.js'
import { withoutForeignAuth } from './internal/foreign-auth.js'
import type { Gate } from './internal/gate.js'
import { loggedPasswordsGate } from './internal/logged-passwords.js'
import { compilePathRules } from './internal/path-rules.js'
import type { IsPublic } from './internal/public-path.js'
import { trustProxyGate } from './internal/trust-proxy.js'
import { basicAuthenticationGate } from './middlewares/basic-authentication.js'
import { basicLoginGate } from './middlewares/basic-login.js'
import { bearerAuthenticationGate } from './middlewares/bearer-authentication.js'
import { corsPolicyGate } from './middlewares/cors-policy.js'
import { ipAllowListGate } from './middlewares/ip-allow-list.js'
import { logoutGate, repeatedLogoutGate } from './middlewares/logout.js'
import { pathAuthorizationGate } from './middlewares/path-authorization.js'
import { readOnlyUsersGate } from './middlewares/read-only-users.js'
import { fileUsersGate } from './resources/file-users.js'
import { jwksGate } from './resources/jwks.js'
import { setsPassword } from './resources/resource-path.js'
import { rolesGate } from './resources/roles.js'
import type { UserAdministration } from './resources/user-administration.js'
import { usersGate } from './resources/users.js'
import { checkedTokenStore } from './tokens/checked-token-store.js'
import type { KeyRing } from './tokens/key-ring.js'
import type { Revocations } from './tokens/revocations.js'
import type { TokenStore } from './tokens/token-store.js'
import type { Tokens } from './tokens/tokens.js'
import type { Accounts } from './users/accounts.js'
import type { Authenticator } from './users/authenticator.js'
import { isManaged } from './users/managed-user-store.js'
import type { UserStore } from './users/user-store.js'

/** Options of `security.managementApi`. */
export interface ManagementApiOptions {
  /**
   * Whether `/users` and `/roles` are answered here: managed where the user store can be, 403 while the users come from the
   * file. A user store of the app's own that cannot be managed, and `false`, leave them to the app: authorized, then
   * passed on.
   *
   * @defaultValue true
   */
  readonly resources?: boolean
}

/** What the gates of the management API work with. */
export interface ManagementApiParts {
  readonly users: UserStore
  readonly tokens: Tokens
  readonly keys: KeyRing
  readonly store: TokenStore
  readonly revocations: Revocations
  readonly accounts: Accounts
  readonly authenticator: Authenticator
  readonly events: SecurityEvents
  readonly logger: Logger
  readonly clock: () => number
  /** Whether the users in effect are those of the configuration file. */
  readonly usesFileUsers: boolean
  /** Changes users, one at a time whatever mount they come by. `undefined`: the store cannot be managed here. */
  readonly administration: UserAdministration | undefined
}

/** The gates in the order in which a request meets them. */
export function managementApiGates(
  config: Config,
  parts: ManagementApiParts,
  { resources = true }: ManagementApiOptions = {},
): readonly Gate[] {
  const { managementApi: api } = config
  const hasAuthentication = api.isJwtEnabled || api.isBasicEnabled
  const userGates = resources && hasAuthentication ? userGatesOf(parts) : []
  return [
    withoutForeignAuth,
    ...addressGates(api, parts),
    ...corsGates(api, hasAuthentication),
    ...(hasAuthentication ? [loggedPasswordsGate(parts.logger)] : []),
    ...authenticationGates(api, parts),
    noTrace,
    ...authorizationGates(config, parts, hasAuthentication, userGates.length > 0),
    ...userGates,
  ]
}

/** None for a user store that cannot be managed here: `/users` and `/roles` are left to the app. */
function userGatesOf(parts: ManagementApiParts): readonly Gate[] {
  const { users: store, usesFileUsers, administration } = parts
  if (usesFileUsers) return [fileUsersGate()]
  if (administration === undefined || !isManaged(store)) return []
  return [usersGate(store, administration), rolesGate(store, administration)]
}

function addressGates({ allowedNetworks }: ManagementApiConfig, { logger }: ManagementApiParts): readonly Gate[] {
  if (allowedNetworks === undefined) return []
  return [trustProxyGate(logger), ipAllowListGate({ networks: allowedNetworks })]
}

/** Without authentication, no origin but those that are listed by name may read anything. */
function corsGates({ cors }: ManagementApiConfig, hasAuthentication: boolean): readonly Gate[] {
  const isOpen = cors.allowedOrigins.includes('*')
  return cors.isEnabled && (hasAuthentication || !isOpen) ? [corsPolicyGate(cors)] : []
}

/** Basic for every resource goes before tokens: then there is no login, and nothing to log out of. */
function authenticationGates(api: ManagementApiConfig, parts: ManagementApiParts): readonly Gate[] {
  const isPublic = publicPathsOf(api)
  // Only what the operator wrote counts: by default http is a protocol too.
  const allowsPlainHttp = api.areProtocolsExplicit && api.protocols.includes('http')

  if (api.isBasicEnabled) {
    return [
      ...['/login', '/logout', '/jwks'].map((path) => atPath(path, notFound)),
      basicAuthenticationGate({ ...parts, isPublic, allowsPlainHttp }),
    ]
  }
  if (api.isJwtEnabled) {
    return [
      atPath('/jwks', jwksGate(parts.keys, parts.clock)),
      atPath('/login', basicLoginGate({ ...parts, allowsPlainHttp })),
      atPath('/logout', repeatedLogoutGate({ ...parts, store: checkedTokenStore(parts.store) })),
      bearerAuthenticationGate({ ...parts, isPublic }),
      atPath('/logout', logoutGate(parts)),
    ]
  }
  return []
}

function publicPathsOf({ publicPaths }: ManagementApiConfig): IsPublic | undefined {
  if (publicPaths.length === 0) return undefined
  return compilePathRules({ rules: [], defaultPolicy: 'authenticated', publicPaths }).isPublic
}

function authorizationGates(
  { managementApi: { authorization, publicPaths }, makeNonAdminUsersReadOnly }: Config,
  { usesFileUsers }: ManagementApiParts,
  hasAuthentication: boolean,
  answersUsers: boolean,
): readonly Gate[] {
  const { isEnabled, resources, defaultPolicy, appliesToFileUsers } = authorization
  // Our resource lets everybody set their own password, and nobody but administrators another one.
  const isOwnPassword = (request: Request): boolean => answersUsers && !usesFileUsers && setsPassword(request)
  const exemptsAll = usesFileUsers && !appliesToFileUsers
  const rules = pathAuthorizationGate({
    rules: resources,
    defaultPolicy,
    publicPaths,
    isAuthenticationOff: !hasAuthentication,
    appliesTo: () => !exemptsAll,
    isLeftToResource: isOwnPassword,
  })
  const readOnlyUsers = readOnlyUsersGate()
  return [...(isEnabled ? [rules] : []), ...(makeNonAdminUsersReadOnly ? [unless(isOwnPassword, readOnlyUsers)] : [])]
}

function unless(isExempt: (request: Request) => boolean, gate: Gate): Gate {
  return (request, response) => (isExempt(request) ? undefined : gate(request, response))
}
