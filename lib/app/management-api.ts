/**
 * The management API: which gates guard it, in which order.
 *
 * @module
 */

import type { Request } from 'express'
import { trustProxyGate } from '../addresses/trust-proxy.js'
import { jwksGate } from '../admin-api/jwks.js'
import { openApiGate } from '../admin-api/openapi.js'
import { setsPassword } from '../admin-api/resource.js'
import { rolesGate } from '../admin-api/roles.js'
import type { UserAdministration } from '../admin-api/user-administration.js'
import { fileUsersGate, usersGate } from '../admin-api/users.js'
import { originAt } from '../config/checks/origins.js'
import type { Config, ManagementApiConfig } from '../config/config.js'
import { isMachineKind } from '../core/auth.js'
import type { SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import { probesGate } from '../health/gates.js'
import { atPath, noTrace, notFound, withoutForeignAuth } from '../http/endpoint.js'
import type { Gate } from '../http/gate.js'
import { openMetricsGate } from '../metrics/gates.js'
import { basicAuthenticationGate } from '../middleware/basic-authentication.js'
import { basicLoginGate } from '../middleware/basic-login.js'
import { bearerAuthenticationGate } from '../middleware/bearer-authentication.js'
import { corsPolicyGate } from '../middleware/cors-policy.js'
import { ipAllowListGate } from '../middleware/ip-allow-list.js'
import { logoutGate, repeatedLogoutGate } from '../middleware/logout.js'
import { pathAuthorizationGate } from '../middleware/path-authorization.js'
import { readOnlyUsersGate } from '../middleware/read-only-users.js'
import type { AllowAnonymous } from '../paths/public-path.js'
import { compilePathRules } from '../paths/rules.js'
import type { CheckedTokenStore } from '../tokens/checked-token-store.js'
import type { KeyRing } from '../tokens/keys/key-ring.js'
import type { MachineTokens } from '../tokens/machines/machine-tokens.js'
import type { Revocations } from '../tokens/revocations.js'
import type { Accounts } from '../users/accounts.js'
import type { Authenticator } from '../users/login/authenticator.js'
import { isManagedUserStore } from '../users/managed-user-store.js'
import type { UserStore } from '../users/user-store.js'
import { type DocumentedParts, documentedManagementApi } from './documented-front.js'
import { createMachineBearers, hasMachineAddressRules } from './machine-access.js'
import { type OperatorParts, operatorResources } from './operator-resources.js'
import { assertSecondFactors } from './second-factor.js'

/** Options of `security.managementApi`. */
export interface ManagementApiOptions {
  /**
   * Whether `/users` and `/roles` are answered here: managed where the user store can be, 403 while the users come from the
   * file. A user store of the app's own that cannot be managed leaves them to the app: authorized, then passed on. And
   * whether `/sessions`, `/locks`, `/reload`, `/configuration`, `/api-tokens`, `/service-providers`, `/events`, `/audit`, `/health`
   * and `/metrics` are answered, to administrators, `/openapi.json` to every caller, and `/health/live` and `/health/ready` to everybody.
   * `false` leaves all of them to the app; a `/health` or `/metrics` that `public_paths` names is the app's in any case.
   *
   * @defaultValue true
   */
  readonly resources?: boolean
}

/** What the gates of the management API work with. */
export interface ManagementApiParts extends OperatorParts, DocumentedParts {
  readonly users: UserStore
  readonly keys: KeyRing
  readonly store: CheckedTokenStore
  readonly revocations: Revocations
  readonly accounts: Accounts
  readonly authenticator: Authenticator
  readonly events: SecurityEvents
  readonly logger: Logger
  readonly clock: () => number
  /** Tokens that were not issued here. */
  readonly machines: MachineTokens
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
  assertSecondFactors(config, parts.secondStep)
  const hasAuthentication = api.isJwtEnabled || api.isBasicEnabled
  const userGates = resources && hasAuthentication ? userGatesFrom(parts) : []
  const publicPaths = publicPathsFrom(api)
  return [
    withoutForeignAuth,
    ...(resources ? exceptAt(publicPaths, openGates(config, parts)) : []),
    ...addressGates(config, parts),
    ...corsGates(api, hasAuthentication),
    ...(hasAuthentication ? [loggedPasswordsGate(parts.logger)] : []),
    ...authenticationGates(config, parts),
    noTrace,
    ...authorizationGates(config, parts, hasAuthentication, userGates.length > 0),
    ...(resources && hasAuthentication
      ? exceptAt(publicPaths, [...operatorResources(parts), openApiGate(() => documentedManagementApi(config, parts))])
      : []),
    ...userGates,
  ]
}

const watched = /^\/(?:health|metrics)(?:\/|$)/i

/** A `/health` or `/metrics` that `public_paths` names is a route of the app's, with all its methods: it was there before ours. */
function exceptAt(publicPaths: AllowAnonymous | undefined, gates: readonly Gate[]): readonly Gate[] {
  if (publicPaths === undefined) return gates
  const isOfApp = ({ path }: Request): boolean => watched.test(path) && publicPaths('GET', path) === true
  return gates.map((gate) => unless(isOfApp, gate))
}

/** None for a user store that cannot be managed here: `/users` and `/roles` are left to the app. */
function userGatesFrom(parts: ManagementApiParts): readonly Gate[] {
  const { users: store, usesFileUsers, administration } = parts
  if (usesFileUsers) return [fileUsersGate()]
  if (administration === undefined || !isManagedUserStore(store)) return []
  return [usersGate(store, administration), rolesGate(store, administration)]
}

/** What is answered whoever calls, as far as their own address lists allow it. */
function openGates(config: Config, { health, metrics, logger }: ManagementApiParts): readonly Gate[] {
  const { allowedNetworks } = config.metrics
  const access = { ...config.health, origin: originAt(config, 'health.allow'), logger }
  return [
    probesGate(health, access),
    ...(allowedNetworks.length === 0 ? [] : [openMetricsGate(metrics, allowedNetworks, logger)]),
  ]
}

function addressGates(config: Config, { logger }: ManagementApiParts): readonly Gate[] {
  const { allowedNetworks } = config.managementApi
  if (allowedNetworks === undefined) return []
  const origin = originAt(config, 'management_api.control_access.allow')
  return [trustProxyGate(logger), ipAllowListGate({ networks: allowedNetworks, origin })]
}

/** Without authentication, no origin but those that are listed by name may read anything. */
function corsGates({ cors }: ManagementApiConfig, hasAuthentication: boolean): readonly Gate[] {
  const isOpen = cors.allowedOrigins.includes('*')
  return cors.isEnabled && (hasAuthentication || !isOpen) ? [corsPolicyGate(cors)] : []
}

/** Basic for every resource goes before tokens: then there is no login, and nothing to log out of. */
function authenticationGates(config: Config, parts: ManagementApiParts): readonly Gate[] {
  const { managementApi: api } = config
  const { secondFactor, otpSeparator } = api
  const isPublic = publicPathsFrom(api)
  // Only what the operator wrote counts: by default http is a protocol too.
  const allowPlainHttp = api.areProtocolsExplicit && api.protocols.includes('http')

  if (api.isBasicEnabled) {
    return [
      ...['/login', '/logout', '/jwks'].map((path) => atPath(path, notFound)),
      basicAuthenticationGate({ ...parts, allowAnonymous: isPublic, allowPlainHttp, secondFactor }),
    ]
  }
  if (api.isJwtEnabled) {
    return [
      atPath('/jwks', jwksGate(parts.keys, parts.clock)),
      atPath('/login', basicLoginGate({ ...parts, allowPlainHttp, secondFactor, otpSeparator })),
      atPath('/logout', repeatedLogoutGate(parts)),
      ...(hasMachineAddressRules(config) ? [trustProxyGate(parts.logger)] : []),
      bearerAuthenticationGate({
        ...parts,
        allowAnonymous: isPublic,
        secondFactor,
        machines: createMachineBearers(config, parts, allowPlainHttp),
      }),
      atPath('/logout', logoutGate(parts)),
    ]
  }
  return []
}

function publicPathsFrom({ publicPaths }: ManagementApiConfig): AllowAnonymous | undefined {
  if (publicPaths.length === 0) return undefined
  return compilePathRules({ rules: [], defaultPolicy: 'authenticated', publicPaths }).isPublic
}

function authorizationGates(
  config: Config,
  { usesFileUsers }: ManagementApiParts,
  hasAuthentication: boolean,
  answersUsers: boolean,
): readonly Gate[] {
  const { managementApi, makeNonAdminUsersReadOnly } = config
  const { isEnabled, resources, defaultPolicy, applyToFileUsers } = managementApi.authorization
  // Our resource lets everybody set their own password, and nobody but administrators another one.
  const isOwnPassword = (request: Request): boolean => answersUsers && !usesFileUsers && setsPassword(request)
  const exemptsAll = usesFileUsers && !applyToFileUsers
  const rules = pathAuthorizationGate({
    rules: resources,
    defaultPolicy,
    defaultOrigin: originAt(config, 'management_api.authorization_handler.default_policy'),
    publicPaths: managementApi.publicPaths,
    publicOrigin: originAt(config, 'management_api.public_paths'),
    skipAuthentication: !hasAuthentication,
    // Those who are no users of the file are bound in any case.
    applyTo: ({ kind }) => !exemptsAll || isMachineKind(kind),
    leaveToResource: isOwnPassword,
  })
  const readOnlyUsers = readOnlyUsersGate(originAt(config, 'user_access.make_non_admin_users_read_only'))
  return [...(isEnabled ? [rules] : []), ...(makeNonAdminUsersReadOnly ? [unless(isOwnPassword, readOnlyUsers)] : [])]
}

function unless(isExempt: (request: Request) => boolean, gate: Gate): Gate {
  return (request, response, trace) => (isExempt(request) ? undefined : gate(request, response, trace))
}

/** What pino-http leaves on a request. `bindings` is documented, and answers what each line of the log will hold. */
interface LoggedRequest {
  readonly log?: { bindings?(): { readonly req?: { readonly headers?: { readonly authorization?: unknown } } } }
}

const warning =
  'the log of the app gets the Authorization header of each request, and with it the passwords of logins: ' +
  "write pinoHttp({ redact: ['req.headers.authorization', 'req.headers.cookie'] }) or the like"

/** Warns at the first request with credentials where the app's pino-http is going to log them. */
export function loggedPasswordsGate(logger: Logger): Gate {
  let isChecked = false
  return function loggedPasswordsGate(request) {
    const { authorization } = request.headers
    if (isChecked || authorization === undefined) return undefined
    isChecked = true
    if (loggedAuthorization(request) === authorization) logger.warn({}, warning)
    return undefined
  }
}

function loggedAuthorization(request: Request & LoggedRequest): unknown {
  try {
    return request.log?.bindings?.().req?.headers?.authorization
  } catch {
    return undefined
  }
}
