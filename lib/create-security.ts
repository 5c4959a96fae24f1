/**
 * The wiring: one configuration in, the facets of the front out. This is the only file that knows all the others.
 *
 * ```text
 * request -> address list -> CORS -> authentication -> authorization -> your routes
 * ```
 *
 * @module
 */

import type { Server } from 'node:http'
import type { Express, RequestHandler } from 'express'
import { webAppsGates } from './address-access.js'
import { assertOpen, createReload, type RunningState } from './app/reload.js'
import type { Config } from './config/config.js'
import { located, locateProblems } from './config/locate-problems.js'
import { type ConfigSource, readConfig } from './config/read-config.js'
import { type ChangeContext, SecurityEvents } from './core/events.js'
import { jsonLogger, safeLogger } from './core/logger.js'
import type { ExpressServerOptions } from './create-server.js'
import { type FacetName, Facets, type GatesOf } from './facets.js'
import { facetRefusal } from './internal/facet-refusal.js'
import type { Refuse } from './internal/gate.js'
import { type ManagementApiOptions, managementApiGates } from './management-api.js'
import { oauthFacetGates, openOauth } from './oauth-facet.js'
import { type PortalOptions, portalGates } from './portal.js'
import { portalRefusalAnswer } from './portals/portal-refusal.js'
import { createUserAdministration } from './resources/user-administration.js'
import { demandOptions, type SecurityOptions } from './security-options.js'
import { checkServer, warnAtStart, warnOfOtherMount, warnOfUnmounted } from './start-checks.js'
import { createServerOf } from './tls/create-server-of.js'
import { openServerTls } from './tls/server-tls.js'
import { keyRingOf } from './tokens/key-ring.js'
import { MemoryTokenStore } from './tokens/memory-token-store.js'
import { revocationsFor } from './tokens/revocations.js'
import { readTokenKeys } from './tokens/token-keys.js'
import { createTokens, type Tokens } from './tokens/tokens.js'
import { createAccounts } from './users/accounts.js'
import { createAuthenticator } from './users/authenticator.js'
import { type BreakGlass, createBreakGlass } from './users/break-glass.js'
import { createLoginThrottle } from './users/login-throttle.js'
import { isManaged } from './users/managed-user-store.js'
import { openUserStore } from './users/open-user-store.js'
import type { UserStore } from './users/user-store.js'

/** Options of {@link Security.createServer}. */
export interface CreateServerOptions extends ExpressServerOptions {}

/** A running front. */
export interface Security {
  /**
   * Makes the handler that guards a management API. Mounted at M it answers `M/login`, `M/logout`, `M/jwks`, `M/users`
   * and `M/roles`, and lets an authenticated and authorized request through. The paths in the configuration are relative
   * to M.
   */
  managementApi(options?: ManagementApiOptions): RequestHandler
  /**
   * Makes the handler that guards a portal: `management_console`, `publisher`, `devportal`, `admin`, or any other that has a
   * table `[portal.<name>]`. Mounted at M it answers `M/login`, `M/logout` and `M/session`, and lets a request with a live
   * session through.
   *
   * @example
   * ```ts
   * app.use('/carbon', security.portal('management_console'), consoleApp)
   * ```
   *
   * @throws {@link ConfigError} for a name that the configuration does not have.
   */
  portal(name: string, options?: PortalOptions): RequestHandler
  /**
   * Makes the handler that lets only those addresses pass that `[web_app.control_access]` and
   * `[[servlet_access_control_filter]]` allow, for whatever is mounted after it. Portals do that themselves. It reads no
   * credentials, and without such rules it lets everything pass.
   *
   * @example
   * ```ts
   * app.use(security.webApps())
   * app.use('/shop', shopRoutes)
   * ```
   */
  webApps(): RequestHandler
  /**
   * Makes the handler of the authorization server that `[oauth]` switches on, for the path of its issuer. It answers whatever
   * is below its mount: the endpoints that `M/.well-known/openid-configuration` lists, and its login page.
   *
   * @example
   * ```ts
   * app.use('/oauth2', security.oauth()) // issuer = "https://localhost:9443/oauth2"
   * ```
   *
   * @throws {@link ConfigError} when the configuration does not enable it.
   */
  oauth(): RequestHandler
  /**
   * Makes a server for the app, not yet listening. Its requests and responses carry the app's prototypes from the start,
   * which makes Express several times faster.
   *
   * It speaks HTTPS when the file has `[keystore.tls]` or `[internal_api_ssl_config]`, or allows nothing else; otherwise
   * HTTP. With `protocol: 'https'` the key comes from those tables, then from `[keystore.primary]`; without any, a
   * certificate for trying out is made and kept as `sallyport-tryout.pem` beside the file. A changed certificate file is
   * taken up within a second or two.
   *
   * @example
   * ```ts
   * security.createServer(app, { protocol: 'https' }).listen(9164)
   * security.createServer(app, { protocol: 'http' }).listen(9201)
   * ```
   *
   * @throws {@link ConfigError} when the app's `trust proxy` would let clients choose their address while a rule depends on
   * it, when a control that the configuration switches on is not mounted, or when key material is needed and missing.
   */
  createServer(app: Express, options?: CreateServerOptions): Server
  /** Issues, verifies, lists and revokes tokens. */
  readonly tokens: Tokens
  /** The user store in effect. */
  readonly users: UserStore
  /** Audit events. */
  readonly events: SecurityEvents
  /** The configuration in effect. */
  readonly config: Config
  /**
   * Takes over another configuration, all of it at once; live tokens and sessions stay. Key files, key stores and secrets
   * are read anew: another token key signs from then on, and the one before it verifies until its last token has expired.
   * Changes of `expiry`, `issuer` and `audience` in `token_config`, of `token_store_config`, `login_throttle`, `break_glass`,
   * `[oauth]`, the recheck times and the user store take effect at the next start, and a warning says so. Calls take effect
   * one after the other. Mounts and servers that are made meanwhile take the new configuration too.
   *
   * Rejects with {@link ConfigError}, or with an Error after `close`, and keeps everything as it was.
   */
  reload(source: ConfigSource, context?: ChangeContext): Promise<void>
  /** Ends the login locks of a user, from every source. The lock of a user who was slowed by somebody else ends as well. */
  unlock(userName: string, context?: ChangeContext): void
  /**
   * Ends timers and the stores that this front opened. Requests that are under way are still answered. New mounts and servers
   * are refused with an Error, and so is a `reload` that has not ended. A second call does nothing.
   */
  close(): Promise<void>
  /** Does what `close` does, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Creates the front that a `deployment.toml` describes.
 *
 * @param source - Path or file URL of a TOML file, a parsed TOML object, or a `Config` from `loadConfig` or `parseConfig`.
 *
 * @example
 * ```ts
 * const security = await createSecurity('deployment.toml')
 * app.use('/management', security.managementApi(), managementRoutes)
 * security.createServer(app).listen(9201)
 * ```
 *
 * @throws {@link ConfigError} with all mistakes of the configuration at once.
 */
export async function createSecurity(source: ConfigSource, options: SecurityOptions = {}): Promise<Security> {
  demandOptions(options)
  const { clock = Date.now } = options
  const logger = safeLogger(options.logger ?? jsonLogger())
  // Placeholders may come from elsewhere; whether this is production is a fact of the process.
  const env = { NODE_ENV: process.env['NODE_ENV'], ...(options.env ?? process.env) }
  const configOptions = { ...options, hasUserStore: options.userStore !== undefined }
  const config = await readConfig(source, configOptions)
  const running: RunningState = { config, isClosed: false }
  const { managementApi } = config
  const { token, tokenStore, loginThrottle } = managementApi

  const events = new SecurityEvents(logger)
  const keys = keyRingOf(await located(config, readTokenKeys(config)), clock)
  const opened =
    options.userStore === undefined
      ? await located(config, openUserStore(config, { logger, env, clock, home: options.home }))
      : undefined
  const userStore = options.userStore ?? opened!.users
  const breakGlass = await located(config, breakGlassOf(config, userStore))
  const users = breakGlass?.primary ?? userStore
  const store =
    options.tokenStore ??
    new MemoryTokenStore({
      ...tokenStore,
      maxSessions: config.portalDefaults.maxSessions,
      maxOAuthTokens: config.oauth?.maxTokens,
      clock,
      onEvict: ({ id, subject, kind }) => events.report('eviction', { at: clock(), tokenId: id, subject, kind }),
    })
  const { recheckIntervalSeconds, recheckGraceSeconds } = config
  const accounts = createAccounts({ users, recheckIntervalSeconds, recheckGraceSeconds, clock })
  const revocations = revocationsFor(store, clock)
  const tokens = createTokens({ ...token, store, keys, accounts, events, revocations, clock })
  const throttle = loginThrottle.isEnabled ? createLoginThrottle({ ...loginThrottle, events, clock }) : undefined
  const authenticator = createAuthenticator({ users, throttle, breakGlass, events, clock })
  warnAtStart(config, logger, keys.warnings)

  const tls = await openServerTls(config, { logger, clock, home: options.home, locate: locateProblems })

  const facets = new Facets(() => warnOfUnmounted(running.config, facets.mounted, logger))
  const refuse = facetRefusal(events, clock)
  const refuseAtPortal = (name?: string): Refuse => {
    const support = (): string | undefined => running.config.portals.find((portal) => portal.name === name)?.support
    return facetRefusal(events, clock, portalRefusalAnswer(support))
  }
  const oauthParts = { store, accounts, revocations, authenticator, events, logger, clock }
  const oauth = await located(config, openOauth(config, oauthParts))
  const { isPasswordAcceptable } = options
  const administered = { tokens, accounts, authenticator, events, clock, isPasswordAcceptable }
  const parts = {
    singleSignOn: oauth?.singleSignOn,
    users,
    store,
    revocations,
    tokens,
    keys,
    accounts,
    authenticator,
    events,
    clock,
    logger,
    usesFileUsers: opened !== undefined && !isManaged(users),
    administration: isManaged(users) ? createUserAdministration({ ...administered, store: users }) : undefined,
  }

  async function breakGlassOf({ managementApi: api }: Config, primary: UserStore): Promise<BreakGlass | undefined> {
    const onRecovery = (subject: string): void => {
      tokens
        .revokeUser(subject, { reason: 'the user store can be reached again' })
        .catch((cause: unknown) => logger.error({ cause }, 'break-glass tokens may still be good'))
    }
    return api.breakGlass && createBreakGlass({ ...api.breakGlass, primary, events, onRecovery, clock })
  }

  const tokenSeconds = token.expirySeconds
  const exchanged = { mounts: facets, tls, keys, userStore: opened }
  const reload = createReload({ ...exchanged, running, configOptions, tokenSeconds, events, logger, clock })
  let closing: Promise<void> | undefined

  function mount(name: FacetName, gatesOf: GatesOf, answer: Refuse, portal?: string): RequestHandler {
    assertOpen(running, `security.${name}()`)
    return facets.add(name, running.config, gatesOf, answer, portal)
  }

  /** Closes all, also where one fails. */
  async function close(): Promise<void> {
    running.isClosed = true
    tls.close()
    const ownStores = [options.tokenStore === undefined ? store : undefined, opened && users]
    const ends = await Promise.allSettled([oauth, ...ownStores].map(async (part) => part?.close()))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  const security: Security = {
    tokens,
    users,
    events,

    get config() {
      return running.config
    },

    managementApi(facetOptions) {
      return mount('managementApi', (next) => managementApiGates(next, parts, facetOptions), refuse)
    },

    portal(name, portalOptions) {
      const gatesOf = (next: Config) => portalGates(next, name, parts, portalOptions)
      return mount('portal', gatesOf, refuseAtPortal(name), name)
    },

    webApps() {
      return mount('webApps', (next) => webAppsGates(next, parts), refuse)
    },

    oauth() {
      return mount('oauth', (next) => oauthFacetGates(next, oauth, parts), refuseAtPortal())
    },

    createServer(app, serverOptions = {}) {
      assertOpen(running, 'security.createServer()')
      checkServer(running.config, { app, facets, options: serverOptions, logger })
      const server = createServerOf(running.config, app, { options: serverOptions, tls })
      return server.once('listening', () => warnOfOtherMount(running.config, app, facets, logger))
    },

    reload,

    unlock(userName, context) {
      throttle?.unlock(userName, context)
    },

    close() {
      closing ??= close()
      return closing
    },

    [Symbol.asyncDispose]: () => security.close(),
  }
  return security
}
