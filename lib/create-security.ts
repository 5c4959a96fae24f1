/**
 * The wiring: one configuration in, the mounts of the front out. This is the only file that knows all the others.
 *
 * ```text
 * request -> address list -> CORS -> authentication -> authorization -> your routes
 * ```
 *
 * @module
 */

import type { RequestHandler } from 'express'
import { webAppsGates } from './address-access.js'
import { assertCall } from './app/assert-call.js'
import { assertOpen, createReload, type RunningState } from './app/reload.js'
import type { Security } from './app/security.js'
import { inBackground } from './async/background.js'
import type { Config } from './config/config.js'
import { located, locateProblems } from './config/locate-problems.js'
import { type ConfigSource, readConfig } from './config/read-config.js'
import { systemClock } from './core/clock.js'
import { SecurityEvents } from './core/events.js'
import { jsonLogger, safeLogger } from './core/logger.js'
import { type FacetName, Facets, type GatesOf } from './facets.js'
import { facetRefusal } from './internal/facet-refusal.js'
import type { Refuse } from './internal/gate.js'
import { managementApiGates } from './management-api.js'
import { oauthFacetGates, openOauth } from './oauth-facet.js'
import { portalGates } from './portal.js'
import { portalRefusalAnswer } from './portals/portal-refusal.js'
import { createUserAdministration } from './resources/user-administration.js'
import { demandOptions, type SecurityOptions } from './security-options.js'
import {
  checkServer,
  warnAtStart,
  warnOfNoMount,
  warnOfOtherMount,
  warnOfUncalled,
  warnOfUnmounted,
  warnOfUpgrades,
} from './start-checks.js'
import { createServerOf } from './tls/create-server-of.js'
import { openServerTls } from './tls/server-tls.js'
import { keyRingOf } from './tokens/key-ring.js'
import { MemoryTokenStore } from './tokens/memory-token-store.js'
import { revocationsFor } from './tokens/revocations.js'
import { readTokenKeys } from './tokens/token-keys.js'
import { createTokens } from './tokens/tokens.js'
import { createAccounts } from './users/accounts.js'
import { warnWithoutAdministrator } from './users/administrator-check.js'
import { createAuthenticator } from './users/authenticator.js'
import { type BreakGlass, createBreakGlass } from './users/break-glass.js'
import { createLoginThrottle } from './users/login-throttle.js'
import { isManaged } from './users/managed-user-store.js'
import { openUserStore } from './users/open-user-store.js'
import type { UserStore } from './users/user-store.js'

export type { CreateServerOptions, Security } from './app/security.js'

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
  const { clock = systemClock } = options
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
  if (opened !== undefined && isManaged(userStore)) inBackground(() => warnWithoutAdministrator(userStore, logger))
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
  const oauthParts = { store, users, accounts, revocations, authenticator, events, logger, clock }
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
      assertCall('managementApi', facetOptions)
      return mount('managementApi', (next) => managementApiGates(next, parts, facetOptions), refuse)
    },

    portal(name, portalOptions) {
      assertCall('portal', typeof name === 'string' ? portalOptions : name)
      const gatesOf = (next: Config) => portalGates(next, name, parts, portalOptions)
      return mount('portal', gatesOf, refuseAtPortal(name), name)
    },

    webApps(...unexpected: unknown[]) {
      assertCall('webApps', unexpected[0])
      return mount('webApps', (next) => webAppsGates(next, parts), refuse)
    },

    oauth(...unexpected: unknown[]) {
      assertCall('oauth', unexpected[0])
      return mount('oauth', (next) => oauthFacetGates(next, oauth, parts), refuseAtPortal())
    },

    createServer(app, serverOptions = {}) {
      assertOpen(running, 'security.createServer()')
      assertCall('createServer', serverOptions)
      checkServer(running.config, { app, facets, options: serverOptions, logger })
      const server = createServerOf(running.config, app, { options: serverOptions, tls })
      warnOfUpgrades(server, logger)
      return server.once('listening', () => {
        warnOfNoMount(facets, logger)
        warnOfOtherMount(running.config, app, facets, logger)
        const { managementApi, portal, webApps, oauth } = security
        warnOfUncalled(app, { managementApi, portal, webApps, oauth }, logger)
      })
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
