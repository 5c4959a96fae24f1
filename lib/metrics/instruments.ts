/**
 * Counters, gauges and histograms whose labels are bounded: a value that is not in the closed set of its label counts as `other`, so that
 * no client can make up series.
 *
 * @module
 */

import type { Metric, MetricPoint } from './report.js'

type Labels = Readonly<Record<string, string>>

/** What an instrument is, whoever reads it. */
export interface Definition {
  /** As OpenTelemetry has it, in dots. */
  readonly name: string
  readonly help: string
  /** In UCUM: `s`, or what is counted in braces. */
  readonly unit: string
  /** The values that each label may have besides `other`. */
  readonly labels: Readonly<Record<string, readonly string[]>>
}

/** The value of a label that is none of its set. */
export const otherValue = 'other'

/** As OpenTelemetry's exporters translate a name for Prometheus. */
export function prometheusName({ name, unit }: Definition, type: Metric['type']): string {
  return `${name.replaceAll('.', '_')}${unit === 's' ? '_seconds' : ''}${type === 'counter' ? '_total' : ''}`
}

/** One value for each combination of labels. */
class Series<T> {
  readonly #labels: readonly (readonly [name: string, known: ReadonlySet<string>])[]
  readonly #create: () => T
  readonly #values = new Map<string, { readonly labels: Labels; value: T }>()

  constructor({ labels }: Definition, create: () => T) {
    this.#labels = Object.entries(labels).map(([name, values]) => [name, new Set(values)])
    this.#create = create
  }

  at(given: Labels): { readonly labels: Labels; value: T } {
    const labels: Record<string, string> = {}
    let key = ''
    for (const [name, known] of this.#labels) {
      const value = given[name] ?? ''
      labels[name] = known.has(value) ? value : otherValue
      key += `${labels[name]}\n`
    }
    let found = this.#values.get(key)
    if (found === undefined) {
      found = { labels, value: this.#create() }
      this.#values.set(key, found)
    }
    return found
  }

  list(): readonly { readonly labels: Labels; readonly value: T }[] {
    return [...this.#values.values()]
  }
}

/** Answers with the present values. */
export type ReadPoints = () => readonly MetricPoint[] | Promise<readonly MetricPoint[]>

/** What happened, how often. */
export class Counter {
  readonly definition: Definition
  readonly type = 'counter'
  readonly #series: Series<number>

  constructor(definition: Definition) {
    this.definition = definition
    this.#series = new Series(definition, () => 0)
  }

  add(labels: Labels, count = 1): void {
    this.#series.at(labels).value += count
  }

  points(): readonly MetricPoint[] {
    return this.#series.list()
  }
}

/** A state, asked for when somebody reads it. What cannot be told has no point. */
export class Gauge {
  readonly definition: Definition
  readonly type = 'gauge'
  readonly #read: ReadPoints

  constructor(definition: Definition, read: ReadPoints) {
    this.definition = definition
    this.#read = read
  }

  async points(): Promise<readonly MetricPoint[]> {
    const series = new Series<number>(this.definition, () => 0)
    try {
      for (const { labels, value } of await this.#read()) series.at(labels).value += value
    } catch {
      return []
    }
    return series.list()
  }
}

/** The upper bounds of the buckets, in seconds: from a look-up in Redis to the time limit of a database. */
export const durationBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** Durations of one combination of labels. `counts` has one more entry than there are bounds, and is not cumulative. */
export interface Distribution {
  readonly counts: number[]
  sum: number
}

/** Durations, in seconds. */
export class Histogram {
  readonly definition: Definition
  readonly type = 'histogram'
  readonly #series: Series<Distribution>
  /** Gets each duration too. */
  onRecord: ((seconds: number, labels: Labels) => void) | undefined

  constructor(definition: Definition) {
    this.definition = definition
    this.#series = new Series(definition, () => ({ counts: durationBounds.concat(0).fill(0), sum: 0 }))
  }

  record(seconds: number, given: Labels): void {
    const { labels, value } = this.#series.at(given)
    const index = durationBounds.findIndex((bound) => seconds <= bound)
    value.counts[index === -1 ? durationBounds.length : index]!++
    value.sum += seconds
    this.onRecord?.(seconds, labels)
  }

  distributions(): readonly { readonly labels: Labels; readonly value: Distribution }[] {
    return this.#series.list()
  }

  points(): readonly MetricPoint[] {
    return this.distributions().map(({ labels, value: { counts, sum } }) => ({ labels, value: total(counts), sum }))
  }
}

export type Instrument = Counter | Gauge | Histogram

export function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/** The present values of an instrument. */
export async function readMetric(instrument: Instrument): Promise<Metric> {
  const { definition, type } = instrument
  const { help, unit } = definition
  return { name: prometheusName(definition, type), help, type, unit, points: await instrument.points() }
}
