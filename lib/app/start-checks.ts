/**
 * What only the whole can know: whether the configuration, the app and the mounts that are mounted go together.
 *
 * @module
 */

import type { Express } from 'express'
import { trustProxyProblem } from '../addresses/trust-proxy.js'
import type { Config, EnabledControl } from '../config/config.js'
import { ConfigError, type ConfigProblem } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { nearest } from '../core/names.js'
import type { ExpressServerOptions } from '../http/express/create-server.js'
import { listRoutesBefore } from '../http/express/late-mounts.js'
import { isMountedAt } from '../http/mounted-at.js'
import { mayServeHttps } from '../tls/server-material.js'
import { chooseProtocol } from './create-server-for.js'
import { hasMachineAddressRules } from './machine-access.js'
import { type MountName, type Mounts, portalMount } from './mounts.js'
import { hasAddressRules } from './web-apps.js'

/** What {@link checkServer} looks at besides the configuration. */
export interface ServerCheck {
  readonly app: Express
  /** What was made. */
  readonly mounts: Mounts
  readonly options: ExpressServerOptions
  readonly logger: Logger
}

/** @throws `ConfigError` with everything that keeps a server from being what the configuration says. */
export function checkServer(config: Config, { app, mounts, options, logger }: ServerCheck): void {
  const { managementApi, enabledControls } = config
  const problems = enabledControls.filter((control) => !isEnforced(control, mounts.mounted)).map(unmounted)
  const trustProxy = trustProxyProblem(app)
  if (trustProxy !== undefined) {
    const { health, metrics } = config
    const isWatchedByAddress = health.allowedNetworks !== undefined || metrics.allowedNetworks.length > 0
    const hasRules = managementApi.allowedNetworks !== undefined || hasAddressRules(config)
    if (hasRules || hasMachineAddressRules(config) || isWatchedByAddress)
      problems.push({ key: 'trust proxy', rule: trustProxy })
    else if (managementApi.loginThrottle.isEnabled) {
      logger.warn({}, `the login throttle counts by an address that clients choose: ${trustProxy}`)
    }
  }
  problems.push(...protocolProblems(config, options))
  if (problems.length > 0) throw new ConfigError(problems)
  warnOfPlainOauth(config, app, options, logger)
}

/** Logs what can only be seen when all is mounted. `security` has the methods that make handlers. */
export function warnWhenListening(
  config: Config,
  { app, mounts, security, logger }: Omit<ServerCheck, 'options'> & { readonly security: object },
): void {
  warnOfNoMount(mounts, logger)
  warnOfOtherMount(config, app, mounts, logger)
  warnOfLateMounts(app, mounts, logger)
  warnOfUncalled(app, security as Readonly<Record<string, unknown>>, logger)
}

/** Logs that nothing of this package is mounted: then the app is as open as without it. */
function warnOfNoMount({ mounted }: Mounts, logger: Logger): void {
  if (mounted.size > 0) return
  logger.warn(
    {},
    "nothing of Sallyport is mounted, so that every route is open to everybody; write app.use('/management', security.managementApi(), routes)",
  )
}

/** Logs which methods were mounted without being called, as far as the router shows it: each request there gets 500. */
function warnOfUncalled(app: Express, methods: Readonly<Record<string, unknown>>, logger: Logger): void {
  for (const name of Object.keys(callRules)) {
    if (isMountedAt(app, new Set([methods[name]]), '/') === undefined) continue
    logger.error({}, `security.${name} was mounted without being called; write ${exampleCall(name)}`)
  }
}

/** Logs which mounts come after all routes that they could guard, as those do that are added after `app.init()` of NestJS. */
function warnOfLateMounts(app: Express, mounts: Mounts, logger: Logger): void {
  for (const name of ['managementApi', 'portal'] as const) {
    for (const handler of mounts.listHandlers(name)) {
      const routes = listRoutesBefore(app, handler)
      if (routes.length === 0) continue
      const shown = `${routes.slice(0, 3).join(', ')}${routes.length > 3 ? ', ...' : ''}`
      const rule = `is mounted after all routes below its path, and guards none of them: ${shown}; mount it before them`
      logger.error({ routes: routes.length }, `security.${name}() ${rule} (with NestJS, before app.init())`)
    }
  }
}

/** Logs which controls are on while nothing enforces them, for apps that listen without {@link checkServer}. */
export function warnOfUnmounted({ enabledControls }: Config, mounted: ReadonlySet<string>, logger: Logger): void {
  for (const control of enabledControls) {
    if (isEnforced(control, mounted)) continue
    const { key, rule } = unmounted(control)
    logger.warn({ key }, `${key}: ${rule}`)
  }
}

function isEnforced({ mount, orMount, portal }: EnabledControl, mounted: ReadonlySet<string>): boolean {
  const wanted = portal === undefined ? mount : portalMount(portal)
  return mounted.has(wanted) || (orMount !== undefined && mounted.has(orMount))
}

/** How a mount is mounted; one without an entry cannot be. */
const calls: Partial<Record<MountName, string>> = {
  managementApi: 'security.managementApi()',
  webApps: 'security.webApps()',
  portal: 'security.portal(name)',
  oauth: 'security.oauth()',
  console: 'security.console()',
}

function unmounted({ key, mount, orMount, portal }: EnabledControl): ConfigProblem {
  const mounts = [mount, ...(orMount === undefined ? [] : [orMount])].flatMap((name) => calls[name] ?? [])
  if (portal !== undefined) mounts.splice(0, 1, `security.portal('${portal}')`)
  const remedy = mounts.length > 0 ? `mount ${mounts.join(' or ')}` : 'this version cannot: remove the key'
  return { key, rule: `is switched on, but nothing enforces it: ${remedy}` }
}

/** A server of the front shows its own certificate only where the file allows https at all. */
function protocolProblems(config: Config, { protocol, tls }: ExpressServerOptions): readonly ConfigProblem[] {
  if (protocol !== 'https' || tls !== undefined || mayServeHttps(config)) return []
  const rule = "must have https for a server of protocol 'https', or createServer needs tls: { cert, key }"
  return [{ key: 'management_api.protocols', rule }]
}

/**
 * Mounted elsewhere, it answers nothing but 500. No error: an app of a future Express may look wrong and be right. It is looked at
 * when the server listens: by then all is mounted, and Express makes its router when it is first asked for.
 */
function warnOfOtherMount({ oauth }: Config, app: Express, mounts: Mounts, logger: Logger): void {
  if (oauth === undefined) return
  const { pathname } = new URL(oauth.issuer)
  if (isMountedAt(app, mounts.listHandlers('oauth'), pathname) !== false) return
  const rule = `has the path ${pathname}, but security.oauth() is mounted elsewhere: it will answer no request`
  logger.error({ key: 'oauth.issuer' }, `oauth.issuer: ${rule}`)
}

/** The issuer is https, unless it is on this machine: so is this server, or a proxy that it believes, or nobody gets in. */
function warnOfPlainOauth(config: Config, app: Express, options: ExpressServerOptions, logger: Logger): void {
  if (
    config.oauth === undefined ||
    config.oauth.issuer.startsWith('http:') ||
    chooseProtocol(config, options) === 'https' ||
    trustsSomeProxy(app)
  )
    return
  const rule =
    'is https, but this server speaks plain HTTP and trusts no proxy: from other machines nobody can sign in here, and codes ' +
    "and tokens must not cross a network in the clear (RFC 6749 section 3.1, RFC 9700 section 2.6); set Express' trust proxy " +
    'to the address of the proxy that ends TLS, or make the server with protocol https'
  logger.warn({ key: 'oauth.issuer' }, `oauth.issuer: ${rule}`)
}

/** By the setting alone: which address is trusted says nothing about TLS. */
function trustsSomeProxy(app: Express): boolean {
  const setting: unknown = app.get('trust proxy')
  return Array.isArray(setting) ? setting.length > 0 : Boolean(setting)
}

/** Logs what the configuration, and the key file it names, leave to be desired. */
export function warnAtStart(config: Config, logger: Logger, keyWarnings: readonly ConfigProblem[] = []): void {
  const { managementApi, warnings, enabledControls } = config
  for (const { key, rule, position } of [...warnings, ...keyWarnings]) logger.warn({ key, position }, `${key}: ${rule}`)
  for (const { key, mount } of enabledControls) {
    if (calls[mount] === undefined) logger.warn({ key }, `${key}: is switched on, but this version does not enforce it`)
  }
  if (!managementApi.isJwtEnabled && !managementApi.isBasicEnabled) {
    logger.error({ key: 'management_api.jwt_token_security_handler.enable' }, 'AUTHENTICATION IS OFF: ANYBODY MAY CALL')
  }
}

/** What a running front cannot exchange. */
const fixedAtStart: Readonly<Record<string, (config: Config) => unknown>> = {
  'management_api.jwt_token_security_handler.token_config.expiry': ({ managementApi }) => managementApi.token.expiryMs,
  'management_api.jwt_token_security_handler.token_config.issuer': ({ managementApi }) => managementApi.token.issuer,
  'management_api.jwt_token_security_handler.token_config.audience': ({ managementApi }) =>
    managementApi.token.audience,
  'management_api.jwt_token_security_handler.token_store_config': ({ managementApi }) => managementApi.tokenStore,
  'internal_api_ssl_config.parameter.sslVerifyClient': ({ tls }) => tls.clientCertificates,
  'management_api.login_throttle': ({ managementApi }) => managementApi.loginThrottle,
  'management_api.break_glass': ({ managementApi }) => managementApi.breakGlass,
  'portal.max_sessions': ({ portalDefaults }) => portalDefaults.maxSessions,
  oauth: ({ oauth }) => oauth,
  shared_store: ({ sharedStore }) => sharedStore,
  audit_trail: ({ auditTrail }) => auditTrail,
  'user_store.recheck_interval': ({ recheckIntervalMs }) => recheckIntervalMs,
  'user_store.recheck_grace': ({ recheckGraceMs }) => recheckGraceMs,
}

/** Which changes of a new configuration wait for the next start. */
export function changesAtNextStart(before: Config, after: Config): readonly string[] {
  return Object.entries(fixedAtStart)
    .filter(([, read]) => JSON.stringify(read(before)) !== JSON.stringify(read(after)))
    .map(([key]) => key)
}

/** Logs {@link changesAtNextStart}. */
export function warnOfRestart(before: Config, after: Config, logger: Logger): void {
  for (const key of changesAtNextStart(before, after)) {
    logger.warn({ key }, `${key}: the change takes effect at the next start`)
  }
}

interface CallRules {
  /** How the method is called. */
  readonly example: string
  /** Each option with the type that `typeof` names. */
  readonly options: Readonly<Record<string, 'boolean' | 'function' | 'object' | 'string'>>
}

/** What the methods of a front take. */
const callRules: Readonly<Record<string, CallRules>> = {
  managementApi: {
    example: "app.use('/management', security.managementApi(), routes)",
    options: { resources: 'boolean' },
  },
  portal: {
    example: "app.use('/carbon', security.portal('management_console'), routes)",
    options: { loginPage: 'function', secondFactorPage: 'function', refusalPage: 'function' },
  },
  webApps: { example: 'app.use(security.webApps())', options: {} },
  oauth: { example: "app.use('/oauth2', security.oauth())", options: {} },
  wellKnown: { example: 'app.use(security.wellKnown())', options: {} },
  console: { example: "app.use('/ops', security.console())", options: {} },
  createServer: { example: 'security.createServer(app).listen(9201)', options: { protocol: 'string', tls: 'object' } },
}

/** How a method is mounted. */
export function exampleCall(name: string): string {
  return callRules[name]!.example
}

/** @throws TypeError for a method that was mounted without being called, an unknown option, and one of another type. */
export function assertCall(name: string, options: unknown): void {
  if (options === undefined) return
  const { example, options: known } = callRules[name]!
  const method = `security.${name}`
  if (isRequest(options)) throw new TypeError(`${method} was mounted without being called; write ${example}`)
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`the options of ${method}() must be an object`)
  for (const [option, value] of Object.entries(options)) {
    const type = Object.hasOwn(known, option) ? known[option] : undefined
    if (type === undefined) {
      const suggestion = nearest(option, Object.keys(known))
      throw new TypeError(`${method}() has no option "${option}"${suggestion ? `; did you mean "${suggestion}"?` : ''}`)
    }
    if (value !== undefined && typeof value !== type) {
      throw new TypeError(`the option "${option}" of ${method}() must be of type ${type}, got ${typeof value}`)
    }
  }
}

/** Express calls a handler with the request first. */
function isRequest(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'rawHeaders' in value && 'baseUrl' in value
}
