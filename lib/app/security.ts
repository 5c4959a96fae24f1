/**
 * What can be done at run time: the type that `createSecurity` answers.
 *
 * @module
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as NetServer } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Express, RequestHandler } from 'express'
import type { HeldLock } from '../admin-api/locks.js'
import type { Config } from '../config/config.js'
import type { ConfigSource } from '../config/load.js'
import type { ChangeContext, SecurityEvents } from '../core/events.js'
import type { Coverage } from '../explain/coverage.js'
import type { Explanation } from '../explain/explain.js'
import type { ExplainRequest } from '../explain/request.js'
import type { ExpressServerOptions } from '../http/express/create-server.js'
import type { Tokens } from '../tokens/tokens.js'
import type { UserStore } from '../users/user-store.js'
import type { GuardedConnection } from './connections.js'
import type { ManagementApiOptions } from './management-api.js'
import type { PortalOptions } from './portal.js'
import type { ShutdownOptions } from './shutdown.js'
import type { CodeSignIn } from './sign-in.js'

/** Options of {@link Security.createServer}. */
export interface CreateServerOptions extends ExpressServerOptions {}

/** The running security layer, as `createSecurity` returns it. */
export interface Security extends CodeSignIn {
  /**
   * Makes the handler that guards a management API. Mounted at M it answers `M/login`, `M/logout`, `M/jwks`, `M/users`
   * and `M/roles`, to administrators `M/sessions`, `M/locks`, `M/reload`, `M/configuration`, `M/api-tokens`, `M/service-providers`,
   * `M/health` and `M/metrics`, to everybody `M/health/live` and `M/health/ready`, and lets an authenticated and authorized request through. The paths in the configuration are relative
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
   * @throws `ConfigError` for a name that the configuration does not have.
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
   * @throws `ConfigError` when the configuration does not enable it.
   */
  oauth(): RequestHandler
  /**
   * Makes the handler for the root of the app that tells clients where to get tokens: the metadata of each `audience` that is an https
   * URL (RFC 9728), and of the authorization server (RFC 8414). It lets every other request through.
   *
   * @example
   * ```ts
   * app.use(security.wellKnown())
   * app.use('/mcp', bearerAuthentication({ tokens: security.tokens, audience: 'https://localhost:9443/mcp' }), mcpRoutes)
   * ```
   *
   * @throws `ConfigError` when the configuration does not enable the authorization server.
   */
  wellKnown(): RequestHandler
  /**
   * Makes the handler of the operators' page, for administrators who sign in to the portal `management_console`: with its session,
   * its cookie and its rules by address. It answers whatever is below its mount; everybody else gets 404, or the login page.
   *
   * @example
   * ```ts
   * app.use('/ops', security.console())
   * ```
   *
   * @throws `ConfigError` when the configuration does not enable it.
   */
  console(): RequestHandler
  /**
   * Makes a server for the app, not yet listening. Its requests and responses have the app's prototypes from the start,
   * which saves Express a few per cent of its time on Node 24 and 26, and more than half on Node 20.
   *
   * It speaks HTTPS when the file has `[keystore.tls]` or `[internal_api_ssl_config]`, or allows nothing else; otherwise
   * HTTP. With `protocol: 'https'` the key comes from those tables, then from `[keystore.primary]`; without any, a
   * self-signed certificate for development is made and kept as `sallyport-tryout.pem` beside the file. A changed certificate file is
   * taken up within a second or two.
   *
   * @example
   * ```ts
   * security.createServer(app, { protocol: 'https' }).listen(9164)
   * security.createServer(app, { protocol: 'http' }).listen(9201)
   * ```
   *
   * @throws `ConfigError` when the app's `trust proxy` would let clients choose their address while a rule depends on
   * it, when a control that the configuration switches on is not mounted, or when key material is needed and missing.
   */
  createServer(app: Express, options?: CreateServerOptions): Server
  /**
   * Asks the mounts that guard the path of an upgrade, as that of a WebSocket, whether they let it through: by address, session or token,
   * roles and paths, as a GET of the same path. A page of another site may not connect, unless CORS lists its origin by name.
   *
   * With `socket` a refusal is answered there, and the promise resolves with `undefined`; else it rejects with the `HttpError`.
   *
   * @example
   * ```ts
   * server.on('upgrade', async (request, socket, head) => {
   *   const connection = await security.authenticateUpgrade(request, socket)
   *   if (connection !== undefined) webSockets.handleUpgrade(request, socket, head, (ws) => connection.end(ws))
   * })
   * ```
   *
   * @throws TypeError for a request of a server that was not made with an Express app.
   */
  authenticateUpgrade(request: IncomingMessage, socket: Duplex): Promise<GuardedConnection | undefined>
  /** Without a socket: rejects with the `HttpError`. */
  authenticateUpgrade(request: IncomingMessage): Promise<GuardedConnection>
  /**
   * Ends a response that stays open, as an event stream, within a second after a new request like its own would be refused.
   *
   * @example
   * ```ts
   * app.get('/carbon/events', (request, response) => {
   *   security.endWhenRefused(response)
   *   response.type('text/event-stream').flushHeaders()
   * })
   * ```
   */
  endWhenRefused(response: ServerResponse): void
  /**
   * Says why a request would pass or be refused, stage by stage, each with its rule and the line of the file. The gates of this
   * configuration are asked, over users and tokens of their own: nothing is counted, logged or changed.
   *
   * With `app`, the mounts on the way of the path are those of the app; without, there is the one that the request names.
   *
   * @example
   * ```ts
   * const { status, stages } = await security.explain({ path: '/management/users', user: 'alice' }, app)
   * ```
   *
   * @throws TypeError, by rejecting, for a mount that there is not, and for a user that is not known.
   */
  explain(request: ExplainRequest, app?: Express): Promise<Explanation>
  /**
   * Lists the routes of an app with who may call each: public, any user, a role, administrators; and those that nobody guards, or that
   * cannot be looked into. No handler of the app is called.
   *
   * @example
   * ```ts
   * const { routes } = await security.coverage(app)
   * const open = routes.filter(({ access }) => access === 'open')
   * ```
   */
  coverage(app: Express): Promise<Coverage>
  /** Issues, verifies, lists and revokes tokens. */
  readonly tokens: Tokens
  /**
   * The user store in effect. Where it can be managed (`isManagedUserStore`), each change that is made here is reported as one of the
   * management API is. `add`, `remove`, `setPassword`, `setDisabled` with `true`, and `changeRoles` that takes an administrator's role away
   * end the user's tokens; other changes of roles apply to the live ones. Where the tokens cannot be ended, the change is made and reported,
   * and the call rejects with `StoreError`. Who makes a change, and whether it is wise, is for the app to check.
   *
   * @example
   * ```ts
   * if (isManagedUserStore(security.users)) await security.users.remove('bob', undefined, { by: 'root', reason: 'has left' })
   * ```
   */
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
   * Rejects with `ConfigError`, also for a file that was emptied, or with an Error after `close`, and keeps everything as it was. The event
   * `reloadRefused` tells of it.
   */
  reload(source: ConfigSource, context?: ChangeContext): Promise<void>
  /**
   * Ends the login locks of a user, from every source. The lock of a user who was slowed by somebody else ends as well. With a
   * shared store it resolves when all processes take it, and rejects with `StoreError` when only this one may have.
   */
  unlock(userName: string, context?: ChangeContext): void | Promise<void>
  /** Ends what locks all users of an address; locks of a user from there stay. Resolves and rejects as `unlock`. */
  unlockAddress(address: string, context?: ChangeContext): void | Promise<void>
  /**
   * The login locks that hold, those of second factors too, the latest first, at most 1000. With a shared store those of all processes;
   * rejects with `StoreError` when it cannot be asked. Locks of second factors that cannot be read are left out, with a warning in the log.
   */
  locks(): Promise<readonly HeldLock[]>
  /**
   * Ends the servers of a process and then everything else, as at SIGTERM. `/health/ready` says 503 from the call on. After `delay` the
   * servers take no new connection, WebSockets and event streams are ended, and requests under way are answered, each with
   * `Connection: close`; what is still open after `timeout` is closed. Then it does what `close` does. The process itself goes on.
   *
   * A second call changes nothing, and returns the promise of the first. Servers that `createServer` did not make end as well, but for
   * the HTTP/2 sessions and WebSockets that the app has accepted by itself: close those before.
   *
   * @example
   * ```ts
   * process.once('SIGTERM', () => security.shutdown(server, { delay: 5000 }))
   * ```
   */
  shutdown(servers: NetServer | readonly NetServer[], options?: ShutdownOptions): Promise<void>
  /**
   * The metrics as text for Prometheus (`text/plain; version=0.0.4`), for a route of your own, for example on another port. `/metrics` of
   * the management API answers the same.
   */
  metrics(): Promise<string>
  /**
   * Ends timers and the stores that `createSecurity` opened. Requests that are under way are still answered. New mounts and servers
   * are refused with an Error, and so is a `reload` that has not ended. A second call does nothing.
   */
  close(): Promise<void>
  /** Does what `close` does, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>
}
