/**
 * A Redis server in a run: one primary or replica, which executes our own scripts, tells of changed keys, replicates with a lag, and stays
 * what it was until it is told otherwise.
 */

import { hash } from 'node:crypto'
import { type LuaRunner, type Reply, ReplyError } from './lua.js'
import { commands, execute } from './redis-commands.js'
import { Data } from './redis-data.js'
import { type Host, startOfTime, type World } from './virtual-time.js'

/** The server's end of a connection. */
export interface Peer {
  /** Puts something behind everything that was sent before. */
  send(frame: Frame): void
}

export type Frame = { readonly reply: Reply } | { readonly invalidated: string | null }

export interface RedisSettings {
  readonly minReplicasToWrite: number
  readonly minReplicasMaxLagMs: number
  /** Milliseconds between the end of a key and the moment at which it is removed, if nobody asks for it. */
  readonly maxExpiryDelayMs: number
}

export interface Change {
  readonly args: readonly string[]
  readonly at: number
}

interface Replica {
  readonly server: RedisServer
  /** In seconds. */
  acknowledgedAt: number
}

const digests = new Map<string, string>()

function digestOf(text: string): string {
  const digest = digests.get(text) ?? hash('sha1', text)
  digests.set(text, digest)
  return digest
}

export class RedisServer implements Host {
  readonly name: string
  pausedUntil = 0
  wallOffset: number
  isInputFirst = false
  readonly #world: World
  readonly #lua: LuaRunner
  readonly #settings: RedisSettings
  data = new Data()
  /** `undefined`: this is a primary. */
  primary: RedisServer | undefined
  #runId = ''
  #replicationId = ''
  isMemoryFull = false
  isDown = false
  /** Goes up with each restart: connections of before are gone. */
  run = 0
  readonly #scripts = new Map<string, string>()
  readonly #trackedBy = new Map<string, Set<Peer>>()
  readonly #tracking = new Set<Peer>()
  readonly #replicas: Replica[] = []
  /** When the end of a key is looked at. */
  readonly #watched = new Map<string, number>()
  #caller: { readonly peer: Peer; readonly own: string[] } | undefined
  #goodReplicas = 0
  /** What the command that is being executed has written: a replica gets all of it at once, or nothing. */
  #written: Change[] = []
  /** Sends what was written to a replica: the network decides when it arrives. */
  replicate: (to: RedisServer, changes: readonly Change[]) => void = () => undefined

  /** Told of each answer. */
  onAnswer: (reply: Reply) => void = () => undefined

  constructor(world: World, lua: LuaRunner, name: string, settings: RedisSettings, wallOffset = startOfTime) {
    this.#world = world
    this.#lua = lua
    this.name = name
    this.#settings = settings
    this.wallOffset = wallOffset
    this.restart(this.data)
  }

  /** Milliseconds since the epoch by its clock. */
  get time(): number {
    return Math.floor(this.#world.now + this.wallOffset)
  }

  /** Another process with this data. */
  restart(data: Data): void {
    this.data = data
    this.#runId = this.#randomId()
    this.#replicationId = this.#randomId()
    this.run++
    this.#scripts.clear()
    this.#trackedBy.clear()
    this.#tracking.clear()
    this.#watched.clear()
    this.#watchExpiry(data.keys())
  }

  /** Becomes a primary with what it has got so far. */
  promote(): void {
    this.primary = undefined
    this.#replicationId = this.#randomId()
    this.#watchExpiry(this.data.keys())
  }

  /** Becomes a replica: gets all data anew, and refuses to write from now on. Its clients stay. */
  follow(primary: RedisServer): void {
    this.primary = primary
    this.#replicas.length = 0
    this.#goodReplicas = 0
    this.flush()
    this.data = primary.data.copy()
    this.#replicationId = primary.#replicationId
    primary.#replicas.push({ server: this, acknowledgedAt: primary.#seconds })
    primary.countReplicas()
  }

  /** The connection of a replica is lost. */
  dropReplica(server: RedisServer): void {
    const index = this.#replicas.findIndex((replica) => replica.server === server)
    if (index >= 0) this.#replicas.splice(index, 1)
    this.countReplicas()
  }

  /** A replica says that it is there. */
  acknowledge(server: RedisServer): void {
    for (const replica of this.#replicas) if (replica.server === server) replica.acknowledgedAt = this.#seconds
  }

  /** Once a second: how many replicas have answered lately. */
  countReplicas(): void {
    const maxLag = Math.floor(this.#settings.minReplicasMaxLagMs / 1000)
    this.#goodReplicas = this.#replicas.filter(({ acknowledgedAt }) => this.#seconds - acknowledgedAt <= maxLag).length
  }

  /** A change that the primary has sent. */
  apply(changes: readonly Change[]): void {
    for (const { args, at } of changes) {
      const [name, ...rest] = args
      execute(commands[name!]!, this.data, rest, at, (key) => this.#tell(key))
    }
  }

  /** Removes everything, and says so. */
  flush(): void {
    this.data.clear()
    this.#trackedBy.clear()
    for (const peer of this.#tracking) peer.send({ invalidated: null })
  }

  startTracking(peer: Peer): void {
    this.#tracking.add(peer)
  }

  disconnect(peer: Peer): void {
    this.#tracking.delete(peer)
    for (const peers of this.#trackedBy.values()) peers.delete(peer)
  }

  /** Executes a command, and sends its answer behind what it has changed for others, and before what it has changed for the caller. */
  handle(peer: Peer, args: readonly string[]): void {
    const own: string[] = []
    this.#caller = { peer, own }
    const reply = this.#execute(args)
    this.#propagate()
    this.#caller = undefined
    this.onAnswer(reply)
    peer.send({ reply })
    for (const key of own) peer.send({ invalidated: key })
  }

  #execute([name = '', ...args]: readonly string[]): Reply {
    const word = name.toUpperCase()
    if (word === 'INFO') return this.#info()
    if (word === 'CONFIG') {
      const value = args[1] === 'save' ? '3600 1' : String(this.#settings.minReplicasToWrite)
      return [args[1]!, value]
    }
    if (word === 'SCRIPT') {
      this.#scripts.set(digestOf(args[1]!), args[1]!)
      return digestOf(args[1]!)
    }
    if (word === 'EVALSHA' || word === 'EVAL') return this.#runScript(word === 'EVAL', args)
    return this.#call([name, ...args], { hasWritten: false, declared: undefined })
  }

  #runScript(isText: boolean, [script = '', count = '0', ...rest]: readonly string[]): Reply {
    const text = isText ? script : this.#scripts.get(script)
    if (text === undefined) return new ReplyError('NOSCRIPT No matching script. Please use EVAL.')
    if (isText) this.#scripts.set(digestOf(text), text)
    const declared = rest.slice(0, Number(count))
    const context = { hasWritten: false, declared }
    return this.#lua.run(text, declared, rest.slice(Number(count)), (args) => this.#call(args, context))
  }

  /** One command, of a client or of a script. `declared`: the keys of the script. */
  #call(
    args: readonly string[],
    context: { hasWritten: boolean; readonly declared: readonly string[] | undefined },
  ): Reply {
    const [name = '', ...rest] = args
    const command = commands[name.toUpperCase()]
    if (command === undefined) return new ReplyError(`ERR unknown command '${name}', with args beginning with: ...`)
    if (command.isWrite && !context.hasWritten) {
      if (this.primary !== undefined) return new ReplyError("READONLY You can't write against a read only replica.")
      if (this.#goodReplicas < this.#settings.minReplicasToWrite)
        return new ReplyError('NOREPLICAS Not enough good replicas to write.')
      if (this.isMemoryFull && command.needsMemory)
        return new ReplyError("OOM command not allowed when used memory > 'maxmemory'.")
      context.hasWritten = true
    }
    const keys = command.keys(rest)
    for (const key of keys) this.#expire(key)
    const { time } = this
    let hasChanged = false
    const reply = execute(command, this.data, rest, time, (key) => {
      hasChanged = true
      this.#tell(key)
    })
    if (hasChanged) this.#written.push({ args: [name.toUpperCase(), ...rest], at: time })
    if (!command.isWrite) this.#remember(context.declared ?? keys)
    this.#watchExpiry(keys)
    return reply
  }

  /** The next change of these keys is told to the caller, once. */
  #remember(keys: readonly string[]): void {
    const peer = this.#caller?.peer
    if (peer === undefined || !this.#tracking.has(peer)) return
    for (const key of keys) this.#trackedBy.set(key, (this.#trackedBy.get(key) ?? new Set()).add(peer))
  }

  #tell(key: string): void {
    const peers = this.#trackedBy.get(key)
    this.#trackedBy.delete(key)
    for (const peer of peers ?? []) {
      if (peer === this.#caller?.peer) this.#caller.own.push(key)
      else peer.send({ invalidated: key })
    }
  }

  #propagate(): void {
    const written = this.#written
    if (written.length === 0) return
    this.#written = []
    for (const { server } of this.#replicas) this.replicate(server, written)
  }

  /** A replica leaves that to its primary, and answers as if it were gone. */
  #expire(key: string): void {
    const end = this.data.peek(key)?.expiresAt
    if (end === undefined || this.time < end || this.primary !== undefined) return
    this.data.delete(key)
    this.#tell(key)
    this.#written.push({ args: ['DEL', key], at: this.time })
  }

  /** What nobody asks for is removed a little later. */
  #watchExpiry(keys: Iterable<string>): void {
    for (const key of keys) {
      const value = this.data.peek(key)
      if (value?.expiresAt === undefined || this.#watched.get(key) === value.expiresAt || this.primary !== undefined)
        continue
      this.#watched.set(key, value.expiresAt)
      const delay = this.#world.between(0, this.#settings.maxExpiryDelayMs)
      this.#world.arrive(this, value.expiresAt - this.wallOffset + delay, () => {
        this.#watched.delete(key)
        this.#expire(key)
        this.#propagate()
        this.#watchExpiry([key])
      })
    }
  }

  get #seconds(): number {
    return Math.floor(this.time / 1000)
  }

  #randomId(): string {
    return Array.from({ length: 40 }, () => this.#world.random.below(16).toString(16)).join('')
  }

  #info(): string {
    return [
      '# Server',
      `run_id:${this.#runId}`,
      `role:${this.primary === undefined ? 'master' : 'slave'}`,
      `master_replid:${this.#replicationId}`,
      `connected_slaves:${this.#replicas.length}`,
      'maxmemory_policy:noeviction',
      'aof_enabled:1',
    ].join('\r\n')
  }
}
