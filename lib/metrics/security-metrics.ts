/**
 * The metrics of one front: what its events tell, how long its stores take, and how it stands.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import type { AuthKind } from '../core/auth.js'
import type { ClientRefusal, LoginRefusal, SecurityEventMap, SecurityEvents } from '../core/events.js'
import type { ObserveQuery } from '../core/query-observer.js'
import { listedPools } from '../tokens/external/pools.js'
import type { PoolFill, RecordKind } from '../tokens/token-store.js'
import { History, stepSeconds, type Totals } from './history.js'
import { Counter, Gauge, Histogram, type Instrument, type ReadPoints, readMetric } from './instruments.js'
import { prometheusText } from './prometheus-text.js'
import type { MetricPoint, MetricsReport } from './report.js'
import { refusalCodes, refusalStages, stageFor } from './stages.js'

/** How a front stands. What answers `undefined`, or is not there, is no metric at the moment. */
export interface MetricSources {
  /** Tokens that are held, by kind. */
  readonly fill: () => readonly PoolFill[] | Promise<readonly PoolFill[]>
  readonly hashQueue: { readonly running: number; readonly waiting: number }
  /** Connections that stay open. */
  readonly connections: () => number
  /** Milliseconds since what is known of other processes was proven. */
  readonly leaseAgeMs?: (() => number) | undefined
  /** Milliseconds until the certificate of the servers ends. */
  readonly certificateMs: () => number | undefined
  /** Milliseconds for which the oldest record waits to be written. */
  readonly auditLagMs?: (() => number) | undefined
}

const kinds = ['management', 'portal', 'oauth', 'basic', 'api', 'issuer', 'icp'] as const satisfies AuthKind[]

const loginRefusals: Readonly<Record<LoginRefusal, true>> = {
  'unknown-user': true,
  'wrong-password': true,
  'wrong-code': true,
  'second-factor-required': true,
  disabled: true,
  throttled: true,
  overloaded: true,
  'store-unavailable': true,
  'token-store-full': true,
  'not-admitted': true,
  'provider-refused': true,
  'provider-failed': true,
  malformed: true,
}

const clientRefusals = ['unknown-client', 'wrong-secret', 'throttled', 'overloaded'] as const satisfies ClientRefusal[]
const evictedKinds = ['management', 'portal', 'oauth', 'sso'] as const satisfies RecordKind[]
const lockScopes = ['pair', 'user', 'source'] as const satisfies SecurityEventMap['lock']['scope'][]

/** How long an answer of {@link MetricSources.fill} is used again: readers must not burden a store. */
const fillMs = 5000

export class SecurityMetrics {
  readonly #instruments: Instrument[] = []
  readonly #logins: Counter
  readonly #refusals: Counter
  readonly #queries: Histogram
  readonly #history = new History()
  #clock: () => number = Date.now
  #fill: { readonly readAt: number; readonly answer: Promise<readonly PoolFill[]> } | undefined
  /** Not there where no history is kept. */
  #readTotals: (() => Promise<Totals>) | undefined
  #timer: NodeJS.Timeout | undefined

  /** `stores`: the names of all that are asked. */
  constructor(stores: readonly string[]) {
    this.#logins = this.#counter('logins', 'Logins, by what they came to and what they were for.', '{login}', {
      outcome: ['success', ...Object.keys(loginRefusals)],
      kind: kinds,
    })
    const refusalsHelp = 'Refused requests, by the stage that refused and the code of the answer.'
    this.#refusals = this.#counter('refusals', refusalsHelp, '{request}', { stage: refusalStages, code: refusalCodes })
    this.#queries = new Histogram({
      name: 'sallyport.store.query.duration',
      help: 'How long stores took to answer, with waiting for a connection.',
      unit: 's',
      labels: { store: stores, outcome: ['success', 'error'] },
    })
    this.#instruments.push(this.#queries)
  }

  get instruments(): readonly Instrument[] {
    return this.#instruments
  }

  /** Of one store. */
  readonly observer = (store: string): ObserveQuery => {
    return (durationMs, failure) =>
      this.#queries.record(durationMs / 1000, { store, outcome: failure === undefined ? 'success' : 'error' })
  }

  /** Counts what is reported from now on. */
  count(events: SecurityEvents): void {
    const clients = this.#counter('client.refusals', 'Refused OAuth clients.', '{client}', { reason: clientRefusals })
    const evictions = this.#counter('evictions', 'Live tokens that were evicted.', '{token}', { kind: evictedKinds })
    const lockouts = this.#counter('lockouts', 'Times that failed logins began to lock others out.', '{lockout}', {
      scope: lockScopes,
    })
    events.on('login', ({ kind }) => this.#logins.add({ outcome: 'success', kind }))
    events.on('loginRefused', ({ reason, kind = '' }) => this.#logins.add({ outcome: reason, kind }))
    events.on('refusal', ({ code }) => this.#refusals.add({ stage: stageFor(code) ?? '', code }))
    events.on('clientRefused', ({ reason }) => clients.add({ reason }))
    events.on('eviction', ({ kind }) => evictions.add({ kind }))
    events.on('lock', ({ scope }) => lockouts.add({ scope }))
  }

  /** Reads how it stands from now on. `keepHistory` starts a timer, which `close` ends. */
  start(sources: MetricSources, clock: () => number, keepHistory: boolean): void {
    this.#clock = clock
    const { hashQueue, leaseAgeMs, auditLagMs } = sources
    const fill = (): Promise<readonly PoolFill[]> => this.#readFill(sources)
    const fillPoints = async (read: (pool: PoolFill) => number): Promise<readonly MetricPoint[]> =>
      (await fill()).map((pool) => ({ labels: { kind: pool.kind }, value: read(pool) }))
    const byKind = { kind: listedPools }

    this.#gauge('tokens', 'Tokens that are held.', '{token}', () => fillPoints(({ count }) => count), byKind)
    this.#gauge(
      'token.capacity',
      'Tokens that can be held.',
      '{token}',
      () => fillPoints(({ capacity }) => capacity),
      byKind,
    )
    this.#gauge(
      'password.hashes',
      'Passwords that are being hashed, and those that wait for it.',
      '{password}',
      () => (['running', 'waiting'] as const).map((state) => ({ labels: { state }, value: hashQueue[state] })),
      { state: ['running', 'waiting'] },
    )
    this.#gauge('connections', 'Connections that stay open: WebSockets and event streams.', '{connection}', () =>
      point(sources.connections()),
    )
    if (leaseAgeMs !== undefined) {
      const help = 'Age of the proof that this process knows all revocations of the others.'
      this.#gauge('shared_store.lease.age', help, 's', () => point(leaseAgeMs() / 1000))
    }
    this.#gauge('certificate.remaining', 'Time until the certificate of the servers ends.', 's', () =>
      point(inSeconds(sources.certificateMs())),
    )
    if (auditLagMs !== undefined) {
      const help = 'How long the oldest audit record has been waiting to be written.'
      this.#gauge('audit.lag', help, 's', () => point(auditLagMs() / 1000))
    }
    if (!keepHistory) return
    this.#readTotals = () => this.#totals(sources)
    this.#timer = setInterval(() => inBackground(() => this.#endStep()), stepSeconds * 1000).unref()
  }

  /** In the format of Prometheus. */
  text(): Promise<string> {
    return prometheusText(this.#instruments)
  }

  async report(): Promise<MetricsReport> {
    const metrics = await Promise.all(this.#instruments.map(readMetric))
    return {
      at: new Date(this.#clock()).toISOString(),
      metrics,
      history: { stepSeconds, points: await this.#points() },
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #counter(name: string, help: string, unit: string, labels: Readonly<Record<string, readonly string[]>>): Counter {
    const counter = new Counter({ name: `sallyport.${name}`, help, unit, labels })
    this.#instruments.push(counter)
    return counter
  }

  #gauge(
    name: string,
    help: string,
    unit: string,
    read: ReadPoints,
    labels: Readonly<Record<string, readonly string[]>> = {},
  ): void {
    this.#instruments.push(new Gauge({ name: `sallyport.${name}`, help, unit, labels }, read))
  }

  #readFill({ fill }: MetricSources): Promise<readonly PoolFill[]> {
    const now = performance.now()
    if (this.#fill === undefined || now - this.#fill.readAt >= fillMs) {
      const answer = (async () => fill())()
      this.#fill = { readAt: now, answer }
      // Whoever reads it gets the reason.
      inBackground(() => answer)
    }
    return this.#fill.answer
  }

  async #points(): Promise<MetricsReport['history']['points']> {
    const totals = await this.#readTotals?.()
    return totals === undefined ? [] : this.#history.until(this.#clock(), totals)
  }

  async #endStep(): Promise<void> {
    const totals = await this.#readTotals?.()
    if (totals !== undefined) this.#history.add(this.#clock(), totals)
  }

  async #totals(sources: MetricSources): Promise<Totals> {
    const fill = await this.#readFill(sources).catch(() => [])
    return {
      logins: sumOf(this.#logins.points(), ({ outcome }) => (outcome === 'success' ? 'success' : 'refused'), {
        success: 0,
        refused: 0,
      }),
      refusals: sumOf(this.#refusals.points(), ({ stage = '' }) => stage, {}),
      tokens: Object.fromEntries(fill.map(({ kind, count }) => [kind, count])),
      queries: this.#queriesByStore(),
    }
  }

  #queriesByStore(): Totals['queries'] {
    const found = new Map<string, number[]>()
    for (const { labels, value } of this.#queries.distributions()) {
      const counts = found.get(labels['store']!) ?? value.counts.map(() => 0)
      found.set(
        labels['store']!,
        counts.map((count, index) => count + value.counts[index]!),
      )
    }
    return found
  }
}

function point(value: number | undefined): readonly MetricPoint[] {
  return value === undefined || !Number.isFinite(value) ? [] : [{ labels: {}, value }]
}

function inSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000
}

/** Counts by a name that labels give. */
function sumOf<Sums extends Readonly<Record<string, number>>>(
  points: readonly MetricPoint[],
  nameOf: (labels: MetricPoint['labels']) => string,
  sums: Sums,
): Sums {
  const found: Record<string, number> = { ...sums }
  for (const { labels, value } of points) found[nameOf(labels)] = (found[nameOf(labels)] ?? 0) + value
  return found as Sums
}
