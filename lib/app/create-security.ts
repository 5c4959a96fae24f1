/**
 * The wiring: one configuration in, the mounts of the front out. This is the only file that knows all the others.
 *
 * ```text
 * request -> address list -> CORS -> authentication -> authorization -> your routes
 * ```
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PreviewReload, ReloadFile } from '../admin-api/reload.js'
import { createUserAdministration } from '../admin-api/user-administration.js'
import { reportUserChanges } from '../admin-api/user-changes.js'
import { inBackground } from '../async/background.js'
import { located, locateProblems } from '../config/checks/origins.js'
import { type ConfigSource, readConfig } from '../config/load.js'
import { EventStreams } from '../console/event-streams.js'
import { RecentEvents } from '../console/recent-events.js'
import { systemClock } from '../core/clock.js'
import { ConfigError } from '../core/errors.js'
import { SecurityEvents } from '../core/events.js'
import { defaultLogger, safeLogger } from '../core/logger.js'
import { trackSockets } from '../http/express/server-sockets.js'
import { SecurityMetrics } from '../metrics/security-metrics.js'
import { openServerTls } from '../tls/server-tls.js'
import { invalidToken } from '../tokens/jwt/verify-token.js'
import { keyRingFrom } from '../tokens/keys/key-ring.js'
import { type KeySet, newKeys, secretsFrom } from '../tokens/keys/signing-key.js'
import { readTokenKeys } from '../tokens/keys/token-keys.js'
import { createRecordVerifier } from '../tokens/verification.js'
import { isManagedUserStore, warnWithoutAdministrator } from '../users/managed-user-store.js'
import { primaryDomain } from '../users/names.js'
import { openUserStore } from '../users/open-user-store.js'
import { wireAuthCore } from './auth-core.js'
import { Connections } from './connections.js'
import { createServerFor } from './create-server-for.js'
import { createIdentityProviders, providerVersionOf } from './identity-providers.js'
import { startMachineAccess } from './machine-access.js'
import { createMountMethods } from './mount-methods.js'
import { Mounts } from './mounts.js'
import { openOauth } from './oauth-area.js'
import { auditGate, auditRefusal, openAuditTrail, startAuditTrail, useAuditKey } from './open-audit-trail.js'
import { openBreakGlass } from './open-break-glass.js'
import { openThrottle, openTokenStore } from './open-stores.js'
import { createOperatorViews } from './operator-views.js'
import { createQuestions, frontParts } from './questions.js'
import { assertOpen, createReload, type RunningState } from './reload.js'
import { listLocks, openSecondStep, unlockUser } from './second-factor.js'
import type { Security } from './security.js'
import { assertOptions, type SecurityOptions } from './security-options.js'
import { noteApp } from './server-apps.js'
import { openSharedStore, warnOfOtherKey } from './shared-store.js'
import { createShutdown } from './shutdown.js'
import { createCodeSignIn } from './sign-in.js'
import { assertCall, checkServer, warnAtStart, warnOfUnmounted, warnWhenListening } from './start-checks.js'
import { guardUpgrades } from './upgrades.js'
import { listStoreNames, secondFactorStoreName, sharedStoreName, startWatching } from './watching.js'
import type { WiredSecurity, WireTest } from './wired-security.js'

export type { CreateServerOptions, Security } from './security.js'

/**
 * Creates the security layer that a `deployment.toml` describes.
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
 * @throws `ConfigError` with all mistakes of the configuration at once.
 */
export async function createSecurity(source: ConfigSource, options: SecurityOptions = {}): Promise<Security> {
  assertOptions(options)
  return (await wireSecurity(source, options)).security
}

/**
 * Does what {@link createSecurity} does. With `test`, nothing is shared with other processes, the key of the tokens is a new one, and
 * `userStore` stands for the users of the file.
 */
export async function wireSecurity(
  source: ConfigSource,
  options: SecurityOptions,
  test?: WireTest,
): Promise<WiredSecurity> {
  const logger = safeLogger(options.logger ?? defaultLogger())
  // Placeholders may come from elsewhere; whether this is production is a fact of the process.
  const env = { NODE_ENV: process.env['NODE_ENV'], ...(options.env ?? process.env) }
  const configOptions = { ...options, ignoreUserStore: options.userStore !== undefined }
  const config = await readConfig(source, configOptions)
  const running: RunningState = { config, readAt: (options.clock ?? systemClock)(), isClosed: false }
  if (options.redisClient !== undefined && config.sharedStore === undefined) {
    throw new TypeError('the option "redisClient" has no effect without [shared_store] in the configuration')
  }
  const { managementApi } = config
  const { token, loginThrottle } = managementApi
  const keySet = test
    ? await newKeys(token.algorithm ?? 'ES256', token.rsaBits)
    : await located(config, readTokenKeys(config))
  const metrics = new SecurityMetrics(listStoreNames(config))
  const observe = metrics.observer(sharedStoreName)
  const storeParts = { client: options.redisClient, keySet, clock: options.clock, observe, logger }
  const shared = test ? undefined : await located(config, openSharedStore(config, storeParts))
  const { clock = shared?.now ?? systemClock } = options

  const events = new SecurityEvents(logger)
  metrics.count(events)
  const keys = keyRingFrom(keySet, clock)
  const auditParts = { keySet, events, sink: options.auditTrail, isTest: test !== undefined, logger, clock }
  const audit = await openAuditTrail(config, auditParts)
  const refuseUnaudited = auditRefusal(config, audit)
  const versionKey = shared && secretsFrom(keySet.privateKey, token.issuer)('account versions')
  const storeOptions = { logger, env, clock, home: options.home, versionKey, observe: metrics.observer }
  const opened =
    options.userStore === undefined ? await located(config, openUserStore(config, storeOptions)) : undefined
  const userStore = options.userStore ?? opened!.users
  if (opened !== undefined && isManagedUserStore(userStore))
    inBackground(() => warnWithoutAdministrator(userStore, logger))
  const revokeUser = (...call: Parameters<Security['tokens']['revokeUser']>) => tokens.revokeUser(...call)
  const breakGlassParts = { primary: userStore, events, revokeUser, state: shared?.breakGlassState, clock, logger }
  const breakGlass = await located(config, openBreakGlass(config, breakGlassParts))
  const users = breakGlass?.primary ?? userStore
  const tokenStore = options.tokenStore ?? openTokenStore(config, { shared, events, clock })
  const throttle = loginThrottle.isEnabled ? openThrottle(config, { shared, events, clock }) : undefined
  const { recheckIntervalMs, recheckGraceMs } = config
  const stepParts = { current: () => running.config, values: shared?.values, users, events, keySet, clock, logger }
  const stepOptions = { ...stepParts, observe: metrics.observer(secondFactorStoreName) }
  const secondStep = await located(config, openSecondStep(config, stepOptions))
  const core = await wireAuthCore({
    ...token,
    users,
    tokenStore,
    keys,
    recheckIntervalMs,
    recheckGraceMs,
    providerVersion: (subject) => providerVersionOf(running.config, subject),
    throttle: throttle ?? false,
    breakGlass,
    secondFactors: secondStep?.secondFactors,
    oauthSecondFactor: config.oauth?.secondFactor,
    events,
    logger,
    clock,
  })
  const { tokens, store, machines } = core
  startMachineAccess(config, { ...core, fetch: test?.fetch })
  warnAtStart(config, logger, keys.warnings)
  const tls = await openServerTls(config, { logger, clock, home: options.home, locate: locateProblems })

  const { requestUser: createUser } = options
  const { observer } = test ?? {}
  const noteUnmounted = (): void => warnOfUnmounted(running.config, mounts.mounted, logger)
  const usesFileUsers = test
    ? (test.usesFileUsers ?? config.fileUsers.isEnabled)
    : opened !== undefined && !isManagedUserStore(users)
  const front = frontParts(running, { usesFileUsers, wire: wireSecurity })
  const mounts = new Mounts(noteUnmounted, { createUser, observer, front, guard: auditGate(refuseUnaudited) })
  const verifyRecord = createRecordVerifier({ ...core, refuse: invalidToken })
  const connections = new Connections({ mounts, verify: verifyRecord, logger })
  const providerKey = secretsFrom(keySet.privateKey, token.issuer)('identity providers')
  const identityProviders = createIdentityProviders({ ...core, key: providerKey, fetch: test?.fetch })
  await located(config, identityProviders.prepare(config))
  const oauthParts = { ...core, running, secondStep, identityProviders, keySet, sharedStore: shared }
  const oauth = await located(config, openOauth(config, oauthParts))
  const userStores = opened?.stores ?? [{ name: primaryDomain, store: userStore }]
  const watched = { ...core, userStores, shared, secondStep, tls, audit, connections }
  const watching = await startWatching(config, metrics, watched, test === undefined)
  // Everything that listens is there.
  await located(config, startShared())
  if (shared !== undefined) inBackground(() => warnOfOtherKey(shared, keySet.signing.kid, logger))
  const { acceptPassword } = options
  const managed = isManagedUserStore(users) ? reportUserChanges(users, core) : undefined
  const parts = {
    ...core,
    secondStep,
    audit,
    refuseUnaudited,
    singleSignOn: oauth?.singleSignOn,
    identityProviders,
    usesFileUsers,
    administration: managed && createUserAdministration({ ...core, store: managed, acceptPassword }),
    loginThrottle: throttle,
    metrics,
    health: watching.health,
    mounted: mounts.mounted,
    eventStreams: new EventStreams({
      recent: new RecentEvents(events),
      endWhenRefused: (response) => connections.endWhenRefused(response),
    }),
    reloadFile: (...call: Parameters<ReloadFile>) => reloading.reloadFile(...call),
    previewReload: (...call: Parameters<PreviewReload>) => reloading.previewReload(...call),
    views: createOperatorViews(config, { running, env, clock }),
  }

  /** Where the store is away, what needs it is answered with 503 until it is there. */
  async function startShared(): Promise<void> {
    try {
      await startAuditTrail(config, audit)
      await shared?.start()
    } catch (error) {
      if (!(error instanceof ConfigError)) return
      await close()
      throw error
    }
  }

  const tokenMs = Math.max(token.expiryMs, config.oauth?.accessTokenMs ?? 0)
  const onKeys = (keySet: KeySet): void => {
    shared?.useKeys?.(keySet)
    useAuditKey(config, audit, keySet)
  }
  const exchanged = { onKeys, mounts, machines, tls, keys, userStore: opened }

  const reloadVersions = secretsFrom(keySet.privateKey, token.issuer)('versions of the configuration file')
  const reloadParts = { ...exchanged, identityProviders, running, configOptions, tokenMs, versionKey: reloadVersions }
  const reloading = createReload({ ...reloadParts, front, events, logger, clock })
  let closing: Promise<void> | undefined

  /** Closes all, also where one fails. */
  async function close(): Promise<void> {
    running.isClosed = true
    watching.close()
    connections.close()
    tls.close()
    const ownStores = [options.tokenStore === undefined ? store : undefined, opened && users]
    const ends = await Promise.allSettled(
      [oauth, ...ownStores, secondStep?.secondFactors, shared].map(async (part) => part?.close()),
    )
    // All that was ended above is in it.
    await audit?.close()
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  const security: Security = {
    ...createCodeSignIn(() => running.config, { ...parts, verifyRecord }),
    tokens,
    users: managed ?? users,
    events,

    get config() {
      return running.config
    },

    ...createMountMethods({ running, mounts, gateParts: parts, oauth, events, clock }),

    createServer(app, serverOptions = {}) {
      assertOpen(running, 'security.createServer()')
      assertCall('createServer', serverOptions)
      checkServer(running.config, { app, mounts, options: serverOptions, logger })
      const server = createServerFor(running.config, app, { options: serverOptions, tls })
      noteApp(server, app)
      trackSockets(server)
      guardUpgrades(server, { app, mounts, connections, logger })
      return server.once('listening', () => warnWhenListening(running.config, { app, mounts, security, logger }))
    },

    authenticateUpgrade: ((request: IncomingMessage, socket?: Duplex) => {
      assertOpen(running, 'security.authenticateUpgrade()')
      return socket === undefined ? connections.admit(request) : connections.admitOrAnswer(request, socket)
    }) as Security['authenticateUpgrade'],

    endWhenRefused(response) {
      assertOpen(running, 'security.endWhenRefused()')
      connections.endWhenRefused(response)
    },

    reload: reloading.reload,

    ...createQuestions(front, users),

    locks: () => listLocks(throttle, secondStep),
    async unlock(userName, context) {
      await unlockUser(parts, userName, context)
    },
    unlockAddress: (address, context) => throttle?.unlockAddress(address, context),

    metrics: () => metrics.text(),

    shutdown: createShutdown({ watching, connections, close: () => security.close(), logger }),

    close() {
      closing ??= close()
      return closing
    },

    [Symbol.asyncDispose]: () => security.close(),
  }
  return { security, core }
}
