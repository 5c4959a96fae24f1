/**
 * A front for tests: users in memory, a clock that stands still, and everything that was decided.
 *
 * @module
 */

import { wireSecurity } from '../app/create-security.js'
import { portalCookieName } from '../app/portal.js'
import type { Security } from '../app/security.js'
import { assertOptions, type SecurityOptions } from '../app/security-options.js'
import type { WiredSecurity } from '../app/wired-security.js'
import type { ConfigSource } from '../config/load.js'
import type { Logger } from '../core/logger.js'
import { secureName } from '../portals/cookie.js'
import { issueToken } from '../tokens/tokens.js'
import { type Decision, recordDecisions } from './decisions.js'
import { refuseProduction } from './refuse-production.js'
import { type TestUser, TestUsers } from './test-users.js'

/** Options of {@link createTestSecurity}: those of `createSecurity` that a test may need. */
export interface TestSecurityOptions
  extends Pick<SecurityOptions, 'acceptPassword' | 'env' | 'home' | 'systemProperties' | 'tokenStore'> {
  /** Users by their names, besides those of `signedIn`. @defaultValue none */
  readonly users?: Readonly<Record<string, TestUser>> | undefined
}

/** A clock that stands still. It begins at the time of the computer. */
export interface TestClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Lets milliseconds pass. */
  pass(ms: number): void
}

/** A line of the log. */
export interface TestLogEntry {
  /** The method of the logger. */
  readonly level: keyof Logger
  /** For people. */
  readonly message: string
  /** What programs read. */
  readonly fields: object
}

/** What `createTestSecurity` makes. */
export interface TestSecurity extends Security {
  /** The users, in place of those that the configuration names. */
  readonly users: TestUsers
  /** What all times count by. */
  readonly clock: TestClock
  /** What each mount has decided, the latest last. `decisions.length = 0` forgets them. */
  readonly decisions: Decision[]
  /** The log, which goes nowhere else. */
  readonly log: TestLogEntry[]
  /**
   * Signs a user in, and answers the headers of the user's requests: a token of the management API (Basic where the configuration
   * asks for that), a session of each portal, and that a page of this site sends them. The user is added, or made what `user` says.
   *
   * @example
   * ```ts
   * const alice = await security.signedIn('alice', { roles: ['creator'] })
   * await request(app).get('/management/apis').set(alice).expect(200)
   * await fetch(url, { headers: alice })
   * ```
   */
  signedIn(name: string, user?: TestUser): Promise<Record<string, string>>
}

/**
 * Makes a front as `createSecurity` does, for tests. The users, the key of the tokens, the shared store and the clock are replaced,
 * so that neither a password, nor a key, nor another server is needed; all rules of the configuration hold.
 *
 * @example
 * ```ts
 * const security = await createTestSecurity('deployment.toml')
 * const app = createApp(security)
 * ```
 *
 * @throws `ConfigError` as `createSecurity`; Error under `NODE_ENV=production`.
 */
export async function createTestSecurity(
  source: ConfigSource = {},
  { users: known = {}, ...options }: TestSecurityOptions = {},
): Promise<TestSecurity> {
  refuseProduction()
  assertOptions(options)
  const users = new TestUsers()
  for (const [name, user] of Object.entries(known)) users.set(name, user)
  const decisions: Decision[] = []
  const log: TestLogEntry[] = []
  const clock = createClock()
  const own = { ...options, userStore: users, clock: clock.now, logger: keepLines(log) }
  const wired = await wireSecurity(source, own, { observer: recordDecisions(decisions) })
  const signedIn = async (name: string, user?: TestUser) => createHeaders(wired, users, users.set(name, user).subject)
  return Object.assign(wired.security, { users, clock, decisions, log, signedIn })
}

function createClock(): TestClock {
  let now = Date.now()
  return {
    now: () => now,
    pass(ms) {
      now += ms
    },
  }
}

function keepLines(log: TestLogEntry[]): Logger {
  const at =
    (level: keyof Logger) =>
    (fields: object, message: string): void => {
      log.push({ level, message, fields })
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

async function createHeaders(
  { security: { config }, core }: WiredSecurity,
  users: TestUsers,
  name: string,
): Promise<Record<string, string>> {
  const account = users.find(name)!
  // Signed in with all that could be asked for.
  const factors = ['password', 'otp'] as const
  const cookies: string[] = []
  for (const { name: portal, sessionTimeoutMs: idleTimeoutMs, absoluteTimeoutMs } of config.portals) {
    const { credential } = await core
      .createSessions({ portal, idleTimeoutMs, absoluteTimeoutMs })
      .start(account, { factors })
    const cookie = portalCookieName(config, portal)
    cookies.push(`${secureName(cookie)}=${credential}`, `${cookie}=${credential}`)
  }
  const authorization = config.managementApi.isBasicEnabled
    ? `Basic ${Buffer.from(`${name}:${users.passwordOf(name)}`).toString('base64')}`
    : `Bearer ${(await issueToken(core.tokens, account, { factors })).token}`
  // What a browser says of a page of the same site, whatever port the server has.
  return { Authorization: authorization, Cookie: cookies.join('; '), 'Sec-Fetch-Site': 'same-origin' }
}
