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
import type { Gate } from './gate.js'
import { everybodyAmong, trustListProblem } from './trust-list.js'

/** What `app.get` needs; apps of Express 4 and 5 both have it. */
type App = Pick<Application, 'get'>

const advice = 'set it to the addresses of your own proxies, for example app.set("trust proxy", ["10.0.0.1"])'

/** An address as some proxies write it into `X-Forwarded-For`: `203.0.113.9:54321` (Azure, IIS), `[2001:db8::9]:443`. */
const withPort = /^(?:(\d+\.\d+\.\d+\.\d+):(\d{1,5})|\[([0-9A-Za-z:.%]+)\](?::(\d{1,5}))?)$/

/**
 * The client's address, without the port that some proxies add; `undefined` when there is none (its socket has closed) or the trust
 * function throws.
 */
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

/** An address without the port behind it. */
export function withoutPort(text: string): string {
  const [, v4, v4Port, v6, v6Port = '0'] = withPort.exec(text) ?? []
  return (Number(v4Port ?? v6Port) <= 65_535 ? (v4 ?? v6) : undefined) ?? text
}

/** Why an app's `trust proxy` cannot be combined with address rules: a client could choose its address. */
export function trustProxyProblem(app: App): string | undefined {
  const mistake = mistakeIn(app.get('trust proxy')) ?? mistakeInFunction(app.get('trust proxy fn'))
  return mistake === undefined ? undefined : `"trust proxy" ${mistake}; ${advice}`
}

/** What is risky about an app's `trust proxy`, though not wrong by itself. */
export function trustProxyWarning(app: App): string | undefined {
  const setting: unknown = app.get('trust proxy')
  if (typeof setting !== 'number' || !(setting >= 1)) return undefined
  return `"trust proxy" is a count of ${setting}: a client that reaches the app by a shorter way chooses its address; ${advice}`
}

interface Judgement {
  /** Express compiles another one each time the setting is set. */
  readonly isTrusted: unknown
  readonly problem: string | undefined
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
 * Refuses every request (503) while the app's `trust proxy` is not safe. It stands before every address rule. The logger
 * gets the reason, or what {@link trustProxyWarning} says, once for each app and setting.
 *
 * The setting is judged at the first request of each app, because only then the app is known; afterwards it is only
 * compared. A sub-app is an app of its own, which may have a setting of its own.
 */
export function trustProxyGate(logger: Logger): Gate {
  const judged = new WeakMap<object, Judgement>()
  const safe = safeLogger(logger)

  return function trustProxyGate({ app }) {
    const isTrusted: unknown = app.get('trust proxy fn')
    let judgement = judged.get(app)
    if (judgement === undefined || judgement.isTrusted !== isTrusted) {
      judgement = { isTrusted, problem: trustProxyProblem(app) }
      judged.set(app, judgement)
      const warning = trustProxyWarning(app)
      if (judgement.problem !== undefined) tellOnce(safe, app, 'error', judgement.problem)
      else if (warning !== undefined) tellOnce(safe, app, 'warn', warning)
    }
    if (judgement.problem === undefined) return undefined
    return new UnavailableError('ERR_TRUST_PROXY_UNSAFE', 'The server is not set up safely. The log has the reason.', {
      cause: new Error(judgement.problem),
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

/** What Express really asks: somebody may have set it past the setting. */
function mistakeInFunction(isTrusted: unknown): string | undefined {
  return typeof isTrusted === 'function' ? functionMistake(isTrusted as TrustFunction) : undefined
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
