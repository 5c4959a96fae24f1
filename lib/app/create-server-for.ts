/**
 * Servers of a configuration: HTTP or HTTPS as it says, with its key material.
 *
 * @module
 */

import type { Server } from 'node:http'
import type https from 'node:https'
import type { Express } from 'express'
import type { Config } from '../config/config.js'
import { createExpressServer, type ExpressServerOptions } from '../http/express/create-server.js'
import { createTlsOptions } from '../tls/server-material.js'
import type { ServerTls } from '../tls/server-tls.js'

/** Options of {@link createServerFor}, besides the configuration. */
export interface ServerForOptions {
  /** What the app asks for. */
  readonly options: ExpressServerOptions
  readonly tls: ServerTls
}

/**
 * Creates a server. TLS versions and cipher suites of the configuration also apply to the app's own key, unless the app
 * overrides them.
 *
 * @throws `ConfigError` for what is wrong with the key stores.
 */
export function createServerFor(config: Config, app: Express, { options, tls }: ServerForOptions): Server {
  const protocol = chooseProtocol(config, options)
  if (protocol === 'http') return createExpressServer(app, { ...options, protocol })
  if (options.tls !== undefined) {
    return createExpressServer(app, { protocol, tls: { ...createTlsOptions(config.tls), ...options.tls } })
  }
  const server = createExpressServer(app, { protocol, tls: tls.start() }) as https.Server
  tls.follow(server)
  return server
}

/**
 * The protocol of a server: HTTPS when the file configures TLS or allows HTTPS alone, unless the app asks for HTTP.
 */
export function chooseProtocol(
  { tlsTables, managementApi }: Config,
  { protocol, tls }: ExpressServerOptions,
): 'http' | 'https' {
  if (protocol !== undefined) return protocol
  const isHttpsOnly = managementApi.areProtocolsExplicit && !managementApi.protocols.includes('http')
  return tls !== undefined || tlsTables.length > 0 || isHttpsOnly ? 'https' : 'http'
}
