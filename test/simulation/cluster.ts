/** The servers of a run: who is the primary, what a replica has got, and who believes what. */

import type { LuaRunner } from './lua.js'
import type { Network } from './network.js'
import type { Data } from './redis-data.js'
import { type Change, RedisServer } from './redis-server.js'
import type { Setting } from './setting.js'
import type { Host, World } from './virtual-time.js'

/** Between two signs of life of a replica, and two counts of them. */
const heartbeatMs = 1000

export class Cluster {
  readonly servers: readonly RedisServer[]
  /** The one that most believe in. */
  primary: RedisServer
  /** Until when one of before has accepted writes. */
  staleUntil = Number.NEGATIVE_INFINITY
  /** Told when what the primary has is no longer what it had: after a fail-over, an older copy, a flush. */
  onExchange: () => void = () => undefined
  readonly #world: World
  readonly #network: Network
  readonly #setting: Setting
  #before: RedisServer | undefined
  /** When a process learns of the last fail-over. */
  readonly #knownAt = new Map<Host, number>()
  readonly #streams = new Map<RedisServer, { send(changes: readonly Change[]): void }>()
  /** Copies of the data, the oldest one first. */
  readonly #copies: Data[] = []

  constructor(world: World, lua: LuaRunner, network: Network, setting: Setting) {
    this.#world = world
    this.#network = network
    this.#setting = setting
    this.servers = Array.from({ length: setting.replicas + 1 }, (_, index) => {
      return new RedisServer(world, lua, `redis${index}`, setting)
    })
    this.primary = this.servers[0]!
    for (const server of this.servers) {
      server.replicate = (to, changes) => this.#streams.get(to)?.send(changes)
      if (server !== this.primary) this.#follow(server, this.primary)
      if (setting.replicas > 0) this.#beat(server)
    }
    if (setting.faults.includes('olderCopy')) this.#copy()
  }

  /** Whether another server accepts writes too. */
  get hasStale(): boolean {
    return this.#before !== undefined
  }

  /** Whom the sentinels that a process reaches name. */
  primaryFor(process: Host): RedisServer {
    const isKnown = (this.#knownAt.get(process) ?? 0) <= this.#world.now
    return isKnown || this.#before === undefined ? this.primary : this.#before
  }

  /** A replica takes over. The primary of before stays what it is until `demoteAt`; `reachAt`: when a process learns of the new one. */
  failOver(
    next: RedisServer,
    demoteAt: number,
    reachAt: (process: Host) => number,
    processes: readonly Host[],
    isSeen: boolean,
  ): void {
    const before = this.primary
    this.#before = before
    this.primary = next
    this.staleUntil = demoteAt
    for (const process of processes) this.#knownAt.set(process, reachAt(process))
    this.#streams.delete(next)
    next.promote()
    if (isSeen) before.dropReplica(next)
    for (const server of this.servers) {
      if (server === before || server === next) continue
      before.dropReplica(server)
      this.#follow(server, next)
    }
    this.#world.note(next, 'promoted')
    this.onExchange()
    this.#world.arrive(before, demoteAt, () => {
      this.#world.note(before, 'demoted')
      this.#before = undefined
      this.staleUntil = this.#world.now
      this.#follow(before, next)
      this.#world.arrive(next, this.#world.now, () => next.countReplicas())
    })
  }

  /** The primary ends and comes back, with what it had or with less. */
  restart(downMs: number, isOlder: boolean): void {
    const server = this.primary
    const kept = (isOlder && this.#copies.length > 0 ? this.#world.random.oneOf(this.#copies) : server.data).copy()
    this.#world.note(server, isOlder ? 'ends, with an older copy' : 'ends')
    server.isDown = true
    server.restart(kept)
    for (const connection of [...this.#network.connections]) if (connection.server === server) connection.cut(true)
    this.onExchange()
    const isBack = (): void => {
      server.isDown = false
      this.#world.note(server, 'is back')
      for (const replica of this.servers) if (replica.primary === server) this.#follow(replica, server)
    }
    this.#world.arrive(this.#observerOfRestart, this.#world.now + downMs, isBack)
  }

  flush(): void {
    this.#world.note(this.primary, 'flushed')
    this.primary.flush()
    for (const replica of this.servers) if (replica.primary === this.primary) this.#follow(replica, this.primary)
    this.onExchange()
  }

  readonly #observerOfRestart: Host = { name: 'operator', pausedUntil: 0, wallOffset: 0, isInputFirst: false }

  #follow(replica: RedisServer, primary: RedisServer): void {
    primary.dropReplica(replica)
    replica.follow(primary)
    const { maxReplicationMs } = this.#setting
    const stream = this.#network.direction<readonly Change[]>(
      primary,
      replica,
      (changes) => {
        if (this.#streams.get(replica) === stream) replica.apply(changes)
      },
      () => this.#world.between(0, maxReplicationMs),
    )
    this.#streams.set(replica, stream)
  }

  #beat(server: RedisServer): void {
    const { primary } = server
    if (primary === undefined) server.countReplicas()
    else this.#network.direction<undefined>(server, primary, () => primary.acknowledge(server)).send(undefined)
    this.#world.arrive(server, this.#world.now + heartbeatMs, () => this.#beat(server))
  }

  /** One a second, of the last three. */
  #copy(): void {
    this.#copies.push(this.primary.data.copy())
    if (this.#copies.length > 3) this.#copies.shift()
    this.#world.arrive(this.#observerOfRestart, this.#world.now + heartbeatMs, () => this.#copy())
  }
}
