/** A process of an app: the real stores, and what requests do with them. */

import { StoreError, UnauthorizedError, UnavailableError } from '../../lib/core/errors.js'
import { RedisOauthStore } from '../../lib/oauth/redis-oauth-store.js'
import { RedisLink } from '../../lib/redis/redis-link.js'
import { type CheckedTokenStore, checkedTokenStore } from '../../lib/tokens/checked-token-store.js'
import { addRecord } from '../../lib/tokens/issuer.js'
import { RedisTokenStore } from '../../lib/tokens/redis/redis-token-store.js'
import { type Revocations, revocationsFor } from '../../lib/tokens/revocations.js'
import type { LiveRecord } from '../../lib/tokens/token-store.js'
import { createRecordVerifier, type RecordVerifier } from '../../lib/tokens/verification.js'
import type { Cluster } from './cluster.js'
import type { Network } from './network.js'
import type { Observer, Token } from './observer.js'
import type { RedisServer } from './redis-server.js'
import type { Setting } from './setting.js'
import { type Host, startOfTime, type World } from './virtual-time.js'

/** What a request was answered. */
export type Outcome = 'passed' | 'refused' | 'unavailable'

const secondMs = 1000

export class Instance implements Host {
  readonly name: string
  pausedUntil = 0
  wallOffset: number
  isInputFirst = false
  readonly link: RedisLink
  readonly store: CheckedTokenStore
  readonly oauth: RedisOauthStore
  /** Where it has connected to last. */
  server: RedisServer
  /** The run of that server. */
  run = 0
  /** Tokens that it lets in. */
  readonly passed = new Set<Token>()
  firstReadyAt = Number.POSITIVE_INFINITY
  /** When it was told of changed rights, by user; `all`: of all. */
  readonly told = new Map<string, number>()
  readonly #world: World
  readonly #setting: Setting
  readonly #observer: Observer
  readonly #revocations: Revocations
  readonly #verify: RecordVerifier
  readonly #random

  constructor(name: string, world: World, setting: Setting, cluster: Cluster, network: Network, observer: Observer) {
    this.name = name
    this.#world = world
    this.#setting = setting
    this.#observer = observer
    this.#random = world.random
    this.wallOffset = startOfTime + world.random.below(3000) - 1500
    this.server = cluster.primary
    const open = network.opener(this, () => {
      this.server = cluster.primaryFor(this)
      this.run = this.server.run
      return this.server
    })
    const say = (level: string) => (_fields: object, message: string) => world.note(this, level, () => message)
    const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
    this.link = new RedisLink({ open, logger, maxStalenessMs: setting.leaseMs })
    const { maxSize, maxPerUser, maxLocal, maxStalenessOnFailureMs } = setting
    const store = new RedisTokenStore({
      link: this.link,
      maxSize,
      maxPerUser: Math.min(maxPerUser, maxSize),
      maxLocal,
      maxStalenessOnFailureMs,
      maxSessions: maxSize,
    })
    this.oauth = new RedisOauthStore({ link: this.link, maxEntries: maxSize, onEvict: () => undefined })
    this.link.listen({ onReady: () => observer.reconnected(this) })
    this.store = checkedTokenStore(store)
    this.store.onAccountChange((subject) => this.told.set(subject ?? 'all', world.now))
    this.#revocations = revocationsFor(this.store, this.link.now)
    this.#verify = createRecordVerifier({
      store: this.store,
      clock: this.link.now,
      accounts: undefined,
      revocations: this.#revocations,
      refuse: (reason) =>
        new UnauthorizedError('ERR_TOKEN_INVALID', 'The token is invalid.', { cause: new Error(reason) }),
    })
  }

  async start(): Promise<void> {
    await this.link.start().catch(() => undefined)
  }

  /** Reads the user, waits for as long as a password takes, and adds a token. */
  async logIn(subject: string): Promise<Outcome> {
    const clock = this.link.now
    const startedAt = clock()
    const login = { startedAt, sequence: this.#revocations.sequence }
    const beganAt = this.#world.now
    try {
      this.store.assertReady()
    } catch {
      return 'unavailable'
    }
    await this.#wait(this.#random.oneIn(3) ? 1 : 20 + this.#random.below(200))
    const isSession = this.#random.oneIn(6)
    const issuedAt = clock()
    const token = this.#observer.issue(this, {
      subject,
      beganAt,
      isSession,
      expiresAt: issuedAt + this.#setting.tokenLifeMs,
    })
    const { id, expiresAt } = token
    const kind = isSession ? 'portal' : 'management'
    const idleTimeoutMs = isSession ? 2 * secondMs : undefined
    const account = { subject, roles: [], isAdmin: false, version: '1' }
    const added = { id, kind, issuedAt, expiresAt, address: undefined, idleTimeoutMs } as const
    const parts = { store: this.store, accounts: undefined, revocations: this.#revocations }
    const outcome = await this.#outcomeOf(() => addRecord(parts, account, added, login))
    this.#observer.added(this, token, outcome)
    return outcome
  }

  /** A request with a token. */
  async use(token: Token): Promise<Outcome> {
    const beganAt = this.#world.now
    const kind = token.isSession ? 'portal' : 'management'
    const isActivity = !this.#random.oneIn(4)
    const outcome = await this.#outcomeOf(() => this.#verify({ id: token.id, kind, isActivity }), token.id)
    if (outcome === 'passed' && !token.isSession) this.passed.add(token)
    if (outcome === 'refused') this.passed.delete(token)
    this.#observer.used(this, token, outcome, beganAt)
    return outcome
  }

  async revoke(token: Token): Promise<Outcome> {
    const attempt = this.#observer.revoking(this, [token])
    const outcome = await this.#outcomeOf(() => this.#revocations.end(token.id, this.store))
    if (outcome === 'passed') this.#observer.revoked(attempt)
    return outcome
  }

  async revokeUser(subject: string): Promise<Outcome> {
    const attempt = this.#observer.revokingUser(this, subject)
    const outcome = await this.#outcomeOf(() => this.#revocations.endAllOf(subject, this.store))
    if (outcome === 'passed') this.#observer.revoked(attempt)
    return outcome
  }

  /** The rights of a user have changed. */
  async publish(subject: string): Promise<Outcome> {
    const beganAt = this.#world.now
    const outcome = await this.#outcomeOf(() => this.store.publishAccountChange(subject))
    if (outcome === 'passed') this.#observer.published(this, subject, beganAt)
    return outcome
  }

  /** What Basic authentication does before it trusts its memory. */
  async assertCurrent(): Promise<Outcome> {
    const beganAt = this.#world.now
    const outcome = await this.#outcomeOf(() => this.store.assertCurrent())
    if (outcome === 'passed') this.#observer.current(this, beganAt)
    return outcome
  }

  /** A grant with a code. */
  async grant(subject: string): Promise<Outcome> {
    const code = this.#observer.createCode()
    const { id, grantId } = code
    const expiresAt = this.link.now() + 60 * secondMs
    const payload = {}
    const outcome = await this.#outcomeOf(async () => {
      await this.oauth.put({ model: 'Grant', id: grantId, subject, payload, expiresAt, grantId: undefined })
      await this.oauth.put({ model: 'AuthorizationCode', id, subject, payload, expiresAt, grantId })
    })
    if (outcome === 'passed') this.#observer.granted(code)
    return outcome
  }

  async consume(code: ReturnType<Observer['createCode']>): Promise<Outcome> {
    const beganAt = this.#world.now
    let isFirst = false
    const outcome = await this.#outcomeOf(async () => {
      isFirst = await this.oauth.consume('AuthorizationCode', code.id)
    })
    if (isFirst) this.#observer.consumed(this, code, beganAt)
    return outcome
  }

  async endGrant(code: ReturnType<Observer['createCode']>): Promise<Outcome> {
    const outcome = await this.#outcomeOf(() => this.oauth.remove('Grant', code.grantId))
    if (outcome === 'passed') this.#observer.endedGrant(this, code)
    return outcome
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.setTimer(this, ms, resolve))
  }

  async #outcomeOf(work: () => unknown, id?: string): Promise<Outcome> {
    try {
      const answer = await work()
      const other = (answer as LiveRecord | undefined)?.id
      if (id !== undefined && other !== id) this.#observer.fail('b', `${this.name} got the record of another token`)
      return 'passed'
    } catch (error) {
      if (error instanceof UnauthorizedError) {
        this.#world.note(this, 'refused', () => String((error.cause as Error | undefined)?.message ?? error.message))
        return 'refused'
      }
      if (error instanceof StoreError || error instanceof UnavailableError) {
        this.#world.note(this, 'failed', () => error.message)
        return 'unavailable'
      }
      this.#observer.fail('c', `${this.name} answered with ${String((error as Error).stack)}`)
      return 'unavailable'
    }
  }
}
