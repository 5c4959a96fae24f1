/**
 * API tokens, tokens of a trusted issuer and those of WSO2's control plane: from the configuration to the gate of the management API.
 *
 * @module
 */

import type { Request } from 'express'
import { networkSet } from '../addresses/network-set.js'
import { clientAddress } from '../addresses/trust-proxy.js'
import type { ApiTokenConfig, Config } from '../config/config.js'
import type { Auth } from '../core/auth.js'
import { ForbiddenError, type HttpError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { plainHttpRefusal } from '../http/plain-http.js'
import type { MachineBearers } from '../middleware/bearer-authentication.js'
import { hasOneReading, readingsFrom } from '../paths/readings.js'
import { invalidToken } from '../tokens/jwt/verify-token.js'
import { apiTokenSource } from '../tokens/machines/api-tokens.js'
import type { CredentialSource } from '../tokens/machines/credential-source.js'
import { icpTokenSource } from '../tokens/machines/icp-tokens.js'
import { issuerTokenSource } from '../tokens/machines/issuer-tokens.js'
import type { MachineCredential, MachineTokens } from '../tokens/machines/machine-tokens.js'
import { tokenId } from '../tokens/token-id.js'
import { createIssuerKeys } from '../tokens/trusted-issuers/issuer-keys.js'

/** What {@link createMachineSources} works with. */
export interface MachineSourceParts {
  readonly clock: () => number
  readonly logger: Logger
  /** @defaultValue the global one */
  readonly fetch?: typeof fetch | undefined
}

/** The credentials that a configuration accepts. */
export function createMachineSources(
  { managementApi: { trustedIssuer, apiTokens }, icp }: Config,
  { clock, logger, fetch }: MachineSourceParts,
): readonly CredentialSource[] {
  const sources: CredentialSource[] = []
  if (apiTokens.length > 0) sources.push(apiTokenSource(apiTokens))
  if (trustedIssuer !== undefined) {
    const onFailure = (cause: unknown): void =>
      logger.warn({ key: 'management_api.trusted_issuer', cause }, 'the keys of the trusted issuer cannot be read')
    const { issuer, jwksUri } = trustedIssuer
    sources.push(issuerTokenSource(trustedIssuer, createIssuerKeys({ issuer, jwksUri, onFailure, fetch }), clock))
  }
  if (icp !== undefined) sources.push(icpTokenSource(icp, clock))
  return sources
}

/** Whether some credential is good from some addresses only. */
export function hasMachineAddressRules({ managementApi: { apiTokens }, icp }: Config): boolean {
  return [...apiTokens, icp].some((one) => one?.allowedNetworks !== undefined)
}

/** Accepts what a configuration says, and warns of what ends soon. */
export function startMachineAccess(config: Config, parts: MachineBearerParts): void {
  parts.machines.use(createMachineSources(config, parts))
  warnOfEnds(config, parts)
}

const dayMs = 24 * 3_600_000

/** How long before its end an API token is warned of. */
const warningMs = 14 * dayMs

/** Logs which API tokens end soon, or have ended. */
export function warnOfEnds({ managementApi: { apiTokens } }: Config, { clock, logger }: MachineSourceParts): void {
  for (const token of apiTokens) if (token.expiresAt - clock() < warningMs) warnOfEnd(token, clock(), logger)
}

function warnOfEnd({ name, expiresAt }: ApiTokenConfig, now: number, logger: Logger): void {
  const end = new Date(expiresAt).toISOString()
  const text = now < expiresAt ? `ends at ${end}: make its successor` : `has ended at ${end}: take it out of the file`
  logger.warn({ key: 'management_api.api_tokens', name }, `management_api.api_tokens: ${name} ${text}`)
}

/** What {@link createMachineBearers} works with. */
export interface MachineBearerParts extends MachineSourceParts {
  readonly machines: MachineTokens
}

type Limit = (request: Request) => HttpError | undefined

/** The credentials of a configuration at the gate of the management API, with what each may do beyond its roles. */
export function createMachineBearers(
  config: Config,
  { machines, clock, logger }: MachineBearerParts,
  allowPlainHttp: boolean,
): MachineBearers {
  const { managementApi, icp } = config
  const apiLimits = new Map(
    managementApi.apiTokens.map((token) => [tokenId('api', token.hash), apiTokenLimit(token, clock, logger)]),
  )
  const icpAddresses = addressLimit(icp?.allowedNetworks)

  function limit({ kind, id }: MachineCredential, request: Request): HttpError | undefined {
    if (kind === 'issuer') return undefined
    const what = kind === 'api' ? 'API tokens' : 'Tokens of the control plane'
    const refusal = plainHttpRefusal(request, allowPlainHttp, undefined, what)
    if (refusal !== undefined) return refusal
    return kind === 'icp' ? icpAddresses(request) : apiLimits.get(id)?.(request)
  }

  return {
    read: machines.read,

    verify(request, credential): Auth | Promise<Auth> {
      const refusal = limit(credential, request)
      if (refusal !== undefined) throw refusal
      return machines.verify(credential, () => clientAddress(request))
    },
  }
}

function apiTokenLimit(token: ApiTokenConfig, clock: () => number, logger: Logger): Limit {
  const refuseAddress = addressLimit(token.allowedNetworks)
  const refusePath = pathLimit(token.paths)
  let warnedAt = clock()
  return (request) => {
    const refusal = refuseAddress(request) ?? refusePath(request)
    const now = clock()
    if (refusal === undefined && token.expiresAt - now < warningMs && now - warnedAt >= dayMs) {
      warnedAt = now
      warnOfEnd(token, now, logger)
    }
    return refusal
  }
}

/** Who has found a token learns nothing of it: from elsewhere it is as good as any text. */
function addressLimit(networks: readonly string[] | undefined): Limit {
  if (networks === undefined) return () => undefined
  const isAllowed = networkSet(networks)
  return (request) => {
    const address = clientAddress(request)
    return address !== undefined && isAllowed(address) ? undefined : invalidToken('its address is not allowed')
  }
}

/** A path that can be read in several ways has to be one of the token's in all of them. */
function pathLimit(paths: readonly string[] | undefined): Limit {
  if (paths === undefined) return () => undefined
  const isWithin = (path: string): boolean =>
    paths.some((allowed) => allowed === '/' || path === allowed || path.startsWith(`${allowed}/`))
  return ({ path }) => {
    const readings = hasOneReading(path) ? [path] : readingsFrom(path)
    if (readings?.every(isWithin)) return undefined
    return new ForbiddenError('ERR_PATH_DENIED', 'Access to this path is denied.', {
      origin: { key: 'management_api.api_tokens' },
    })
  }
}
