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
import type { Config } from './config/config.js'
import { locateProblems } from './config/locate-problems.js'
import { type ConfigSource, readConfig } from './config/read-config.js'
import { createExpressServer, type ExpressServerOptions } from './create-server.js'
import { ConfigError } from './errors.js'
import { SecurityEvents } from './events.js'
import { Facets } from './facets.js'
import { facetRefusal } from './internal/facet-refusal.js'
import { handlerOf } from './internal/gate.js'
import { jsonLogger } from './logger.js'
import { type ManagementApiOptions, managementApiGates } from './management-api.js'
import { demandOptions, type SecurityOptions } from './security-options.js'
import { checkServer, warnAtStart, warnOfRestart } from './start-checks.js'
import { createKeyRing } from './tokens/key-ring.js'
import { MemoryTokenStore } from './tokens/memory-token-store.js'
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
   * Makes a server for the app, not yet listening. Its requests and responses carry the app's prototypes from the start,
   * which makes Express several times faster.
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
   * Takes over another configuration, all of it at once; live tokens stay. Changes of `token_config`, `token_store_config`,
   * `login_throttle`, `break_glass`, the recheck times and the user store take effect at the next start, and a warning
   * says so. Calls take effect one after the other.
   *
   * @throws {@link ConfigError} and keeps everything as it was.
   */
  reload(source: ConfigSource): Promise<void>
  /** Ends the login locks of a user, from every source. The lock of a user who was slowed by somebody else ends as well. */
  unlock(userName: string): void
  /** Ends timers and the stores that this front opened. Requests that are under way are still answered. */
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
  const { logger = jsonLogger(), clock = Date.now } = options
  // Placeholders may come from elsewhere; whether this is production is a fact of the process.
  const env = { NODE_ENV: process.env['NODE_ENV'], ...(options.env ?? process.env) }
  const configOptions = { ...options, hasUserStore: options.userStore !== undefined }
  let config = await readConfig(source, configOptions)
  const { managementApi } = config
  const { token, tokenStore, loginThrottle } = managementApi

  const events = new SecurityEvents(logger)
  const keys = await located(config, createKeyRing(token))
  const opened =
    options.userStore === undefined
      ? await located(config, openUserStore(config, { logger, env, clock, home: options.home }))
      : undefined
  const userStore = options.userStore ?? opened!.users
  const breakGlass = breakGlassOf(config, userStore)
  const users = breakGlass?.primary ?? userStore
  const store =
    options.tokenStore ??
    new MemoryTokenStore({
      ...tokenStore,
      clock,
      onEvict: ({ id, subject, kind }) => events.report('eviction', { at: clock(), tokenId: id, subject, kind }),
    })
  const { recheckIntervalSeconds, recheckGraceSeconds } = config
  const accounts = createAccounts({ users, recheckIntervalSeconds, recheckGraceSeconds, clock })
  const tokens = createTokens({ ...token, store, keys, accounts, events, clock })
  const throttle = loginThrottle.isEnabled ? createLoginThrottle({ ...loginThrottle, clock }) : undefined
  const authenticator = createAuthenticator({ users, throttle, breakGlass, events, clock })
  warnAtStart(config, logger, keys.warnings)

  const facets = new Facets()
  const refuse = facetRefusal(events, clock)
  const parts = {
    users,
    tokens,
    keys,
    accounts,
    authenticator,
    events,
    clock,
    logger,
    usesFileUsers: opened !== undefined && !isManaged(users),
    isPasswordAcceptable: options.isPasswordAcceptable,
  }

  function breakGlassOf({ managementApi: api }: Config, primary: UserStore): BreakGlass | undefined {
    const onRecovery = (subject: string): void => {
      tokens
        .revokeUser(subject)
        .catch((cause: unknown) => logger.error({ cause }, 'break-glass tokens may still be good'))
    }
    return api.breakGlass && createBreakGlass({ ...api.breakGlass, primary, events, onRecovery, clock })
  }

  let reloading: Promise<void> = Promise.resolve()

  async function takeOver(source: ConfigSource): Promise<void> {
    const next = await readConfig(source, configOptions)
    // Made before anything is exchanged: a rule that cannot be compiled must not stop halfway.
    const exchange = facets.prepare(next)
    await located(next, opened?.reload(next))
    warnOfRestart(config, next, logger)
    warnAtStart(next, logger)
    config = next
    exchange()
  }

  const security: Security = {
    tokens,
    users,
    events,

    get config() {
      return config
    },

    managementApi(facetOptions) {
      const row = facets.add('managementApi', config, (current) => managementApiGates(current, parts, facetOptions))
      return handlerOf(row, refuse)
    },

    createServer(app, serverOptions = {}) {
      checkServer(config, { app, mounted: facets.mounted, options: serverOptions, logger })
      return createExpressServer(app, serverOptions)
    },

    reload(nextSource) {
      // One after the other: the configuration of the last call is the one that stays.
      reloading = reloading.catch(() => undefined).then(() => takeOver(nextSource))
      return reloading
    },

    unlock(userName) {
      throttle?.unlock(userName)
    },

    async close() {
      if (options.tokenStore === undefined) await store.close()
      if (options.userStore === undefined) await users.close()
    },

    [Symbol.asyncDispose]: () => security.close(),
  }
  return security
}

/** Says where in the file a mistake stands that was found only when something was opened. */
async function located<Result>(config: Config, opening: Result | Promise<Result>): Promise<Result> {
  try {
    return await opening
  } catch (error) {
    throw error instanceof ConfigError ? await locateProblems(error, config) : error
  }
}
