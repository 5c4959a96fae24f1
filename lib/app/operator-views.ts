/**
 * What operators see of what is in effect: the configuration, its API tokens and its service providers.
 *
 * @module
 */

import type { PlacedApiToken } from '../admin-api/api-tokens.js'
import type { ConfigurationView } from '../admin-api/schemas/configuration.js'
import type { ServiceProviderList } from '../admin-api/service-providers.js'
import { originAt } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import type { Origin } from '../core/errors.js'
import type { ConfigurationViewParts } from './configuration-view.js'
import { apiTokenKey } from './machine-access.js'

/** What the resources show. */
export interface OperatorViews {
  /** Of the configuration in effect. */
  readonly describeConfiguration: () => Promise<ConfigurationView>
  readonly listApiTokens: () => readonly PlacedApiToken[]
  readonly serviceProviders: ServiceProviderList
}

/** @param started - The configuration that the authorization server was started with, which it keeps. */
export function createOperatorViews(started: Config, parts: ConfigurationViewParts): OperatorViews {
  const { running } = parts
  let describing: Promise<() => Promise<ConfigurationView>> | undefined
  return {
    async describeConfiguration() {
      describing ??= import('./configuration-view.js').then((view) => view.createConfigurationView(parts))
      return (await describing)()
    },

    listApiTokens: () =>
      running.config.managementApi.apiTokens.map((token, index) => ({
        token,
        origin: originAt(running.config, apiTokenKey(index)),
      })),

    serviceProviders: serviceProvidersOf(started),
  }
}

function serviceProvidersOf(config: Config): ServiceProviderList {
  const { issuer = '', serviceProviders = [] } = config.oauth ?? {}
  const providers = serviceProviders.map((provider, index) => ({ provider, origin: originOf(index, config) }))
  return { issuer, providers }

  /** Behind those that are written come those of the portals of WSO2. */
  function originOf(index: number, config: Config): Origin {
    const key = `oauth.service_provider[${index}]`
    const [callback] = serviceProviders[index]!.redirectUris
    const portal = config.portals.find((candidate) => candidate.callback === callback)
    const isWritten = originAt(config, `${key}.name`).position !== undefined
    return originAt(config, isWritten || portal === undefined ? key : `portal.${portal.name}.callback`)
  }
}
