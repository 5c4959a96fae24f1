/**
 * `[oauth]`: the authorization server that portals and other apps sign in through.
 *
 * @module
 */

import type { OauthConfig, ServiceProviderConfig } from '../config.js'
import { duration, type Field, flag, integer, oneOf, refuseAt, type TableContext, table, tables } from '../fields.js'
import { issuerUri } from './oauth-uris.js'
import { serviceProviderTable } from './service-provider.js'

/** Longest life of an access token: it is looked up at each request, so a long one is no help. */
const maxAccessTokenSeconds = 86_400

/** Longest life of a refresh token, 30 days. */
const maxRefreshTokenSeconds = 2_592_000

/** What `[oauth]` says by itself. */
export type OauthTable = Omit<OauthConfig, 'signOnIdleMs' | 'signOnAbsoluteMs' | 'cookiePrefix'>

/** The authorization server; `undefined` when it is not enabled. */
export const oauthTable: Field<OauthTable | undefined> = table({
  enable: flag.prefault(false),
  issuer: issuerUri.optional(),
  max_tokens: integer(1, 10_000_000).prefault(10_000),
  algorithm: oneOf(['RS256', 'ES256', 'EdDSA']).prefault('RS256'),
  access_token_expiry: duration().prefault('15m'),
  refresh_token_expiry: duration().prefault('8h'),
  service_provider: tables(serviceProviderTable).prefault([]),
}).transform((written, context): OauthTable | undefined => {
  if (!written.enable) return undefined
  const { issuer, access_token_expiry, refresh_token_expiry } = written
  if (issuer === undefined) {
    refuseAt(context, ['issuer'], 'must be the https URL that security.oauth() is mounted at')
  }
  refuseLong(access_token_expiry, maxAccessTokenSeconds, 'access_token_expiry', 'a day', context)
  refuseLong(refresh_token_expiry, maxRefreshTokenSeconds, 'refresh_token_expiry', '30 days', context)
  refuseSameIds(written.service_provider, context)
  return {
    issuer: issuer ?? '',
    maxTokens: written.max_tokens,
    algorithm: written.algorithm,
    accessTokenSeconds: Math.ceil(access_token_expiry),
    refreshTokenSeconds: Math.ceil(refresh_token_expiry),
    serviceProviders: written.service_provider.filter((provider) => provider !== undefined),
  }
})

function refuseLong(seconds: number, most: number, key: string, inWords: string, context: TableContext): void {
  if (seconds > most) refuseAt(context, [key], `must be at most ${inWords}`)
}

function refuseSameIds(providers: readonly (ServiceProviderConfig | undefined)[], context: TableContext): void {
  const seen = new Set<string>()
  for (const [index, provider] of providers.entries()) {
    if (provider === undefined) continue
    if (seen.has(provider.clientId)) {
      refuseAt(context, ['service_provider', index], 'must not have the client id of another service provider')
    }
    seen.add(provider.clientId)
  }
}
