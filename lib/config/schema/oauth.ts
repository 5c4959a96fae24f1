/**
 * `[oauth]`: the authorization server that portals and other apps sign in through.
 *
 * @module
 */

import { managementConsole } from '../../core/names.js'
import { type SecondFactorPolicy, strictestPolicy } from '../../core/second-factor.js'
import type { Finding } from '../checks/findings.js'
import type { OauthConfig, PortalConfig, ServiceProviderConfig, TokenConfig } from '../config.js'
import { parseDuration } from '../values/durations.js'
import { networks } from './control-access.js'
import {
  duration,
  type Field,
  field,
  flag,
  integer,
  oneOf,
  refuseAt,
  refuseRepeated,
  table,
  tables,
  wholeSeconds,
} from './fields.js'
import { signInList } from './identity-provider.js'
import type { PortalTables, TomcatTable } from './portals.js'
import { secondFactorPolicy } from './second-factor.js'
import { issuerUri, redirectUri, serviceProviderTable } from './service-provider.js'

/** Longest life of an access token: it is looked up at each request, so a long one is no help. */
const maxAccessTokenMs = 86_400_000

const maxRefreshTokenMs = 2_592_000_000

const maxRefreshReuseMs = 30_000

/** As long as that a stolen token can be used, too. */
const reuseWindow: Field<number> = field((value, refuse) => {
  const milliseconds = value === '0s' ? 0 : typeof value === 'string' ? parseDuration(value) : undefined
  if (milliseconds !== undefined && milliseconds <= maxRefreshReuseMs) return milliseconds
  return refuse('must be a duration of at most 30 seconds, such as "10s", or "0s" for none')
}).meta({ unit: 'duration' })

export type OauthTable = Omit<OauthConfig, 'signOnIdleMs' | 'signOnAbsoluteMs' | 'cookiePrefix' | 'secondFactor'> & {
  readonly secondFactor: SecondFactorPolicy | undefined
}

export const oauthTable: Field<OauthTable | undefined> = table({
  enable: flag.prefault(false).describe('whether there is an authorization server'),
  issuer: issuerUri
    .optional()
    .describe('https URL that `security.oauth()` is mounted at; http on this machine, with a warning')
    .meta({ absent: 'required with `enable`' }),
  sign_in: signInList.prefault(['local']),
  max_tokens: integer(1, 10_000_000)
    .prefault(10_000)
    .describe('live access tokens, and separately sign-ins with all that belongs to them'),
  algorithm: oneOf(['RS256', 'ES256', 'EdDSA']).prefault('RS256').describe('of access tokens and ID tokens'),
  access_token_expiry: duration().prefault('15m').describe('life of an access token, at most a day'),
  refresh_token_expiry: duration()
    .prefault('8h')
    .describe('counted from the sign-in, at most 30 days; no refresh extends it'),
  second_factor: secondFactorPolicy
    .optional()
    .describe('who has to show a second factor on its login page')
    .meta({ absent: 'the strictest of all portals' }),
  refresh_reuse_window: reuseWindow
    .prefault('0s')
    .describe('how long a used refresh token gives its client the same successor once more; at most 30 seconds'),
  backchannel_logout_allow: networks
    .prefault([])
    .describe('addresses that are not public and that `backchannel_logout_uri` may lead to'),
  service_provider: tables(serviceProviderTable).prefault([]),
}).transform((written, context): OauthTable | undefined => {
  if (!written.enable) return undefined
  const { issuer, access_token_expiry, refresh_token_expiry, service_provider } = written
  if (issuer === undefined) refuseAt(context, ['issuer'], 'must be the https URL that security.oauth() is mounted at')
  if (access_token_expiry > maxAccessTokenMs) refuseAt(context, ['access_token_expiry'], 'must be at most a day')
  if (refresh_token_expiry > maxRefreshTokenMs) {
    refuseAt(context, ['refresh_token_expiry'], 'must be at most 30 days')
  }
  const clientIds = service_provider.map((provider) => provider?.clientId)
  const rule = 'must not have the client id of another service provider'
  refuseRepeated(context, clientIds, (index) => ['service_provider', index], rule)
  return {
    issuer: issuer ?? '',
    signIn: written.sign_in,
    maxTokens: written.max_tokens,
    algorithm: written.algorithm,
    secondFactor: written.second_factor,
    accessTokenMs: wholeSeconds(access_token_expiry),
    refreshTokenMs: wholeSeconds(refresh_token_expiry),
    refreshReuseMs: written.refresh_reuse_window,
    backchannelLogoutAllow: written.backchannel_logout_allow,
    serviceProviders: service_provider.filter((provider) => provider !== undefined),
  }
})

/** Audience of management tokens unless the file names another. */
const managementAudience = 'management-api'

/** Service providers that WSO2 makes by itself, by the portal whose callback they are for. */
const portalProviders: Readonly<Record<string, string>> = { publisher: 'apim_publisher', devportal: 'apim_devportal' }

/** Name of the portal that a client of WSO2's is for; of any other, its own. */
export function portalOfClient(clientId: string): string {
  return Object.keys(portalProviders).find((portal) => portalProviders[portal] === clientId) ?? clientId
}

export function checkOauth(
  oauth: OauthTable | undefined,
  managementTokens: TokenConfig,
  portal: PortalTables,
  mistake: (finding: Finding) => void,
): void {
  if (oauth === undefined) return
  for (const [index, { audience }] of oauth.serviceProviders.entries()) {
    if (audience !== managementAudience && audience !== managementTokens.audience) continue
    const rule = 'must not name the management API: OAuth tokens never open it'
    mistake({ path: ['oauth', 'service_provider', index, 'audience'], rule })
  }
  for (const name of Object.keys(portalProviders)) {
    const callback = portal.named.get(name)?.callback
    const error = callback === undefined ? undefined : redirectUri.safeParse(callback).error
    if (error !== undefined) mistake({ path: ['portal', name, 'callback'], rule: error.issues[0]!.message })
  }
}

export function createOauth(
  oauth: OauthTable | undefined,
  tomcat: TomcatTable,
  portal: PortalTables,
  portals: readonly PortalConfig[],
): OauthConfig | undefined {
  if (oauth === undefined) return undefined
  const sharing = portals.filter(({ name }) => name !== managementConsole)
  const added = Object.entries(portalProviders).flatMap(([name, clientId]): ServiceProviderConfig[] => {
    const config = portals.find((portal) => portal.name === name)
    const isWritten = oauth.serviceProviders.some((provider) => provider.clientId === clientId)
    return config?.callback === undefined || isWritten ? [] : [createProvider(clientId, config, config.callback)]
  })
  return {
    ...oauth,
    cookiePrefix: portal.cookie_prefix,
    secondFactor: oauth.secondFactor ?? strictestPolicy(portals.map(({ secondFactor }) => secondFactor)),
    serviceProviders: [...oauth.serviceProviders, ...added],
    signOnIdleMs: Math.round(tomcat.global.session_timeout),
    // No session of a portal ends by it before its own time.
    signOnAbsoluteMs: Math.max(...sharing.map(({ absoluteTimeoutMs }) => absoluteTimeoutMs)),
  }
}

/** As WSO2's portals register themselves, with both flags of the console. */
function createProvider(clientId: string, { name, roles }: PortalConfig, callback: string): ServiceProviderConfig {
  return {
    name: clientId,
    clientId,
    redirectUris: [callback],
    postLogoutRedirectUris: [...new Set([new URL('logout', callback).href, callback])],
    secretHashes: [],
    grants: ['authorization_code'],
    audience: undefined,
    scopes: apimScopes[name] ?? [],
    scopeRoles: roles,
    adminScopes: [apimAdminScope],
    claimsIn: ['id_token'],
    issueRefreshTokens: true,
    isNative: false,
    responseModes: ['query'],
    backchannelLogoutUri: undefined,
  }
}

/** The one scope of a portal that is for administrators alone. */
export const apimAdminScope = 'apim:admin'

/** What they ask for at each sign-in, by portal. Which of these a release asks for differs: others are left out. */
export const apimScopes: Readonly<Record<string, readonly string[]>> = {
  devportal: apim(`
    admin api_key app_import_export app_manage app_update store_settings sub_alert_manage sub_manage subscribe`),
  publisher: [
    ...apim(`
      admin api_create api_delete api_generate_key api_import_export api_list_view api_manage api_mediation_policy_manage
      api_metadata_view api_product_import_export api_publish api_view app_import_export client_certificates_add
      client_certificates_manage client_certificates_update client_certificates_view comment_manage comment_view
      comment_write common_operation_policy_manage common_operation_policy_view document_create document_manage
      ep_certificates_add ep_certificates_manage ep_certificates_update ep_certificates_view external_services_discover
      gateway_policy_manage gateway_policy_view llm_provider_read mcp_server_create mcp_server_delete mcp_server_manage
      mcp_server_publish mcp_server_view mediation_policy_create mediation_policy_manage mediation_policy_view
      monetization_usage_publish policies_import_export pub_alert_manage publisher_settings shared_scope_manage
      subscription_approval_manage subscription_approval_view subscription_block subscription_manage subscription_view
      threat_protection_policy_create threat_protection_policy_manage tier_manage tier_view`),
    'service_catalog:service_view',
    'service_catalog:service_write',
  ],
}

function apim(names: string): readonly string[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => `apim:${name}`)
}
