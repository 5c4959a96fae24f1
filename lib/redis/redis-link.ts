/**
 * The link of one process to Redis, over one set of connections after the other: one reads what is kept in this process and is told of
 * each change of it (client tracking), one waits for replicas if need be, and one does everything else. See docs/instances.md.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import { within } from '../async/deadline.js'
import { StoreError } from '../core/errors.js'
import { type Logger, safeLogger } from '../core/logger.js'
import { type Moment, msSince, never } from '../core/moment.js'
import { assertIntegers } from '../core/option-numbers.js'
import type { ObserveQuery } from '../core/query-observer.js'
import { SharedClock } from '../core/shared-clock.js'
import type { RedisLinkListener, RunScript } from './link-listener.js'
import { News, publishScript } from './news.js'
import { messageFrom, noAnswer, type OpenClient } from './redis-connection.js'
import { DataLostError, type LinkKeys, RedisSession } from './redis-session.js'
import type { Script } from './script.js'
import { adviceFor, warningsFrom } from './server-warnings.js'

/** Options of {@link RedisLink}. */
export interface RedisLinkOptions {
  /** Opens a connection to what is the primary now. */
  readonly open: OpenClient
  /** The first part of each key, the same for all processes that share tokens. @defaultValue `'sallyport'` */
  readonly keyPrefix?: string | undefined
  /**
   * Milliseconds for which an answered proof holds: no process admits what was revoked longer ago.
   *
   * @defaultValue 1000
   */
  readonly maxStalenessMs?: number | undefined
  /** Milliseconds without an answer after which a command has failed. @defaultValue 1000 */
  readonly commandTimeoutMs?: number | undefined
  /**
   * Replicas that must have a revocation, or the use of a code or refresh token, before it is answered. 0: none.
   *
   * @defaultValue 0
   */
  readonly replicasToConfirm?: number | undefined
  /** Told of each command: how long it took, and why it failed. */
  readonly observe?: ObserveQuery | undefined
  /** Told of lost connections, and of what an operator should know of the server. */
  readonly logger: Logger
}

/** Between two attempts to connect. It grows until a connection has held for a while. */
const minRetryMs = 50
const maxRetryMs = 500
const steadyMs = 5000

/** Different warnings of each kind. */
const maxWarnings = 20

/** Connects by itself, again after each failure, until it is closed. */
export class RedisLink {
  readonly #options: RedisLinkOptions
  readonly #logger: Logger
  readonly #leaseMs: number
  readonly #timeoutMs: number
  readonly #replicasToConfirm: number
  readonly #keys: LinkKeys
  readonly #listeners: RedisLinkListener[] = []
  readonly #warned = new Set<string>()
  readonly #warnedAtStart = new Set<string>()
  readonly #clock = new SharedClock()
  readonly #news: News
  #session: RedisSession | undefined
  #opening: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #retryMs = minRetryMs
  #isStarted = false
  #isClosed = false
  #lastError: unknown
  #provenAt = never
  /** That of the last connection. */
  #dataId: string | undefined

  constructor(options: RedisLinkOptions) {
    this.#options = options
    this.#logger = safeLogger(options.logger)
    this.#leaseMs = options.maxStalenessMs ?? 1000
    this.#timeoutMs = options.commandTimeoutMs ?? 1000
    this.#replicasToConfirm = options.replicasToConfirm ?? 0
    assertIntegers({ replicasToConfirm: this.#replicasToConfirm }, 0)
    this.#keys = {
      fence: this.key('fence'),
      number: this.key('news-number'),
      log: this.key('news'),
      incarnation: this.key('incarnation'),
      probe: this.key('probe'),
      confirmations: this.key('confirmations'),
    }
    this.#news = new News((number, subject) => this.#tell((listener) => listener.onNews?.(number, subject)))
  }

  /** All keys are in one hash slot. */
  key(name: string): string {
    return `{${this.#options.keyPrefix ?? 'sallyport'}}:${name}`
  }

  /** Milliseconds since the epoch by the clock of Redis, which all processes share. */
  get now(): () => number {
    return this.#clock.now
  }

  /** Whether what was read by `readTracked`, and not told to have changed, may be used without asking again. */
  get isProven(): boolean {
    const session = this.#session
    return session?.isTracking === true && session.isLeased && this.#news.isRead
  }

  /** Whether the answer to what was sent at a moment may be used: this process may have stood still since it came. */
  isRecent(sentAt: Moment): boolean {
    return msSince(sentAt) <= this.#leaseMs
  }

  /** When the last answered proof was sent. */
  get provenAt(): Moment {
    return this.#provenAt
  }

  /** Whether the server tells of changes; else each look-up asks it. */
  get isTracking(): boolean {
    return this.#session?.isTracking === true
  }

  /** @throws Error after `start`: nothing of a connection may be missed. */
  listen(listener: RedisLinkListener): void {
    if (this.#isStarted) throw new Error('the link to Redis has started: make what uses it before link.start()')
    this.#listeners.push(listener)
  }

  /** Connects. Rejects with `StoreError` when that fails; it is tried again until `close`. */
  async start(): Promise<void> {
    if (!this.#isStarted) {
      this.#isStarted = true
      await this.#open()
    }
    this.assertReady()
  }

  /** @throws StoreError when there is no connection. A login asks before it looks at a password. */
  assertReady(): void {
    this.#current()
  }

  /** Resolves when the last proof holds. Rejects with `StoreError`. */
  async assertProven(): Promise<void> {
    const session = this.#current()
    if (!session.isLeased) await this.#prove(session)
    await this.#news.whenRead()
    if (session.isOver) this.#current()
    if (!session.isLeased) throw new StoreError('Redis is too slow')
  }

  /** Runs a script, which must write, so that only the primary executes it. Rejects with `StoreError`. */
  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#current().run(script, keys, args)
  }

  /**
   * Resolves when `replicasToConfirm` replicas have all that `run` was answered before. Rejects with `StoreError` when they do not
   * within the time of a command; what was written stands at the primary.
   */
  async confirm(): Promise<void> {
    if (this.#replicasToConfirm > 0) await this.#current().confirm()
  }

  /** Reads a key, and tells of its next change. Rejects with `StoreError`. */
  async readTracked(key: string): Promise<string | null> {
    return this.#current().readTracked(key)
  }

  /** Adds an entry to the log: see `onNews`. Rejects with `StoreError`. */
  async publish(subject = '', run: RunScript = this.run): Promise<void> {
    await run.call(this, publishScript, [this.#keys.number, this.#keys.log], [subject])
  }

  /** Ends the connections. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#session?.end(new Error('closed'))
    await this.#opening
  }

  #current(): RedisSession {
    if (this.#session !== undefined) return this.#session
    throw new StoreError(`there is no connection to Redis: ${messageFrom(this.#lastError)}`, { cause: this.#lastError })
  }

  #open(): Promise<void> {
    this.#opening ??= this.#connect()
      .catch((error: unknown) => this.#retryLater(error, 'cannot connect to Redis'))
      .finally(() => {
        this.#opening = undefined
      })
    return this.#opening
  }

  #retryLater(reason: unknown, what: string): void {
    this.#lastError = reason
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => inBackground(() => this.#open()), this.#retryMs * (0.75 + Math.random() / 2))
    this.#timer.unref()
    this.#retryMs = Math.min(this.#retryMs * 2, maxRetryMs)
    this.#warn(
      `${what}: ${messageFrom(reason)}${adviceFor(reason)}; until it is there, on_store_failure decides what is answered`,
    )
  }

  async #connect(): Promise<void> {
    const session = await RedisSession.open({
      ...this.#options,
      keys: this.#keys,
      scripts: [publishScript, ...this.#listeners.flatMap(({ scripts = [] }) => scripts)],
      leaseMs: this.#leaseMs,
      commandTimeoutMs: this.#timeoutMs,
      replicasToConfirm: this.#replicasToConfirm,
    })
    const change = (key: string): void => {
      if (key === this.#keys.number) inBackground(() => this.#news.read(session))
      else this.#tell((listener) => listener.onChange?.(key))
    }
    session.listen(change, (reason) => this.#lost(session, reason))
    const isOtherData = session.dataId !== this.#dataId
    try {
      await this.#news.start(session, isOtherData)
      await this.#prove(session)
      await this.#news.whenRead()
      const { incarnation } = session
      const opened = { run: session.run.bind(session), isOtherData, incarnation, newsNumber: this.#news.number }
      for (const listener of this.#listeners) await listener.onOpen?.(opened)
      const warnings = await within(warningsFrom(session, this.now, this.#replicasToConfirm), this.#timeoutMs, noAnswer)
      if (this.#isClosed) throw new Error('closed')
      if (session.isOver) throw session.endedBy
      this.#session = session
      this.#dataId = session.dataId
      for (const warning of warnings) this.#warn(warning, this.#warnedAtStart)
    } catch (error) {
      session.end(error)
      throw error
    }
    this.#tell((listener) => listener.onReady?.())
    this.#keepProven(session)
    this.#logger.info({}, 'connected to Redis')
  }

  async #prove(session: RedisSession): Promise<void> {
    const { newsNumber, time, sentAt } = await session.prove()
    this.#clock.set(time, sentAt)
    this.#provenAt = session.provenAt
    if (newsNumber !== this.#news.number) inBackground(() => this.#news.read(session))
  }

  /** Four times in the life of a proof. */
  #keepProven(session: RedisSession): void {
    if (session.isOver) return
    this.#timer = setTimeout(() => {
      inBackground(async () => {
        // Where it fails, the session is over, or Redis is too slow.
        await this.#prove(session).catch(() => undefined)
        this.#keepProven(session)
      })
    }, this.#leaseMs / 4)
    this.#timer.unref()
  }

  /** One that fails has not taken note: what it keeps is in doubt. */
  #tell(call: (listener: RedisLinkListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener)
      } catch (error) {
        inBackground(() => this.#session?.end(error))
      }
    }
  }

  #lost(session: RedisSession, reason: unknown): void {
    if (this.#session !== session) return
    clearTimeout(this.#timer)
    this.#session = undefined
    this.#warned.clear()
    if (msSince(session.openedAt) > steadyMs) this.#retryMs = minRetryMs
    this.#tell((listener) => listener.onLost?.(reason instanceof DataLostError))
    this.#retryLater(reason, 'the connection to Redis was lost')
  }

  /** Once each, by default from one connection to the next. */
  #warn(message: string, warned = this.#warned): void {
    if (warned.has(message) || warned.size >= maxWarnings) return
    warned.add(message)
    this.#logger.warn({}, message)
  }
}
