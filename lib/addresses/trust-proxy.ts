/**
 * The client's address, and whether the app's `trust proxy` setting lets it be believed. All address rules, throttle
 * keys and audit events read the address here; `X-Forwarded-For` is read by Express only.
 *
 * @module
 */

import type { Application, Request } from 'express'
import { inBackground } from '../async/background.js'
import { UnavailableError } from '../core/errors.js'
import { type Logger, safeLogger } from '../core/logger.js'
import type { Gate } from '../http/gate.js'
import { type Address, isMapped, parseAddress, parseAddressAsSpelled } from './ip-address.js'
import { edgeAddress, type Network } from './network.js'

type App = Pick<Application, 'get'>

const advice = 'set it to the addresses of your own proxies, for example app.set("trust proxy", ["10.0.0.1"])'

/** An address as some proxies write it into `X-Forwarded-For`: `203.0.113.9:54321` (Azure, IIS), `[2001:db8::9]:443`. */
const withPort = /^(?:(\d+\.\d+\.\d+\.\d+):(\d{1,5})|\[([0-9A-Za-z:.%]+)\](?::(\d{1,5}))?)$/

/** Without the port that some proxies add; `undefined` when the socket has closed or the trust function throws. */
export function clientAddress(request: Request): string | undefined {
  try {
    const { ip, socket } = request
    if (ip === undefined || ip === socket.remoteAddress) return ip
    const address = withoutPort(ip)
    return address !== ip && isTrusted(request, address) ? ip : address
  } catch {
    return undefined
  }
}

/** Whether it is a proxy of the app's own, which Express does not know with a port: who is behind it is not known then. */
function isTrusted({ app }: Request, address: string): boolean {
  const trust: unknown = app.get('trust proxy fn')
  return typeof trust === 'function' && Boolean(trust(address, remoteHop))
}

export function withoutPort(text: string): string {
  const [, v4, v4Port, v6, v6Port = '0'] = withPort.exec(text) ?? []
  return (Number(v4Port ?? v6Port) <= 65_535 ? (v4 ?? v6) : undefined) ?? text
}

/** Why an app's `trust proxy` cannot be combined with address rules: a client could choose its address. */
export function trustProxyProblem(app: App): string | undefined {
  // What Express really asks may have been set past the setting.
  const isTrusted: unknown = app.get('trust proxy fn')
  const isFunction = typeof isTrusted === 'function'
  const mistake = mistakeIn(app.get('trust proxy')) ?? (isFunction ? mistakeIn(isTrusted) : undefined)
  return mistake === undefined ? undefined : `"trust proxy" ${mistake}; ${advice}`
}

export function trustProxyWarning(app: App): string | undefined {
  const setting: unknown = app.get('trust proxy')
  if (typeof setting !== 'number' || !(setting >= 1)) return undefined
  return `"trust proxy" is a count of ${setting}: a client that reaches the app by a shorter way chooses its address; ${advice}`
}

/** What each logger was told about each app: an app with several guards is told of once. */
const told = new WeakMap<Logger, WeakMap<object, Set<string>>>()

function tellOnce(logger: Logger, app: object, level: 'warn' | 'error', text: string): void {
  const apps = told.get(logger) ?? new WeakMap<object, Set<string>>()
  const texts = apps.get(app) ?? new Set()
  told.set(logger, apps.set(app, texts))
  if (texts.has(text)) return
  texts.add(text)
  logger[level]({}, text)
}

/**
 * Refuses every request (503) while `trust proxy` is not safe; the log has the reason, once for each app and setting. The
 * setting is checked at the first request of each app, also of a sub-app, and again when it has changed.
 */
export function trustProxyGate(logger: Logger): Gate {
  /** Express compiles another function each time the setting is set. */
  const checked = new WeakMap<object, { readonly isTrusted: unknown; readonly problem: string | undefined }>()
  const safe = safeLogger(logger)

  return function trustProxyGate({ app }) {
    const isTrusted: unknown = app.get('trust proxy fn')
    let check = checked.get(app)
    if (check === undefined || check.isTrusted !== isTrusted) {
      check = { isTrusted, problem: trustProxyProblem(app) }
      checked.set(app, check)
      const warning = trustProxyWarning(app)
      if (check.problem !== undefined) tellOnce(safe, app, 'error', check.problem)
      else if (warning !== undefined) tellOnce(safe, app, 'warn', warning)
    }
    if (check.problem === undefined) return undefined
    return new UnavailableError('ERR_TRUST_PROXY_UNSAFE', 'The server is not set up safely. The log has the reason.', {
      cause: new Error(check.problem),
    })
  }
}

function mistakeIn(setting: unknown): string | undefined {
  // Express takes all of these as: trust nobody.
  if (setting === undefined || setting === null || setting === false || setting === '') return undefined
  if (setting === true) return 'is true: every client chooses its address with X-Forwarded-For'
  if (typeof setting === 'number') {
    return Number.isSafeInteger(setting) && setting >= 0 ? undefined : `is ${setting}, which is not a count of proxies`
  }
  if (typeof setting === 'function') return functionMistake(setting as TrustFunction)
  if (typeof setting === 'string') return trustListProblem(setting.split(',').map((entry) => entry.trim()))
  return Array.isArray(setting) ? trustListProblem(setting) : `is of type ${typeof setting}`
}

type TrustFunction = (address: string, hop: number) => unknown

/** Farther away than any count of proxies reaches. */
const remoteHop = 1_000

/** A function that throws is no mistake: then there is no address, and the request is refused. */
function functionMistake(isTrusted: TrustFunction): string | undefined {
  const promises: unknown[] = []

  function isTrustedFromAfar(address: string): boolean {
    try {
      const answer = isTrusted(address, remoteHop)
      if (typeof (answer as PromiseLike<unknown> | undefined)?.then === 'function') promises.push(answer)
      return Boolean(answer)
    } catch {
      return false
    }
  }

  const everybody = everybodyAmong(isTrustedFromAfar)
  for (const promise of promises) inBackground(() => promise)
  if (promises.length > 0) return 'is a function that returns a promise, which counts as true for every address'
  return everybody === undefined ? undefined : `is a function that trusts ${everybody}`
}

const knownNames: readonly unknown[] = ['loopback', 'linklocal', 'uniquelocal']

const ipv4Samples: readonly string[] = [
  ...['192.0.2.1', '198.51.100.1', '203.0.113.1', '1.0.0.1', '24.48.0.1', '41.0.0.1', '62.30.0.1', '79.192.0.1'],
  ...['101.0.1.1', '122.96.0.1', '133.11.0.1', '151.0.0.1', '176.0.0.1', '190.0.0.1', '212.0.0.1', '223.255.0.1'],
]

/**
 * Addresses from all over the internet, some of them reserved for documentation (RFC 5737, RFC 3849): nobody's proxies have
 * all of one kind. An IPv4 address has the second spelling on a socket that takes both kinds.
 */
const samples: readonly (readonly [kind: string, addresses: readonly string[]])[] = [
  ['IPv4', ipv4Samples],
  ['IPv4', ipv4Samples.map((address) => `::ffff:${address}`)],
  ['IPv6', ['2001:db8::1', '2003:e0::1', '240e::1', '2600:1700::1', '2804:14c::1', '2a02:8000::1', '2c0f:f000::1']],
]

/** Whom a setting trusts that trusts all clients, or all of one kind: they choose their address; else `undefined`. */
export function everybodyAmong(isTrusted: (address: string) => boolean): string | undefined {
  const kinds = samples.filter(([, addresses]) => addresses.map(isTrusted).every(Boolean)).map(([kind]) => kind)
  if (kinds.length === samples.length) return 'every address'
  return kinds[0] === undefined ? undefined : `every ${kinds[0]} address`
}

/** The beginning of every IPv4-mapped address (RFC 4291 section 2.5.5.2), and its length in bits. */
const mappedBase: Address = [0, 0, 0xffff, 0]
const mappedBits = 96

/**
 * Express reads some texts as addresses that are none (`1` is 0.0.0.1, not a count), and releases of proxy-addr before 2.0.8
 * take an IPv6 block that holds all IPv4-mapped addresses for everybody (CVE-2026-90711).
 */
export function trustListProblem(entries: readonly unknown[]): string | undefined {
  for (const entry of entries) {
    const mistake = knownNames.includes(entry) ? undefined : entryMistake(entry)
    if (mistake !== undefined) return `has the entry ${JSON.stringify(entry)}, which ${mistake}`
  }
  const blocks = entries.filter((entry) => typeof entry === 'string').flatMap((entry) => blockFrom(entry) ?? [])
  const everybody = everybodyAmong((text) => blocks.some((block) => isWithin(parseAddress(text)!, block)))
  return everybody === undefined ? undefined : `has networks that together are ${everybody}`
}

function entryMistake(entry: unknown): string | undefined {
  if (typeof entry !== 'string') return 'is not text'
  const [text = '', length] = entry.split('/')
  const address = parseAddressAsSpelled(text)
  if (address === undefined) {
    return /^\d+$/.test(entry) ? 'is a count as text: a count has to be a number' : 'is not an address or a network'
  }
  // Express checks lengths itself, and takes a mask of four numbers for IPv4.
  if (length === undefined || address.length === 1) return undefined
  const block = { base: address, length: Number(length) }
  return block.length < mappedBits && isWithin(mappedBase, block) ? 'may mean every IPv4 address' : undefined
}

/** `undefined` for a name, and for a length that Express does not take. */
function blockFrom(entry: string): Network | undefined {
  const [text = '', written] = entry.split('/')
  const spelled = parseAddressAsSpelled(text)
  const base = parseAddress(text)
  if (spelled === undefined || base === undefined) return undefined
  const mask = spelled.length === 1 && written !== undefined ? parseAddress(written)?.[0] : undefined
  const length = mask === undefined ? Number(written ?? spelled.length * 32) : Math.clz32(~mask)
  return { base, length: isMapped(spelled) ? length - mappedBits : length }
}

function isWithin(address: Address, { base, length }: Network): boolean {
  if (address.length !== base.length) return false
  const first = edgeAddress(base, length, 'first')
  return edgeAddress(address, length, 'first').every((word, index) => word === first[index])
}
