/**
 * Whether a front can do its work: each part is asked, once a second at the most however many want to know, and none for longer than a
 * second.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import { startDeadline, untilAborted } from '../async/deadline.js'
import { StoreError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import type { HealthCheck, HealthReport, HealthStatus } from './report.js'

/** What a part says of itself. */
export interface Finding {
  readonly status: HealthStatus
  readonly detail?: string | undefined
}

/** One part of a front. */
export interface Probe {
  readonly name: string
  /** Asks the part; `undefined`: there is nothing to say. What it throws, or does not answer in time, counts as `failure`. */
  ask(signal: AbortSignal): Finding | undefined | Promise<Finding>
  /** `warn`: requests are served without this part too. @defaultValue `'fail'` */
  readonly failure?: 'warn' | 'fail' | undefined
  /** Whether its answer takes a way that is worth a figure. @defaultValue `false` */
  readonly isRemote?: boolean | undefined
}

/** Options of {@link Health}. */
export interface HealthOptions {
  readonly probes: readonly Probe[]
  readonly clock: () => number
  readonly logger: Logger
  /** @defaultValue 1000 */
  readonly timeoutMs?: number | undefined
  /** How long what was found is used again. @defaultValue 1000 */
  readonly keptMs?: number | undefined
}

/** One that hangs is not asked again before it has answered, or so much time has passed. */
const hangMs = 30_000

const shuttingDown: Finding = { status: 'fail', detail: 'shutting down' }

export class Health {
  readonly #options: HealthOptions
  readonly #startedAt: number
  /** Of each part, what it was last, and since when. */
  readonly #last = new Map<string, { readonly status: HealthStatus; readonly since: number }>()
  /** Parts that have not answered yet. */
  readonly #pending = new Map<Probe, { readonly answer: Promise<Finding | undefined>; readonly since: number }>()
  #found: { readonly at: number; readonly checks: readonly HealthCheck[] } | undefined
  #running: Promise<readonly HealthCheck[]> | undefined
  #isShuttingDown = false

  constructor(options: HealthOptions) {
    this.#options = options
    this.#startedAt = options.clock()
  }

  /** From now on requests should go elsewhere. */
  shutDown(): void {
    this.#isShuttingDown = true
  }

  /** Whether new requests should come here. Never rejects. */
  async isReady(): Promise<boolean> {
    return !this.#isShuttingDown && worst(await this.#checks()) !== 'fail'
  }

  /** Never rejects. */
  async report(): Promise<HealthReport> {
    const found = await this.#checks()
    const checks = [this.#note('process', this.#isShuttingDown ? shuttingDown : { status: 'pass' }), ...found]
    return { status: worst(checks), checks }
  }

  #checks(): Promise<readonly HealthCheck[]> | readonly HealthCheck[] {
    const { keptMs = 1000, probes } = this.#options
    if (this.#found !== undefined && performance.now() - this.#found.at < keptMs) return this.#found.checks
    this.#running ??= Promise.all(probes.map((probe) => this.#check(probe))).then((found) => {
      const checks = found.filter((check) => check !== undefined)
      this.#found = { at: performance.now(), checks }
      this.#running = undefined
      return checks
    })
    return this.#running
  }

  async #check(probe: Probe): Promise<HealthCheck | undefined> {
    const startedAt = performance.now()
    const finding = await this.#ask(probe)
    const latencyMs = Math.round((performance.now() - startedAt) * 100) / 100
    return finding && this.#note(probe.name, finding, probe.isRemote ? latencyMs : undefined)
  }

  async #ask(probe: Probe): Promise<Finding | undefined> {
    const { timeoutMs = 1000 } = this.#options
    const deadline = startDeadline(timeoutMs, () => new StoreError(`no answer within ${timeoutMs} ms`))
    const now = performance.now()
    let asked = this.#pending.get(probe)
    if (asked === undefined || now - asked.since > hangMs) {
      asked = { answer: (async () => probe.ask(deadline.signal))(), since: now }
      this.#pending.set(probe, asked)
      const { answer } = asked
      inBackground(() =>
        answer.finally(() => this.#pending.get(probe)?.answer === answer && this.#pending.delete(probe)),
      )
    }
    try {
      return await untilAborted(asked.answer, deadline.signal)
    } catch (error) {
      return { status: probe.failure ?? 'fail', detail: reasonFrom(error) }
    } finally {
      deadline.end()
    }
  }

  #note(name: string, { status, detail }: Finding, latencyMs?: number): HealthCheck {
    const { clock, logger } = this.#options
    let last = this.#last.get(name)
    if (last?.status !== status) {
      if (status !== 'pass') logger.warn({ check: name, status }, `health: ${name}: ${detail ?? status}`)
      else if (last !== undefined) logger.info({ check: name, status }, `health: ${name} is well again`)
      // What is well when it is asked first counts as well from the start on.
      last = { status, since: last === undefined && status === 'pass' ? this.#startedAt : clock() }
      this.#last.set(name, last)
    }
    const since = new Date(last.since).toISOString()
    return {
      name,
      status,
      since,
      ...(latencyMs !== undefined && { latencyMs }),
      ...(detail !== undefined && { detail }),
    }
  }
}

function worst(checks: readonly HealthCheck[]): HealthStatus {
  const found = new Set(checks.map(({ status }) => status))
  return found.has('fail') ? 'fail' : found.has('warn') ? 'warn' : 'pass'
}

const maxReasonLength = 300

/** For administrators: the messages of an error and of its cause on one line, without what URLs have of secrets. */
function reasonFrom(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined }
  const text = cause instanceof Error && cause.message !== '' ? `${message} (${cause.message})` : message
  return text
    .replace(/\/\/\S*@/g, '//***@')
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, maxReasonLength)
}
