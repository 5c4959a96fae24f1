/**
 * What only the whole can know: whether the configuration, the app and the facets that are mounted go together.
 *
 * @module
 */

import type { Express } from 'express'
import type { Config, EnabledControl } from './config/config.js'
import type { ExpressServerOptions } from './create-server.js'
import { ConfigError, type ConfigProblem } from './errors.js'
import type { FacetName } from './facets.js'
import { trustProxyProblem } from './internal/trust-proxy.js'
import type { Logger } from './logger.js'

/** What {@link checkServer} looks at besides the configuration. */
export interface ServerCheck {
  readonly app: Express
  /** The facets that were made. */
  readonly mounted: ReadonlySet<FacetName>
  readonly options: ExpressServerOptions
  readonly logger: Logger
}

/** @throws {@link ConfigError} with everything that keeps a server from being what the configuration says. */
export function checkServer(config: Config, { app, mounted, options, logger }: ServerCheck): void {
  const { managementApi, enabledControls } = config
  const problems = enabledControls.filter(({ facet }) => !mounted.has(facet)).map(unmounted)
  const trustProxy = trustProxyProblem(app)
  if (trustProxy !== undefined) {
    if (managementApi.allowedNetworks !== undefined) problems.push({ key: 'trust proxy', rule: trustProxy })
    else if (managementApi.loginThrottle.isEnabled) {
      logger.warn({}, `the login throttle counts by an address that clients choose: ${trustProxy}`)
    }
  }
  problems.push(...tlsProblems(config, options))
  if (problems.length > 0) throw new ConfigError(problems)
}

function unmounted({ key, facet }: EnabledControl): ConfigProblem {
  const remedy = facet === 'managementApi' ? 'mount security.managementApi()' : 'this version cannot: remove the key'
  return { key, rule: `is switched on, but nothing enforces it: ${remedy}` }
}

/** A file that asks for TLS is never served in the clear without a word. */
function tlsProblems(
  { tlsTables, managementApi }: Config,
  { protocol, tls }: ExpressServerOptions,
): readonly ConfigProblem[] {
  if (tls !== undefined || protocol === 'http') return []
  const rule =
    'asks for TLS, and key stores are not part of this version: ' +
    "pass { tls: { cert, key } } to createServer, or { protocol: 'http' } behind a proxy that ends TLS"
  if (tlsTables.length > 0) return tlsTables.map((key) => ({ key, rule }))
  const isHttpsOnly = managementApi.areProtocolsExplicit && !managementApi.protocols.includes('http')
  if (isHttpsOnly) return [{ key: 'management_api.protocols', rule }]
  return protocol === 'https' ? [{ key: 'protocol', rule }] : []
}

/** Logs what the configuration, and the key file it names, leave to be desired. */
export function warnAtStart(config: Config, logger: Logger, keyWarnings: readonly ConfigProblem[] = []): void {
  const { managementApi, warnings, enabledControls } = config
  for (const { key, rule, position } of [...warnings, ...keyWarnings]) logger.warn({ key, position }, `${key}: ${rule}`)
  for (const { key, facet } of enabledControls) {
    if (facet !== 'managementApi') logger.warn({ key }, `${key}: is switched on, but this version does not enforce it`)
  }
  if (!managementApi.isJwtEnabled && !managementApi.isBasicEnabled) {
    logger.error({ key: 'management_api.jwt_token_security_handler.enable' }, 'AUTHENTICATION IS OFF: ANYBODY MAY CALL')
  }
}

/** What a running front cannot exchange. */
const fixedAtStart: Readonly<Record<string, (config: Config) => unknown>> = {
  'management_api.jwt_token_security_handler.token_config': ({ managementApi }) => managementApi.token,
  'management_api.jwt_token_security_handler.token_store_config': ({ managementApi }) => managementApi.tokenStore,
  'management_api.login_throttle': ({ managementApi }) => managementApi.loginThrottle,
  'management_api.break_glass': ({ managementApi }) => managementApi.breakGlass,
  'user_store.recheck_interval': ({ recheckIntervalSeconds }) => recheckIntervalSeconds,
  'user_store.recheck_grace': ({ recheckGraceSeconds }) => recheckGraceSeconds,
}

/** Logs which changes of a new configuration wait for the next start. */
export function warnOfRestart(before: Config, after: Config, logger: Logger): void {
  for (const [key, read] of Object.entries(fixedAtStart)) {
    if (JSON.stringify(read(before)) === JSON.stringify(read(after))) continue
    logger.warn({ key }, `${key}: the change takes effect at the next start`)
  }
}
