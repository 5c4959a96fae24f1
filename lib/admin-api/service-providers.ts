/**
 * `/service-providers`: the apps that may sign people in through the authorization server. No secret and no hash of one is part of it.
 *
 * @module
 */

import type { ServiceProviderConfig } from '../config/config.js'
import type { Origin } from '../core/errors.js'
import type { Gate } from '../http/gate.js'
import { pageOf, readPage } from './page.js'
import { administratorsOnly, type Call, readMember, resourceGate } from './resource.js'
import { ruleFrom } from './rule.js'
import type { ServiceProviderEntry } from './schemas/configuration.js'

/** A service provider that is in effect, and where it is written. */
export interface PlacedServiceProvider {
  readonly provider: ServiceProviderConfig
  readonly origin: Origin
}

/** The service providers in effect; none without an authorization server. */
export interface ServiceProviderList {
  /** What `aud` is where a provider names none. */
  readonly issuer: string
  readonly providers: readonly PlacedServiceProvider[]
}

/** Answers `GET /service-providers?offset=&limit=`, of administrators only, with `{"count","total","list":[`{@link ServiceProviderEntry}`]}`. */
export function serviceProvidersGate({ issuer, providers }: ServiceProviderList): Gate {
  async function list({ query }: Call): Promise<object> {
    return pageOf(providers, readPage(query), ({ provider, origin }) => entryFrom(provider, issuer, origin))
  }

  return administratorsOnly(
    (path) => readMember('service-providers', path) !== undefined,
    resourceGate('service-providers', { GET: list }),
  )
}

function entryFrom(provider: ServiceProviderConfig, issuer: string, origin: Origin): ServiceProviderEntry {
  const { clientId, name, secretHashes, grants, redirectUris, postLogoutRedirectUris, scopes } = provider
  const hasSecret = secretHashes.length > 0
  return {
    clientId,
    name,
    type: hasSecret ? 'confidential' : 'public',
    pkce: 'mandatory',
    hasSecret,
    grants,
    redirectUris,
    postLogoutRedirectUris,
    scopes,
    audience: provider.audience ?? issuer,
    backchannelLogoutUri: provider.backchannelLogoutUri ?? null,
    rule: ruleFrom(origin),
  }
}
