/** What goes wrong in a run, and when. Everything is whole again at its end. */

import type { Cluster } from './cluster.js'
import type { Instance } from './instance.js'
import type { Network } from './network.js'
import type { FaultKind, Setting } from './setting.js'
import type { Host, World } from './virtual-time.js'

/** One in so many requests meets a fault while it is under way, and of those that change something more. */
const requestsPerFault = 80
const changesPerFault = 15

const longestRestartMs = 300

export class Faults {
  readonly #world: World
  readonly #setting: Setting
  readonly #cluster: Cluster
  readonly #network: Network
  readonly #instances: readonly Instance[]
  readonly #host: Host = { name: 'faults', pausedUntil: 0, wallOffset: 0, isInputFirst: false }

  constructor(world: World, setting: Setting, cluster: Cluster, network: Network, instances: readonly Instance[]) {
    this.#world = world
    this.#setting = setting
    this.#cluster = cluster
    this.#network = network
    this.#instances = instances
  }

  /** Until the end of the setting. */
  start(): void {
    const { random, now } = this.#world
    const { faults, faultMs, durationMs } = this.#setting
    const at = now + 1 + random.below(faultMs)
    if (faults.length === 0 || at >= durationMs) return
    this.#world.arrive(this.#host, at, () => {
      this.#strike(random.oneOf(faults))
      this.start()
    })
  }

  /** Something goes wrong while a request is under way. */
  strikeSoon(isChange: boolean): void {
    const { random, now } = this.#world
    const { faults, conditions } = this.#setting
    if (faults.length === 0 || !random.oneIn(isChange ? changesPerFault : requestsPerFault)) return
    const at = now + this.#world.between(0, 3 * conditions.maxLatencyMs)
    this.#world.arrive(this.#host, at, () => this.#strike(random.oneOf(faults)))
  }

  #strike(kind: FaultKind): void {
    const { random, now } = this.#world
    const { longestFaultMs, durationMs } = this.#setting
    const until = Math.min(durationMs, now + 1 + random.below(longestFaultMs))
    const instance = random.oneOf(this.#instances)
    const server = random.oneOf(this.#cluster.servers)
    this.#world.note(undefined, kind, () => `${instance.name} ${server.name} until ${until.toFixed(0)}`)
    this.#kinds[kind](instance, until, server)
  }

  readonly #kinds: Readonly<
    Record<FaultKind, (instance: Instance, until: number, server: Cluster['primary']) => void>
  > = {
    cut: (instance) => {
      const { random } = this.#world
      const open = [...this.#network.connections].filter(({ client }) => client === instance)
      for (const connection of random.oneIn(2) ? open : open.slice(0, 1)) connection.cut(random.oneIn(2))
    },
    silence: (instance, until, server) => {
      this.#network.hold(instance, server, until)
      this.#network.hold(server, instance, until)
    },
    halfSilence: (instance, until, server) => {
      const { random } = this.#world
      const [from, to] = random.oneIn(3) ? [instance, server] : [server, instance]
      this.#network.hold(from, to, until)
    },
    pause: (instance, until, server) => {
      this.#pause(instance, until)
      // As when a virtual machine is moved.
      if (this.#world.random.oneIn(3))
        this.#network.hold(server, instance, Math.min(this.#setting.durationMs, until + 200))
    },
    serverPause: (_instance, until, server) => this.#pause(server, until),
    jump: (instance) => {
      instance.wallOffset += this.#world.random.oneOf([-3_600_000, -700, 700, 3_600_000])
    },
    memory: (_instance, until) => {
      const { primary } = this.#cluster
      primary.isMemoryFull = true
      this.#world.arrive(this.#host, until, () => {
        primary.isMemoryFull = false
      })
    },
    restart: () => this.#restart(false),
    olderCopy: () => this.#restart(true),
    flush: () => {
      if (!this.#cluster.hasStale && !this.#cluster.primary.isDown) this.#cluster.flush()
    },
    failover: (_instance, until) => this.#failOver(until),
  }

  #pause(host: Host, until: number): void {
    host.pausedUntil = Math.max(host.pausedUntil, until)
    host.isInputFirst = this.#world.random.oneIn(2)
  }

  #restart(isOlder: boolean): void {
    if (this.#cluster.hasStale || this.#cluster.primary.isDown) return
    this.#cluster.restart(this.#world.random.below(longestRestartMs), isOlder)
  }

  /** The primary is cut off from the others, with some of the processes or none; a replica takes over after a while. */
  #failOver(ordinaryEnd: number): void {
    const { random, now } = this.#world
    const { hasPartition, durationMs } = this.#setting
    const until = hasPartition && !random.oneIn(4) ? durationMs : ordinaryEnd
    const { primary, servers } = this.#cluster
    if (this.#cluster.hasStale || primary.isDown || servers.length < 2 || this.#isFailingOver) return
    const isPartition = !random.oneIn(3)
    const inside = random.oneIn(2) ? this.#instances.slice(1) : this.#instances.filter(() => random.oneIn(2))
    const outside = [
      ...servers.filter((server) => server !== primary),
      ...this.#instances.filter((one) => !inside.includes(one)),
    ]
    if (isPartition) {
      for (const host of outside) {
        for (const [from, to] of [
          [host, primary],
          [primary, host],
        ] as const)
          this.#network.hold(from, to, until)
      }
    }
    const promoteAt = now + this.#world.between(0, isPartition ? Math.min(1500, (until - now) / 2) : 10)
    const next = random.oneOf(servers.filter((server) => server !== primary))
    this.#isFailingOver = true
    this.#world.arrive(this.#host, promoteAt, () => {
      this.#isFailingOver = false
      if (primary.isDown) return
      const demoteAt = Math.max(until, promoteAt + 1) + random.below(500)
      const reachAt = (host: Host): number => {
        return isPartition && inside.includes(host as Instance) ? until : promoteAt + random.below(600)
      }
      this.#cluster.failOver(next, demoteAt, reachAt, this.#instances, !isPartition)
    })
  }

  #isFailingOver = false
}
