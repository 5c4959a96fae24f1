/** Knows everything that happens in a run, and compares what processes answer with what was promised. */

import type { Cluster } from './cluster.js'
import type { Instance, Outcome } from './instance.js'
import { SortedSet } from './redis-data.js'
import type { RedisServer } from './redis-server.js'
import { boundFor, type Setting } from './setting.js'
import type { World } from './virtual-time.js'

/** The first part of all keys. */
const prefix = '{sallyport}:'

/** Milliseconds by which the clock of a process may be away from that of Redis: half of the longest time for an answer. */
const clockErrorMs = 1000

/** Rounding of clocks. */
const resolutionMs = 2

export interface Violation {
  /** A letter of the list in README.md. */
  readonly property: string
  readonly message: string
  readonly at: number
}

/** An attempt to end tokens. */
interface Attempt {
  readonly by: Instance
  readonly beganAt: number
  /** When it was answered with success: `Infinity` until then. */
  answeredAt: number
  /** The primary has none of it: the process that answered has to repeat it. */
  isLost: boolean
}

/** A promise that holds from a moment on: what the primary has lost holds again when it was repeated. */
interface Ending extends Pick<Attempt, 'by' | 'isLost'> {
  at: number
}

export interface Token {
  readonly id: string
  readonly subject: string
  readonly isSession: boolean
  /** When its login read the user. */
  readonly beganAt: number
  /** By the clock of Redis. */
  readonly expiresAt: number
  /** When the login was answered. */
  addedAt: number
  /** The answer was that there is none. */
  isRefused: boolean
  /** Whether it may be gone for a reason that nobody answers for: it was evicted, or the data was lost. */
  mayBeGone: boolean
  readonly attempts: Attempt[]
  readonly endings: Ending[]
}

export interface Code {
  readonly id: string
  readonly grantId: string
  isThere: boolean
  used: Ending | undefined
  /** When its grant has ended. */
  ended: Ending | undefined
}

interface UserRevocation extends Attempt {
  readonly subject: string
}

interface Publication {
  readonly subject: string
  readonly beganAt: number
  at: number
}

export class Observer {
  readonly violations: Violation[] = []
  readonly tokens: Token[] = []
  /** Those that a client has. */
  readonly known: Token[] = []
  readonly codes: Code[] = []
  readonly counts: Record<string, number> = {}
  readonly #world: World
  readonly #setting: Setting
  readonly #cluster: Cluster
  readonly #byId = new Map<string, Token>()
  readonly #userRevocations: UserRevocation[] = []
  readonly #publications: Publication[] = []
  #hasFailedOver = false

  constructor(world: World, setting: Setting, cluster: Cluster) {
    this.#world = world
    this.#setting = setting
    this.#cluster = cluster
    cluster.onExchange = () => this.#exchanged()
    for (const server of cluster.servers) server.onAnswer = (reply) => this.#answered(server, reply)
  }

  fail(property: string, message: string): void {
    this.violations.push({ property, message, at: this.#world.now })
    this.#world.note(undefined, 'VIOLATION', () => `(${property}) ${message}`)
  }

  issue(by: Instance, login: Pick<Token, 'subject' | 'beganAt' | 'isSession' | 'expiresAt'>): Token {
    const token: Token = {
      ...login,
      id: this.#randomId(),
      addedAt: Number.POSITIVE_INFINITY,
      isRefused: false,
      mayBeGone: false,
      attempts: [],
      endings: [],
    }
    this.tokens.push(token)
    this.#byId.set(token.id, token)
    for (const revocation of this.#userRevocations) {
      if (revocation.subject !== token.subject || revocation.answeredAt < token.beganAt) continue
      token.attempts.push(revocation)
      const isOld = token.beganAt < revocation.beganAt && revocation.answeredAt < Number.POSITIVE_INFINITY
      if (isOld) this.#end(token, revocation)
    }
    this.#note(by, 'issues', token)
    return token
  }

  added(by: Instance, token: Token, outcome: Outcome): void {
    this.#note(by, `log-in ${outcome}`, token)
    if (outcome === 'passed') {
      token.addedAt = this.#world.now
      this.known.push(token)
    }
    if (outcome === 'refused') token.isRefused = true
    if (!this.#isThere(token)) token.mayBeGone = true
  }

  used(by: Instance, token: Token, outcome: Outcome, beganAt: number): void {
    this.#note(by, `use ${outcome}`, token)
    this.counts[outcome] = (this.counts[outcome] ?? 0) + 1
    if (outcome === 'passed') this.#assertMayPass(by, token)
    if (outcome === 'refused') this.#assertMayBeRefused(by, token, beganAt)
  }

  revoking(by: Instance, tokens: readonly Token[]): Attempt & { readonly tokens: readonly Token[] } {
    const attempt = { by, beganAt: this.#world.now, answeredAt: Number.POSITIVE_INFINITY, isLost: false, tokens }
    if (tokens.length === 1) this.#note(by, 'revokes', tokens[0]!)
    for (const token of tokens) token.attempts.push(attempt)
    return attempt
  }

  revokingUser(by: Instance, subject: string): Attempt & { readonly tokens: readonly Token[] } {
    this.#world.note(by, 'revokes user', () => subject)
    const mine = this.tokens.filter((token) => token.subject === subject)
    const attempt = Object.assign(this.revoking(by, mine), { subject })
    this.#userRevocations.push(attempt)
    return attempt
  }

  revoked(attempt: Attempt & { readonly tokens: readonly Token[] }): void {
    attempt.answeredAt = this.#world.now
    this.#world.note(attempt.by, 'revoked')
    const { subject } = attempt as Partial<UserRevocation>
    const later = this.tokens.filter((token) => token.subject === subject && token.beganAt < attempt.beganAt)
    for (const token of new Set([...attempt.tokens, ...later])) this.#end(token, attempt)
  }

  published(by: Instance, subject: string, beganAt: number): void {
    this.#world.note(by, 'published', () => subject)
    this.#publications.push({ subject, beganAt, at: this.#world.now })
  }

  /** A process says that it knows of every change. */
  current(by: Instance, beganAt: number): void {
    for (const { subject, beganAt: publishedAt, at } of this.#publications) {
      const toldAt = Math.max(by.told.get(subject) ?? -1, by.told.get('all') ?? -1)
      const isDue = by.firstReadyAt < publishedAt && beganAt > this.#limitFor(at) && !this.#cluster.hasStale
      if (isDue && toldAt < publishedAt && !this.#wasExchangedSince(at))
        this.fail('f', `${by.name} was not told of changed rights of ${subject}`)
    }
  }

  createCode(): Code {
    const code = { id: this.#randomId(), grantId: this.#randomId(), isThere: false, used: undefined, ended: undefined }
    return code
  }

  granted(code: Code): void {
    code.isThere = true
    this.codes.push(code)
  }

  consumed(by: Instance, code: Code, beganAt: number): void {
    this.#world.note(by, 'code used', () => code.id.slice(0, 6))
    const { used, ended } = code
    if (used !== undefined && !used.isLost) this.fail('e', `code ${name(code)} was good twice, at last for ${by.name}`)
    if (ended !== undefined && !ended.isLost && beganAt > ended.at)
      this.fail('e', `code ${name(code)} was good after its grant for ${by.name}`)
    code.used = this.#ending(by)
  }

  endedGrant(by: Instance, code: Code): void {
    this.#world.note(by, 'grant ended', () => code.id.slice(0, 6))
    code.ended = this.#ending(by)
  }

  /** What one primary has answered, another one may not know. */
  #ending(by: Instance): Ending {
    return { by, at: this.#world.now, isLost: this.#cluster.hasStale || this.#isStale(by) }
  }

  /** What a process has answered before holds again. */
  reconnected(by: Instance): void {
    this.#world.note(by, 'ready', () => by.server.name)
    by.firstReadyAt = Math.min(by.firstReadyAt, this.#world.now)
    // It does not know yet that the server has ended meanwhile: then it does so once more.
    if (this.#isStale(by) || by.server.run !== by.run) return
    for (const token of this.tokens) {
      for (const ending of token.endings) {
        if (ending.by !== by || !ending.isLost) continue
        if (this.#isThere(token))
          this.fail('a', `${by.name} did not repeat the revocation of ${name(token)}, which was lost`)
        ending.isLost = false
        ending.at = this.#world.now
      }
    }
    if (this.#cluster.hasStale) return
    for (const ending of this.codes.flatMap(({ used, ended }) => [used, ended])) {
      if (ending?.by !== by || !ending.isLost) continue
      ending.isLost = false
      ending.at = this.#world.now
    }
  }

  /** All that the primary has is as it should be. */
  assertBounds(server: RedisServer): void {
    const { data } = server
    const members = new Map<string, string>()
    for (const key of data.keys()) {
      const [, pool] = /^\{sallyport\}:uses:(.*)$/.exec(key) ?? []
      const content = data.peek(key)?.content
      if (pool === undefined || !(content instanceof SortedSet)) continue
      if (content.scores.size > this.#setting.maxSize) this.fail('d', `${content.scores.size} tokens in ${pool}`)
      for (const member of content.scores.keys()) members.set(member.slice(0, 43), pool)
    }
    for (const key of data.keys()) {
      const [, id] = /^\{sallyport\}:token:(.*)$/.exec(key) ?? []
      if (id !== undefined && !members.has(id)) this.fail('d', `token ${id.slice(0, 6)} is in no list`)
    }
  }

  #assertMayPass(by: Instance, token: Token): void {
    const { now } = this.#world
    if (token.isRefused && !this.#cluster.hasStale)
      this.fail('b', `${by.name} let in ${name(token)}, whose login was refused`)
    const endsAt = token.expiresAt - this.#cluster.primary.wallOffset + clockErrorMs
    if (now > this.#limitFor(endsAt)) this.fail('b', `${by.name} let in ${name(token)}, which had expired`)
    for (const { at, isLost } of token.endings) {
      const limit = this.#limitFor(at)
      if (isLost || now <= limit) continue
      this.fail(
        'a',
        `${by.name} let in ${name(token)} ${(now - at).toFixed(1)} ms after it was revoked, and not within ${(limit - at).toFixed(1)}`,
      )
    }
  }

  /** Until when what has ended at a moment may pass. */
  #limitFor(at: number): number {
    const { leaseMs, maxStalenessOnFailureMs } = this.#setting
    const staleness = Math.max(leaseMs, maxStalenessOnFailureMs) + resolutionMs
    if (!this.#hasFailedOver) return at + staleness
    const bound = boundFor(this.#setting)
    const stale = Math.max(at, this.#cluster.staleUntil) + staleness
    return bound === undefined ? stale : Math.min(stale, at + bound + staleness - leaseMs)
  }

  #assertMayBeRefused(by: Instance, token: Token, beganAt: number): void {
    const { now } = this.#world
    const isLive =
      token.addedAt < beganAt &&
      token.attempts.length === 0 &&
      !token.mayBeGone &&
      !token.isSession &&
      now < token.expiresAt - this.#cluster.primary.wallOffset - clockErrorMs
    if (!isLive || this.#isStale(by) || this.#cluster.hasStale) return
    this.fail('c', `${by.name} refused ${name(token)}, which is live`)
  }

  #exchanged(): void {
    this.#exchangedAt = this.#world.now
    this.#hasFailedOver = this.#hasFailedOver || this.#cluster.hasStale
    for (const token of this.tokens) {
      if (!this.#isThere(token)) token.mayBeGone = true
      else for (const ending of token.endings) ending.isLost = true
    }
    for (const ending of this.codes.flatMap(({ used, ended }) => [used, ended]))
      if (ending !== undefined) ending.isLost = true
  }

  #exchangedAt = Number.NEGATIVE_INFINITY

  #wasExchangedSince(moment: number): boolean {
    return this.#exchangedAt >= moment
  }

  #answered(server: RedisServer, reply: unknown): void {
    if (!Array.isArray(reply) || reply[0] !== 'added') return
    for (const json of reply[1]) {
      const token = this.#byId.get(json === '' ? '' : (JSON.parse(json).id as string))
      if (token === undefined) continue
      token.mayBeGone = true
      if (server === this.#cluster.primary)
        token.endings.push({ at: this.#world.now, isLost: false, by: undefined as never })
    }
    this.assertBounds(server)
  }

  #end(token: Token, { by, answeredAt }: Attempt): void {
    token.endings.push({ by, at: answeredAt, isLost: this.#isThere(token) })
    if (
      this.#isThere(token) &&
      !this.#isStale(by) &&
      !this.#cluster.hasStale &&
      !this.#wasExchangedSince(answeredAt - 5000)
    )
      this.fail('a', `${name(token)} is there after its revocation was answered`)
  }

  #isThere({ id }: Token): boolean {
    const { data, time } = this.#cluster.primary
    const value = data.peek(`${prefix}token:${id}`)
    return value !== undefined && time < (value.expiresAt ?? Number.POSITIVE_INFINITY)
  }

  #isStale({ server }: Instance): boolean {
    return server !== this.#cluster.primary
  }

  #note(by: Instance, what: string, token: Token): void {
    this.#world.note(by, what, () => `${name(token)} of ${token.subject}`)
  }

  #randomId(): string {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return Array.from({ length: 43 }, () => letters[this.#world.random.below(64)]).join('')
  }
}

function name({ id }: { readonly id: string }): string {
  return id.slice(0, 6)
}
