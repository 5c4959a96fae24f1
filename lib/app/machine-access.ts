/**
 * API tokens, tokens of a trusted issuer and those of WSO2's control plane: from the configuration to the gate of the management API.
 *
 * @module
 */

import type { Request } from 'express'
import { networkSet } from '../addresses/network-set.js'
import { clientAddress } from '../addresses/trust-proxy.js'
import { originAt } from '../config/checks/origins.js'
import type { ApiTokenConfig, Config } from '../config/config.js'
import { type Auth, setAuth } from '../core/auth.js'
import { ForbiddenError, type HttpError, type Origin } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { andThen } from '../core/thenable.js'
import { readClient } from '../http/client.js'
import { plainHttpRefusal } from '../http/plain-http.js'
import type { MachineBearers } from '../middleware/bearer-authentication.js'
import { hasOneReading, readingsFrom } from '../paths/readings.js'
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
  config: Config,
  { clock, logger, fetch }: MachineSourceParts,
): readonly CredentialSource[] {
  const { managementApi, icp } = config
  const { trustedIssuer, apiTokens } = managementApi
  const sources: CredentialSource[] = []
  if (apiTokens.length > 0) sources.push(apiTokenSource(apiTokens, (index) => originAt(config, apiTokenKey(index))))
  if (trustedIssuer !== undefined) {
    const onFailure = (cause: unknown): void =>
      logger.warn({ key: 'management_api.trusted_issuer', cause }, 'the keys of the trusted issuer cannot be read')
    const { issuer, jwksUri } = trustedIssuer
    sources.push(issuerTokenSource(trustedIssuer, createIssuerKeys({ issuer, jwksUri, onFailure, fetch }), clock))
  }
  if (icp !== undefined) sources.push(icpTokenSource(icp, clock))
  return sources
}

/** The key of an entry of the list. */
export function apiTokenKey(index: number): string {
  return `management_api.api_tokens[${index}]`
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

/** What one API token may do beyond its roles. */
interface ApiTokenLimits {
  readonly isAllowedFrom: AddressRule
  readonly opens: (path: string) => boolean
  /** Where `allow` and `paths` are written. */
  readonly allow: Origin
  readonly paths: Origin
  /** Warns of its end, once a day. */
  warn(): void
}

/** The credentials of a configuration at the gate of the management API, with what each may do beyond its roles. */
export function createMachineBearers(
  config: Config,
  { machines, clock, logger }: MachineBearerParts,
  allowPlainHttp: boolean,
): MachineBearers {
  const { managementApi, icp } = config
  const limits = new Map(
    managementApi.apiTokens.map((token, index): [string, ApiTokenLimits] => {
      const origin = (name: string): Origin => originAt(config, `${apiTokenKey(index)}.${name}`)
      return [
        tokenId('api', token.hash),
        {
          isAllowedFrom: addressRule(token.allowedNetworks),
          opens: pathRule(token.paths),
          allow: origin('allow'),
          paths: origin('paths'),
          warn: endWarning(token, clock, logger),
        },
      ]
    }),
  )
  const icpLimits = { isAllowedFrom: addressRule(icp?.allowedNetworks), allow: originAt(config, 'icp_config.allow') }

  /** Who has found a token learns nothing of it: from elsewhere it is as good as any text. */
  function refuseUse(credential: MachineCredential, request: Request): HttpError | undefined {
    const { kind, id } = credential
    if (kind === 'issuer') return undefined
    const what = kind === 'api' ? 'API tokens' : 'Tokens of the control plane'
    const refusal = plainHttpRefusal(request, allowPlainHttp, undefined, what)
    if (refusal !== undefined) return refusal
    const rules = kind === 'icp' ? icpLimits : limits.get(id)
    const address = clientAddress(request)
    if (rules === undefined || rules.isAllowedFrom(address)) return undefined
    return machines.refuse(credential, 'its address is not allowed', address, rules.allow)
  }

  /** Only of a token that is good: then the log says whose it is. */
  function admit(own: ApiTokenLimits, request: Request, auth: Auth): Auth {
    if (!own.opens(request.path)) {
      setAuth(request, auth)
      throw new ForbiddenError('ERR_PATH_DENIED', 'Access to this path is denied.', { origin: own.paths })
    }
    own.warn()
    return auth
  }

  return {
    read: machines.read,

    verify(request, credential): Auth | Promise<Auth> {
      const refusal = refuseUse(credential, request)
      if (refusal !== undefined) throw refusal
      const own = limits.get(credential.id)
      const verified = machines.verify(credential, () => readClient(request))
      return own === undefined ? verified : andThen(verified, (auth) => admit(own, request, auth))
    },
  }
}

function endWarning(token: ApiTokenConfig, clock: () => number, logger: Logger): () => void {
  let warnedAt = clock()
  return () => {
    const now = clock()
    if (token.expiresAt - now >= warningMs || now - warnedAt < dayMs) return
    warnedAt = now
    warnOfEnd(token, now, logger)
  }
}

type AddressRule = (address: string | undefined) => boolean

function addressRule(networks: readonly string[] | undefined): AddressRule {
  if (networks === undefined) return () => true
  const isAllowed = networkSet(networks)
  return (address) => address !== undefined && isAllowed(address)
}

/** A path that can be read in several ways has to be one of the token's in all of them. */
function pathRule(paths: readonly string[] | undefined): (path: string) => boolean {
  if (paths === undefined) return () => true
  const isWithin = (path: string): boolean =>
    paths.some((allowed) => allowed === '/' || path === allowed || path.startsWith(`${allowed}/`))
  return (path) => (hasOneReading(path) ? [path] : readingsFrom(path))?.every(isWithin) === true
}
