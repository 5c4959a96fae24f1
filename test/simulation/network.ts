/**
 * The network of a run, and the clients of Redis that stand on it in place of those of `@redis/client`.
 *
 * A connection has two directions. In each, what was sent arrives in its order, some of it at once, and what is held up arrives later:
 * nothing is lost but with the connection. Connections know nothing of each other.
 */

import type { OpenClient, RedisClient } from '../../lib/redis/redis-connection.js'
import { type Reply, ReplyError, ReplyStatus } from './lua.js'
import type { Frame, Peer, RedisServer } from './redis-server.js'
import type { Host, World } from './virtual-time.js'

/** How the network of one run is. */
export interface Conditions {
  readonly minLatencyMs: number
  readonly maxLatencyMs: number
  /** One in so many frames takes much longer; 0: none. */
  readonly slowFrames: number
  readonly maxSlowMs: number
  /** From then on none takes longer. */
  readonly calmAtMs: number
  /** Answers arrive only at multiples of this, and so together; 0: at any time. */
  readonly burstMs: number
  /** Whether all that has arrived is read in one turn; else it may take several. */
  readonly readsAll: boolean
}

const connectTimeoutMs = 1000

/** One direction: keeps the order, and waits while the way is closed. */
class Direction<Item> {
  readonly #network: Network
  readonly #way: string
  readonly #receiver: Host
  readonly #gridMs: number
  readonly #latency: () => number
  readonly #deliver: (item: Item) => void
  #items: { readonly item: Item; readonly due: number }[] = []
  #lastDue = 0
  #isScheduled = false
  isOver = false

  constructor(
    network: Network,
    from: Host,
    to: Host,
    gridMs: number,
    deliver: (item: Item) => void,
    latency: () => number = () => network.latency(),
  ) {
    this.#network = network
    this.#latency = latency
    this.#way = wayOf(from, to)
    this.#receiver = to
    this.#gridMs = gridMs
    this.#deliver = deliver
  }

  send(item: Item): void {
    if (this.isOver) return
    const { world } = this.#network
    let due = Math.max(this.#lastDue, world.now + this.#latency())
    if (this.#gridMs > 0) due = Math.ceil(due / this.#gridMs) * this.#gridMs
    this.#lastDue = due
    this.#items.push({ item, due })
    this.#schedule(due)
  }

  #schedule(at: number): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#network.world.arrive(this.#receiver, at, () => {
      this.#isScheduled = false
      if (!this.isOver) this.#receive()
    })
  }

  #receive(): void {
    const { world, conditions } = this.#network
    const opensAt = this.#network.opensAt(this.#way)
    if (opensAt > world.now) {
      this.#schedule(opensAt)
      return
    }
    const arrived = this.#items.findIndex(({ due }) => due > world.now)
    const all = arrived < 0 ? this.#items.length : arrived
    const count = conditions.readsAll ? all : Math.min(all, 1 + world.random.below(all))
    for (const { item } of this.#items.splice(0, count)) if (!this.isOver) this.#deliver(item)
    const next = this.#items[0]
    if (next !== undefined) this.#schedule(Math.max(next.due, world.now))
  }
}

const wayOf = (from: Host, to: Host): string => `${from.name}>${to.name}`

/** Both ends of a connection. */
class Connection implements RedisClient, Peer {
  readonly #network: Network
  readonly server: RedisServer
  readonly client: Host
  readonly #requests: Direction<readonly string[] | 'end'>
  readonly #answers: Direction<Frame | 'end'>
  readonly #waiting: { resolve(reply: unknown): void; reject(error: Error): void }[] = []
  readonly #listeners = new Map<string, Set<(...args: unknown[]) => void>>()
  readonly #run: number
  #isClosed = false

  constructor(network: Network, client: Host, server: RedisServer) {
    this.#network = network
    this.client = client
    this.server = server
    this.#run = server.run
    this.#requests = new Direction(network, client, server, 0, (args) => this.#serve(args))
    this.#answers = new Direction(network, server, client, network.conditions.burstMs, (frame) => this.#take(frame))
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  async connect(): Promise<void> {}

  get(key: string): Promise<string | null> {
    return this.sendCommand(['GET', key]) as Promise<string | null>
  }

  sendCommand(args: readonly string[]): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new Error('The client is closed'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#requests.send(args)
    })
  }

  /** What is on its way to the server may still be executed. */
  destroy(): void {
    if (this.#isClosed) throw new Error('The client is closed')
    this.#close(new Error('Disconnects client'))
    this.#requests.send('end')
  }

  on(event: string, listener: (...args: never[]) => void): void {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener as () => void))
  }

  off(event: string, listener: (...args: never[]) => void): void {
    this.#listeners.get(event)?.delete(listener as () => void)
  }

  send(frame: Frame): void {
    this.#answers.send(frame)
  }

  /** The network or the server ends it. `isReset`: what is under way is lost, in both directions. */
  cut(isReset: boolean): void {
    if (isReset) {
      this.#requests.isOver = true
      this.server.disconnect(this)
    } else this.#requests.send('end')
    this.#answers.send('end')
  }

  #serve(args: readonly string[] | 'end'): void {
    if (args === 'end' || this.#run !== this.server.run) {
      this.#requests.isOver = true
      this.#answers.send('end')
      this.server.disconnect(this)
    } else if (args[0] === 'CLIENT') {
      this.server.startTracking(this)
      this.send({ reply: new ReplyStatus('OK') })
    } else {
      this.#network.world.note(this.server, args[0]!, () => `${this.client.name} ${detailOf(args)}`)
      this.server.handle(this, args)
    }
  }

  #take(frame: Frame | 'end'): void {
    if (frame === 'end') {
      if (this.#isClosed) return
      const reason = new Error('Socket closed unexpectedly')
      this.#close(reason)
      this.#emit('error', reason)
    } else if ('invalidated' in frame) {
      this.#network.world.note(this.client, 'invalidated', () => String(frame.invalidated))
      this.#emit('invalidate', frame.invalidated)
    } else {
      const waiting = this.#waiting.shift()!
      if (frame.reply instanceof ReplyError) waiting.reject(new Error(frame.reply.err))
      else waiting.resolve(plain(frame.reply))
    }
  }

  #close(reason: Error): void {
    this.#isClosed = true
    this.#answers.isOver = true
    this.#network.connections.delete(this)
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...args)
  }
}

function plain(reply: Reply): unknown {
  if (reply instanceof ReplyStatus) return reply.ok
  return Array.isArray(reply) ? reply.map(plain) : reply
}

/** Scripts by what follows their text. */
function detailOf([, ...rest]: readonly string[]): string {
  const text = rest.map((word) => (word.length > 60 ? `${word.slice(0, 12)}...` : word)).join(' ')
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}

export class Network {
  readonly world: World
  readonly conditions: Conditions
  readonly connections = new Set<Connection>()
  /** Until when nothing arrives, by way. */
  readonly #closedUntil = new Map<string, number>()

  constructor(world: World, conditions: Conditions) {
    this.world = world
    this.conditions = conditions
  }

  latency(): number {
    const { minLatencyMs, maxLatencyMs, slowFrames, maxSlowMs, calmAtMs } = this.conditions
    const isSlow = slowFrames > 0 && this.world.now < calmAtMs && this.world.random.oneIn(slowFrames)
    return this.world.between(minLatencyMs, isSlow ? maxSlowMs : maxLatencyMs)
  }

  /** Nothing that one sends arrives at the other until a moment. */
  hold(from: Host, to: Host, until: number): void {
    const way = wayOf(from, to)
    this.#closedUntil.set(way, Math.max(until, this.#closedUntil.get(way) ?? 0))
  }

  opensAt(way: string): number {
    return this.#closedUntil.get(way) ?? 0
  }

  /** A way of its own, as replication has. */
  direction<Item>(
    from: Host,
    to: Host,
    deliver: (item: Item) => void,
    latency?: () => number,
  ): { send(item: Item): void } {
    return new Direction(this, from, to, 0, deliver, latency)
  }

  /** Opens connections of a process, to the server that `find` names at that moment. */
  opener(client: Host, find: () => RedisServer): OpenClient {
    return async ({ emitInvalidate = false }) => {
      const server = find()
      const connection = new Connection(this, client, server)
      this.connections.add(connection)
      try {
        await this.#greet(connection, server)
        if (emitInvalidate) await connection.sendCommand(['CLIENT', 'TRACKING', 'ON'])
        return connection
      } catch (error) {
        if (!connection.isClosed) connection.destroy()
        throw error
      }
    }
  }

  /** Fails where no answer comes in time. */
  #greet(connection: Connection, server: RedisServer): Promise<unknown> {
    const { client } = connection
    return new Promise((resolve, reject) => {
      const timer = this.world.setTimer(client, connectTimeoutMs, () => reject(new Error('Connection timeout')))
      const settled = (): void => this.world.cancel(timer)
      connection.sendCommand(['TIME']).finally(settled).then(resolve, reject)
      if (server.isDown) connection.cut(true)
    })
  }
}
