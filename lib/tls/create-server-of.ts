/**
 * Servers of a configuration: HTTP or HTTPS as it says, with its key material.
 *
 * @module
 */

import type { Server } from 'node:http'
import type https from 'node:https'
import type { Express } from 'express'
import type { Config } from '../config/config.js'
import { createExpressServer, type ExpressServerOptions } from '../create-server.js'
import type { ServerTls } from './server-tls.js'
import { tlsOptionsOf } from './tls-options.js'

/** What {@link createServerOf} goes by besides the configuration. */
export interface ServerOfOptions {
  /** What the app asks for. */
  readonly options: ExpressServerOptions
  readonly tls: ServerTls
}

/**
 * Makes a server. Versions of TLS and cipher suites are the configuration's also where the app brings its own key, unless it
 * says otherwise.
 *
 * @throws {@link ConfigError} for what is wrong with the key stores.
 */
export function createServerOf(config: Config, app: Express, { options, tls }: ServerOfOptions): Server {
  const protocol = protocolOf(config, options)
  if (protocol === 'http') return createExpressServer(app, { ...options, protocol })
  if (options.tls !== undefined) {
    return createExpressServer(app, { protocol, tls: { ...tlsOptionsOf(config.tls), ...options.tls } })
  }
  const server = createExpressServer(app, { protocol, tls: tls.start() }) as https.Server
  tls.follow(server)
  return server
}

/**
 * What a server of these options speaks. A file that asks for TLS, or for nothing but HTTPS, is never served in the clear
 * without a word.
 */
export function protocolOf(
  { tlsTables, managementApi }: Config,
  { protocol, tls }: ExpressServerOptions,
): 'http' | 'https' {
  if (protocol !== undefined) return protocol
  const isHttpsOnly = managementApi.areProtocolsExplicit && !managementApi.protocols.includes('http')
  return tls !== undefined || tlsTables.length > 0 || isHttpsOnly ? 'https' : 'http'
}
