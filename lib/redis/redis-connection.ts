/**
 * Opens connections to a Redis or Valkey server: at an address, at the primary that sentinels name, or as the client of the app does.
 *
 * @module
 */

import { createClient, type RedisClientOptions } from '@redis/client'
import { inBackground } from '../async/background.js'
import { within } from '../async/deadline.js'

/** What is used of a client of `@redis/client`. */
export interface RedisClient {
  /** Reads a text. */
  get(key: string): Promise<string | null>
  /** Sends any command. */
  sendCommand(args: readonly string[]): Promise<unknown>
  /** Connects. */
  connect(): Promise<unknown>
  /** Closes the connection at once. */
  destroy(): void
  /** Adds a listener. */
  on(event: string, listener: (...args: never[]) => void): unknown
  /** Removes a listener. */
  off(event: string, listener: (...args: never[]) => void): unknown
  /** Where it connects to. */
  readonly options?: {
    /** Where it connects to. */
    readonly socket?: object
  }
}

/** A client of the app, from `createClient` of `@redis/client` or `redis`; its settings are used, and its connection is not. */
export interface DuplicableClient {
  /** A client with the same settings and these. */
  duplicate(overrides: object): RedisClient
}

/** Connects, to what is the primary now. */
export type OpenClient = (options: { readonly emitInvalidate?: boolean }) => Promise<RedisClient>

/** Where Redis is: `[shared_store]`. */
export interface RedisServer {
  /** `redis://` or `rediss://`, with user, password and database. With `sentinel`, host and port are not used. */
  readonly url: string
  /** Certificates that may sign that of the server, PEM. @defaultValue those of Node */
  readonly ca?: string | undefined
  /** ACL user; takes precedence over that of the URL. */
  readonly username?: string | undefined
  /** Its password. */
  readonly password?: string | undefined
  /** Who knows the primary. @defaultValue the host of the URL is the primary */
  readonly sentinel?: RedisSentinels | undefined
}

/** `[shared_store.sentinel]`. */
export interface RedisSentinels {
  /** The name of the primary. */
  readonly name: string
  /** `host:port` of each sentinel. */
  readonly nodes: readonly string[]
  /** ACL user at the sentinels. */
  readonly username?: string | undefined
  /** Its password. */
  readonly password?: string | undefined
}

const connectTimeoutMs = 1000

/** With the first commands. */
const openTimeoutMs = 1500

/** No queue of its own, no reconnection of its own, no change of the socket without an event: the link decides. */
const strict = {
  RESP: 3,
  disableOfflineQueue: true,
  maintNotifications: 'disabled',
} as const

/** The settings of each socket. */
const socketSettings = { connectTimeout: connectTimeoutMs, reconnectStrategy: false } as const

/** What a client of an app may have set that is not good for the link: it takes text from the primary, and watches over time itself. */
const notInherited = {
  clientSideCache: undefined,
  commandOptions: {},
  readonly: false,
  pingInterval: undefined,
} as const

/** The error of a time limit. */
export const noAnswer = (): Error => new Error('Redis does not answer')

/** A client that is connected, or a rejection: within the time of a connection, and never a client that nobody closes. */
async function connect(client: RedisClient): Promise<RedisClient> {
  client.on('error', () => undefined)
  const release = (): void => destroy(client)
  const opening = client.connect()
  try {
    await within(opening, openTimeoutMs, noAnswer)
    return client
  } catch (error) {
    release()
    opening.then(release, () => undefined)
    // An old server repeats what it does not know, and with it the password.
    const message = messageFrom(error).replace(/,? with args.*/s, '')
    if (/unknown command.*hello|^NOPROTO/is.test(message)) throw new Error('this Redis is too old: take 6.2 or later')
    throw message === messageFrom(error) ? error : new Error(message)
  }
}

/** Closes a client. It does not matter whether it is open, or fails afterwards. */
export function destroy(client: RedisClient): void {
  client.on('error', () => undefined)
  try {
    client.destroy()
  } catch {
    // It was closed already, or never open.
  }
}

/** Connects as a client of the app would. */
export function openLike(client: DuplicableClient): OpenClient {
  const { socket } = (client as { readonly options?: RedisClientOptions }).options ?? {}
  return (options) => {
    const settings = { socket: { ...socket, ...socketSettings, socketTimeout: undefined } }
    return connect(client.duplicate({ ...strict, ...notInherited, ...options, ...settings }))
  }
}

/** Connects to a server, or to the primary that its sentinels name at that moment. */
export function openAt(server: RedisServer): OpenClient {
  const { ca, sentinel } = server
  const url = new URL(server.url)
  const username = server.username ?? decodeURIComponent(url.username)
  const password = server.password ?? decodeURIComponent(url.password)
  // The client prefers what is in a URL to its own options.
  url.username = ''
  url.password = ''
  const tls = url.protocol === 'rediss:' ? { tls: true as const, ...(ca !== undefined && { ca }) } : {}
  const credentials = { ...(username !== '' && { username }), ...(password !== '' && { password }) }

  return async (options) => {
    const target = sentinel === undefined ? url.href : withAddress(url, await primaryFrom(sentinel, tls))
    const socket = { ...socketSettings, ...tls }
    const client = createClient({ ...strict, ...options, ...credentials, url: target, socket } as RedisClientOptions)
    return connect(client as unknown as RedisClient)
  }
}

interface Primary {
  readonly host: string
  readonly port: string
  /** Grows with each fail-over. */
  readonly epoch: number
}

function withAddress(url: URL, { host, port }: Primary): string {
  const changed = new URL(url)
  changed.hostname = host.includes(':') ? `[${host}]` : host
  changed.port = port
  return changed.href
}

/**
 * The primary by the latest fail-over that any of most sentinels knows of: one that was cut off still names the one of before. All are
 * asked each time: one that was away may be back.
 */
function primaryFrom(sentinels: RedisSentinels, tls: object): Promise<Primary> {
  const { name, nodes } = sentinels
  const answers: Primary[] = []
  const failures: string[] = []
  return new Promise((resolve, reject) => {
    const ask = async (node: string): Promise<void> => {
      try {
        answers.push(await askSentinel(node, sentinels, tls))
      } catch (error) {
        failures.push(`${node}: ${messageFrom(error)}`)
      }
      const isComplete = answers.length + failures.length === nodes.length
      if (answers.length * 2 <= nodes.length && !isComplete) return
      const [latest] = answers.sort((left, right) => right.epoch - left.epoch)
      if (latest !== undefined) resolve(latest)
      else reject(new Error(`no sentinel names the primary "${name}": ${failures.join('; ')}`))
    }
    for (const node of nodes) inBackground(() => ask(node), reject)
  })
}

async function askSentinel(node: string, sentinels: RedisSentinels, tls: object): Promise<Primary> {
  const { name, username, password } = sentinels
  const credentials = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) }
  const { hostname, port } = new URL(`redis://${node}`)
  const socket = { ...socketSettings, ...tls, host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 26_379) }
  const client = await connect(
    createClient({ ...strict, ...credentials, socket } as RedisClientOptions) as unknown as RedisClient,
  )
  try {
    // The address is that of the replica which is being promoted; how often that has happened stands elsewhere.
    const asked = ['GET-MASTER-ADDR-BY-NAME', 'MASTER'].map((what) => client.sendCommand(['SENTINEL', what, name]))
    const answers = await within(Promise.all(asked), connectTimeoutMs, () => new Error('no answer'))
    const [host, port] = answers[0] as [string, string]
    return { host, port, epoch: Number(fieldsFrom(answers[1])['config-epoch'] ?? 0) }
  } finally {
    destroy(client)
  }
}

/** What Redis answers as a map, in whichever of its forms. */
export function fieldsFrom(answer: unknown): Partial<Record<string, string>> {
  if (answer instanceof Map) return Object.fromEntries(answer)
  if (!Array.isArray(answer)) return { ...(answer as object) }
  return Object.fromEntries(answer.flatMap((name, index) => (index % 2 === 0 ? [[name, answer[index + 1]]] : [])))
}

/** The reason of a failure, for a log. */
export function messageFrom(reason: unknown): string {
  if (reason instanceof AggregateError) return reason.errors.map(messageFrom).join('; ')
  return reason instanceof Error ? reason.message : String(reason)
}
