/**
 * The parts of authentication that belong together, over one user store and one token store.
 *
 * @module
 */

import { isMachineKind, type MachineKind } from '../core/auth.js'
import { systemClock } from '../core/clock.js'
import { SecurityEvents } from '../core/events.js'
import { defaultLogger, type Logger, safeLogger } from '../core/logger.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import { type CheckedTokenStore, checkedTokenStore } from '../tokens/checked-token-store.js'
import { createKeyRing, type KeyRing } from '../tokens/keys/key-ring.js'
import { createMachineTokens, type MachineTokens } from '../tokens/machines/machine-tokens.js'
import { createRefusalLog } from '../tokens/machines/refusal-log.js'
import { MemoryTokenStore } from '../tokens/memory/memory-token-store.js'
import { type Revocations, revocationsFor } from '../tokens/revocations.js'
import { createSessions, type Sessions, type SessionsOptions } from '../tokens/sessions.js'
import type { TokenRecord, TokenStore } from '../tokens/token-store.js'
import { createTokens, type Tokens, type TokensOptions } from '../tokens/tokens.js'
import { type Accounts, type AccountsOptions, createAccounts } from '../users/accounts.js'
import { type Authenticator, type AuthenticatorOptions, createAuthenticator } from '../users/login/authenticator.js'
import { createLoginThrottle, type LoginThrottle } from '../users/throttle/login-throttle.js'
import type { UserStore } from '../users/user-store.js'

/** Options of {@link createAuthCore}. */
export interface AuthCoreOptions
  extends Pick<AccountsOptions, 'recheckIntervalMs' | 'recheckGraceMs' | 'providerVersion'>,
    Pick<AuthenticatorOptions, 'breakGlass' | 'secondFactors' | 'failureFloorMs' | 'maxInProgress' | 'timeoutMs'> {
  /** Who may log in. The caller closes it. */
  readonly users: UserStore
  /**
   * Keeps tokens and sessions. The caller closes it.
   *
   * @defaultValue a {@link MemoryTokenStore} with its defaults, which `close()` closes
   */
  readonly tokenStore?: TokenStore | undefined
  /**
   * Signs the tokens.
   *
   * @defaultValue an RS256 key that is made at the start and lost at the end
   */
  readonly keys?: KeyRing | undefined
  /** The `iss` of tokens. @defaultValue `'urn:sallyport:management'` */
  readonly issuer?: string | undefined
  /** The `aud` of tokens. @defaultValue `'management-api'` */
  readonly audience?: string | undefined
  /** How long a token is good: see {@link TokensOptions.expiryMs}. @defaultValue 3_600_000 (an hour) */
  readonly expiryMs?: number | undefined
  /**
   * Slows guessing, for all logins together. `false`: guesses are not limited.
   *
   * @defaultValue {@link createLoginThrottle} with its defaults
   */
  readonly throttle?: LoginThrottle | false | undefined
  /** Gets one line for each event, and what cannot be answered. @defaultValue text on a terminal, elsewhere lines of JSON */
  readonly logger?: Logger | undefined
  /** Told of logins, logouts, revocations and refusals. @defaultValue one that writes to `logger` */
  readonly events?: SecurityEvents | undefined
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: (() => number) | undefined
}

/**
 * Parts that know each other: a revocation ends tokens and sessions alike, a changed account ends both, and each reports to the same
 * events. Its fields are named as the options of the gates are, which take what they need of it.
 */
export interface AuthCore {
  /** Who may log in. */
  readonly users: UserStore
  /** Where tokens and sessions are kept. */
  readonly store: CheckedTokenStore
  /** What signs tokens. */
  readonly keys: KeyRing
  /** What was revoked, for everything that works with the store. */
  readonly revocations: Revocations
  /** Keeps the rights of tokens and sessions fresh. */
  readonly accounts: Accounts
  /** The throttle that all logins share; `undefined` where guesses are not limited. */
  readonly throttle: LoginThrottle | undefined
  /** Checks names and passwords. */
  readonly authenticator: Authenticator
  /** Issues, verifies, lists and revokes tokens. */
  readonly tokens: Tokens
  /** Where all of them report. */
  readonly events: SecurityEvents
  /** The logger behind the events. */
  readonly logger: Logger
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Makes the sessions of a portal, in the same store and under the same revocations. */
  createSessions(options: Pick<SessionsOptions, 'portal' | 'idleTimeoutMs' | 'absoluteTimeoutMs'>): Sessions
  /** Closes the token store if it was made here. */
  close(): Promise<void>
}

/**
 * Makes tokens, sessions, authenticator, accounts and revocations that belong together, for gates that are composed by hand.
 * `createSecurity` uses it as well.
 *
 * @example
 * ```ts
 * const core = await createAuthCore({ users: await fileUserStore({ users }) })
 * app.use('/login', basicLogin(core))
 * app.use(bearerAuthentication(core), routes, errorResponses(core))
 * ```
 *
 * @throws TypeError, by rejecting, when an option is missing or out of range.
 */
export async function createAuthCore(options: AuthCoreOptions): Promise<AuthCore> {
  const { machines: _machines, oauthSecondFactor: _policy, ...core } = await wireAuthCore(options)
  return core
}

/** With what only a configuration can switch on. */
export interface WiredAuthCore extends AuthCore {
  /** Tokens of the management API that were not issued here. */
  readonly machines: MachineTokens
  readonly oauthSecondFactor: SecondFactorPolicy | undefined
}

/** Does what {@link createAuthCore} does. */
export async function wireAuthCore(
  options: AuthCoreOptions & Pick<TokensOptions, 'oauthSecondFactor'>,
): Promise<WiredAuthCore> {
  const { users, recheckIntervalMs, recheckGraceMs, expiryMs = 3_600_000, clock = systemClock } = options
  const {
    issuer = 'urn:sallyport:management',
    audience = 'management-api',
    keys = await createKeyRing({ clock }),
  } = options
  const logger = safeLogger(options.logger ?? defaultLogger())
  const { events = new SecurityEvents(logger) } = options
  const { throttle: limit = createLoginThrottle({ events, clock }) } = options
  const throttle = limit === false ? undefined : limit

  const store = checkedTokenStore(
    options.tokenStore ?? new MemoryTokenStore({ clock, onEvict: evictionReporter(events, clock) }),
  )
  const revocations = revocationsFor(store, clock)
  const accounts = createAccounts({
    users,
    recheckIntervalMs,
    recheckGraceMs,
    providerVersion: options.providerVersion,
    assertCurrent: () => store.assertCurrent(),
    async publish(subject) {
      try {
        await store.publishAccountChange(subject)
      } catch (cause) {
        logger.warn({ cause }, 'other processes learn of a change of rights at their next recheck only')
      }
    },
    clock,
  })
  store.onAccountChange((subject) => accounts.recheck(subject))
  const { oauthSecondFactor } = options
  const shared = { store, accounts, revocations, oauthSecondFactor, clock }
  const machines = createMachineTokens({
    ...shared,
    onRefuse: createRefusalLog(clock, logger),
    onAdmit({ subject, id, kind, lastAccessAt }, client) {
      events.report('login', { at: lastAccessAt, ...client, subject, tokenId: id, kind: kind as MachineKind })
    },
  })
  const tokens = createTokens({ ...shared, machines, keys, issuer, audience, expiryMs, events })
  const assertReady = (): void => store.assertReady()
  const authenticator = createAuthenticator({ ...options, users, throttle, events, assertReady, clock })

  return {
    ...shared,
    users,
    keys,
    throttle,
    authenticator,
    tokens,
    machines,
    events,
    logger,

    createSessions: (sessionsOptions) => createSessions({ ...sessionsOptions, ...shared }),

    async close() {
      if (options.tokenStore === undefined) await store.close()
    },
  }
}

/** The `onEvict` of a token store in memory: each eviction is an event. */
export function evictionReporter(events: SecurityEvents, clock: () => number): (record: TokenRecord) => void {
  return ({ id, subject, kind }) => {
    // It was not issued here, and is accepted anew at its next use.
    if (isMachineKind(kind)) return
    events.report('eviction', { at: clock(), tokenId: id, subject, kind })
  }
}
