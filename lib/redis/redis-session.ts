/**
 * The connections to one Redis server, from the moment on which all are proven to the first error of any.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { within } from '../async/deadline.js'
import { StoreError } from '../core/errors.js'
import { type Moment, msSince, never, presentMoment } from '../core/moment.js'
import { type ObserveQuery, observed } from '../core/query-observer.js'
import { createConfirmation } from './confirmation.js'
import { type Clients, openClients } from './open-clients.js'
import { destroy, messageFrom, noAnswer, type OpenClient, type RedisClient } from './redis-connection.js'
import { invoke, type Script } from './script.js'

/** The keys that the link itself uses. */
export interface LinkKeys {
  /** Is never set: to delete it is a write that changes nothing. */
  readonly fence: string
  /** How many entries the log has had. */
  readonly number: string
  /** The last entries of the log, each a number and a subject or nothing. */
  readonly log: string
  /** Tells one set of data from another. */
  readonly incarnation: string
  readonly probe: string
  /** How often replicas were asked. */
  readonly confirmations: string
}

export interface SessionOptions {
  readonly open: OpenClient
  readonly keys: LinkKeys
  readonly scripts: readonly Script[]
  readonly leaseMs: number
  readonly commandTimeoutMs: number
  readonly replicasToConfirm: number
  readonly observe?: ObserveQuery | undefined
}

/** Only the primary executes it. Its answer is also the clock, the number of the log, and which data this is. */
const fence: Script = {
  text: `redis.call('DEL', KEYS[1])
local time = redis.call('TIME')
return {time[1], time[2], redis.call('GET', KEYS[2]) or '0', redis.call('GET', KEYS[3]) or ''}`,
}

const readLog: Script = {
  text: `return {redis.call('GET', KEYS[1]) or '0', redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf')}`,
}

/** Commands without an answer. Beyond that, the next one fails at once. */
const maxPending = 10_000

/** Error replies after which the connections are still good; those of scripts stand within another one before Redis 7. */
const harmlessReply = /^(?:OOM|NOSCRIPT)\b|: -OOM /

/** What a script answers that finds other data than it was sent for. */
const otherDataReply = /^OTHERDATA\b/

/** What a proof tells besides. */
export interface Proof {
  readonly newsNumber: number
  /** The clock of Redis, in milliseconds. */
  readonly time: number
  /** Monotonic time. */
  readonly sentAt: number
}

/** The data is no longer that of before. */
export class DataLostError extends Error {
  constructor() {
    super('the data of Redis was removed or exchanged')
  }
}

export class RedisSession {
  /** What `INFO` said at the start. */
  readonly info: string
  readonly incarnation: string
  readonly commands: RedisClient
  /** Whether the server tells of changes. */
  readonly isTracking: boolean
  readonly openedAt: Moment = presentMoment()
  /** When the last answered proof was sent. */
  provenAt: Moment = never
  /** Why it is over. */
  endedBy: unknown
  /** Resolves when replicas have all that was answered before. Rejects with `StoreError`. */
  readonly confirm: () => Promise<void>
  readonly #clients: readonly RedisClient[]
  readonly #tracking: RedisClient
  readonly #options: SessionOptions
  #onEnd: ((reason: unknown) => void) | undefined
  #pending = 0
  /** When each connection has answered last, by the monotonic clock. */
  readonly #answeredAt = new WeakMap<RedisClient, number>()

  /** Opens the connections. Rejects with the reason when the server is not the primary, or not fit. */
  static async open(options: SessionOptions): Promise<RedisSession> {
    const { open, keys, scripts, commandTimeoutMs, replicasToConfirm } = options
    const ask = <T>(work: Promise<T>): Promise<T> => within(work, commandTimeoutMs, noAnswer)
    const clients = await openClients(open, commandTimeoutMs, replicasToConfirm > 0)
    const [tracking, commands, confirming] = clients
    try {
      const infos = await ask(Promise.all(clients.map((client) => client.sendCommand(['INFO']))))
      const info = String(infos[0])
      if (infoField(info, 'role') !== 'master') throw new Error('this Redis is a replica, and not the primary')
      if (new Set(infos.map((text) => infoField(String(text), 'run_id'))).size > 1)
        throw new Error('two connections led to two servers')
      await ask(Promise.all(scripts.map(({ text }) => commands.sendCommand(['SCRIPT', 'LOAD', text]))))
      await ask(commands.sendCommand(['SET', keys.incarnation, randomUUID(), 'NX']))
      const incarnation = String(await ask(commands.get(keys.incarnation)))
      const isTracking = await ask(tellsOfChanges(tracking, commands, keys))
      // Where it is not allowed, better now than at the first logout.
      if (confirming !== undefined) await ask(confirming.sendCommand(['WAIT', '0', '1']))
      return new RedisSession(clients, { info, incarnation, isTracking }, options)
    } catch (error) {
      for (const client of clients) destroy(client)
      throw error
    }
  }

  private constructor(
    clients: Clients,
    opened: Pick<RedisSession, 'info' | 'incarnation' | 'isTracking'>,
    options: SessionOptions,
  ) {
    const [tracking, commands, client] = clients
    this.#clients = clients
    this.#tracking = tracking
    this.commands = commands
    this.info = opened.info
    this.incarnation = opened.incarnation
    this.isTracking = opened.isTracking
    this.#options = options
    const { keys, replicasToConfirm: replicas, commandTimeoutMs } = options
    this.confirm =
      client === undefined
        ? () => Promise.resolve()
        : createConfirmation({
            client,
            replicas,
            // Twice within the limit: who comes too late for one answer of the replicas waits for the next one.
            timeoutMs: Math.ceil(commandTimeoutMs * 0.4),
            keys: [keys.fence, keys.confirmations],
            ask: (command) => this.#ask(client, command),
          })
  }

  /** Another one: what was acknowledged before may be lost. A primary that was a replica meanwhile keeps only its run. */
  get dataId(): string {
    return [infoField(this.info, 'run_id'), infoField(this.info, 'master_replid'), this.incarnation].join(' ')
  }

  get isOver(): boolean {
    return this.endedBy !== undefined
  }

  /** Whether the last proof still holds. */
  get isLeased(): boolean {
    return !this.isOver && msSince(this.provenAt) <= this.#options.leaseMs
  }

  /** Tells of each change of a key that was read by `readTracked`, and of the end. */
  listen(onChange: (key: string) => void, onEnd: (reason: unknown) => void): void {
    this.#onEnd = onEnd
    for (const client of this.#clients) {
      const isLost = (reason?: unknown): void => this.end(reason ?? new Error('the connection was closed'))
      client.on('error', isLost)
      client.on('end', isLost)
      client.on('reconnecting', isLost)
    }
    this.#tracking.on('invalidate', (key: Buffer | string | null) => {
      if (key === null) this.end(new DataLostError())
      else if (!this.isOver) onChange(String(key))
    })
  }

  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#ask(this.commands, () => invoke(this.commands, script, keys, args))
  }

  async readTracked(key: string): Promise<string | null> {
    const proof = this.isLeased ? undefined : this.prove()
    const [value] = await Promise.all([this.#ask(this.#tracking, async () => this.#tracking.get(key)), proof])
    return value
  }

  /** Proves that everything which the primary executed before now has been told on the tracking connection. */
  async prove(): Promise<Proof> {
    const { keys } = this.#options
    const sentAt = presentMoment()
    const names = [keys.fence, keys.number, keys.incarnation]
    const answer = await this.#ask(this.#tracking, () => invoke(this.#tracking, fence, names, []))
    const [seconds, micros, newsNumber, incarnation] = answer as [string, string, string, string]
    if (incarnation !== this.incarnation) {
      this.end(new DataLostError())
      throw new StoreError('Redis failed', { cause: this.endedBy })
    }
    if (sentAt.monotonic > this.provenAt.monotonic) this.provenAt = sentAt
    const time = Number(seconds) * 1000 + Number(micros) / 1000
    return { newsNumber: Number(newsNumber), time, sentAt: sentAt.monotonic }
  }

  /** The number of the log, and its entries behind `since`. The next change of it is told. */
  async readLog(since: number): Promise<{ readonly newsNumber: number; readonly lines: readonly string[] }> {
    const { number, log } = this.#options.keys
    const answer = await this.#ask(this.#tracking, () => invoke(this.#tracking, readLog, [number, log], [since]))
    const [newsNumber, lines] = answer as [string, string[]]
    return { newsNumber: Number(newsNumber), lines }
  }

  /** Gives all connections up. */
  end(reason: unknown): void {
    if (this.isOver) return
    this.endedBy = reason
    for (const client of this.#clients) destroy(client)
    this.#onEnd?.(reason)
  }

  #ask<T>(client: RedisClient, command: () => Promise<T>): Promise<T> {
    return observed(this.#options.observe, () => this.#askInTime(client, command))
  }

  /** Limits how long is waited, and ends the session after whatever leaves the connections in doubt. */
  async #askInTime<T>(client: RedisClient, command: () => Promise<T>): Promise<T> {
    if (this.#pending >= maxPending) throw new StoreError(`Redis has left ${maxPending} commands without an answer`)
    this.#pending++
    const work = command().finally(() => {
      this.#pending--
      this.#answeredAt.set(client, performance.now())
    })
    let isLate = false
    try {
      const answer = await within(work, this.#options.commandTimeoutMs, () => {
        isLate = true
        return noAnswer()
      })
      if (this.isOver) throw this.endedBy
      return answer
    } catch (failure) {
      if (isLate && (await this.#isBusy(client))) throw new StoreError('Redis is too slow', { cause: failure })
      // A command after the end is told that the client is closed: the reason is that of the end.
      const error = this.isOver ? this.endedBy : failure
      const message = messageFrom(error)
      if (otherDataReply.test(message)) this.end(new DataLostError())
      else if (!harmlessReply.test(message)) this.end(error)
      throw new StoreError(`Redis failed: ${message}`, { cause: error })
    }
  }

  /** Whether answers still come: Redis, or this process, has too much to do. What has arrived meanwhile is looked at first. */
  async #isBusy(client: RedisClient): Promise<boolean> {
    await turn()
    const answeredAt = this.#answeredAt.get(client) ?? Number.NEGATIVE_INFINITY
    return performance.now() - answeredAt < this.#options.commandTimeoutMs && !this.isOver
  }
}

/** Whether a change is told before the answer to a later command. */
async function tellsOfChanges(tracking: RedisClient, commands: RedisClient, keys: LinkKeys): Promise<boolean> {
  const key = `${keys.probe}:${randomUUID()}`
  let isTold = false
  const note = (changed: Buffer | string | null): void => {
    if (String(changed) === key) isTold = true
  }
  tracking.on('invalidate', note)
  try {
    await tracking.get(key)
    await commands.sendCommand(['SET', key, '', 'PX', '1000'])
    await tracking.get(keys.fence)
    return isTold
  } finally {
    tracking.off('invalidate', note)
  }
}

/** A line of `INFO`. */
export function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
}
