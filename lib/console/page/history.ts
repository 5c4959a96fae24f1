/**
 * The last hour, as `GET api/metrics` gives it, made into one value a minute.
 *
 * @module
 */

import type { Series } from './components/plot.js'

export interface MetricsReport {
  readonly at: string
  readonly metrics: readonly Metric[]
  readonly history: { readonly stepSeconds: number; readonly points: readonly HistoryPoint[] }
}

interface Metric {
  readonly name: string
  readonly points: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

type Counts = Readonly<Record<string, number>>

export interface HistoryPoint {
  /** End of the step. */
  readonly at: string
  readonly logins: Counts
  readonly refusals: Counts
  readonly tokens: Counts
  readonly storeLatencyMs: Counts
}

type CountName = 'logins' | 'refusals'
type StateName = 'tokens' | 'storeLatencyMs'

export interface Minute {
  readonly at: Date
  readonly logins: ReadonlyMap<string, number>
  readonly refusals: ReadonlyMap<string, number>
  readonly tokens: ReadonlyMap<string, number> | undefined
  readonly storeLatencyMs: ReadonlyMap<string, number> | undefined
}

const minutesShown = 60

/** Counts of all points by their label. */
export function sumOf(points: readonly HistoryPoint[], name: CountName): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const point of points) {
    for (const [label, count] of Object.entries(point[name])) sums.set(label, (sums.get(label) ?? 0) + count)
  }
  return sums
}

/** The last hour, minute by minute up to the newest point. Counts are added up, of states the largest is kept. */
export function historyOf(points: readonly HistoryPoint[], stepSeconds: number): readonly Minute[] {
  const newest = points.at(-1)
  if (newest === undefined) return []
  const end = Date.parse(newest.at)
  const spans = Array.from({ length: minutesShown }, (): HistoryPoint[] => [])
  for (const point of points) {
    const ago = Math.floor((end - Date.parse(point.at) + stepSeconds) / 60_000)
    spans[minutesShown - 1 - ago]?.push(point)
  }
  return spans.map((span, index) => ({
    at: new Date(end - (minutesShown - 1 - index) * 60_000),
    logins: sumOf(span, 'logins'),
    refusals: sumOf(span, 'refusals'),
    tokens: mostOf(span, 'tokens'),
    storeLatencyMs: mostOf(span, 'storeLatencyMs'),
  }))
}

function mostOf(points: readonly HistoryPoint[], name: StateName): ReadonlyMap<string, number> | undefined {
  if (points.length === 0) return undefined
  const most = new Map<string, number>()
  for (const point of points) {
    for (const [label, value] of Object.entries(point[name])) most.set(label, Math.max(most.get(label) ?? 0, value))
  }
  return most
}

/** One line or colour for each label that was ever above zero, the same one in every minute. */
export function seriesFrom(
  minutes: readonly Minute[],
  name: CountName | StateName,
  nameOf: (label: string) => string = (label) => label,
): readonly Series[] {
  const labels = new Set(
    minutes.flatMap((minute) => [...(minute[name] ?? [])].flatMap(([label, value]) => (value > 0 ? [label] : []))),
  )
  return [...labels].sort(bySuccess).map((label) => ({
    name: nameOf(label),
    values: minutes.map((minute) => {
      const values = minute[name]
      // Without a query, there is no latency.
      return values?.get(label) ?? (values === undefined || name === 'storeLatencyMs' ? undefined : 0)
    }),
  }))
}

/** What is good has the first colour. */
function bySuccess(one: string, other: string): number {
  return Number(other === 'success') - Number(one === 'success') || (one < other ? -1 : 1)
}

/** How full each part of the store is, where it has a limit. */
export function storeFill({
  metrics,
}: MetricsReport): readonly { readonly kind: string; readonly count: number; readonly limit: number }[] {
  const points = (name: string): Metric['points'] => metrics.find((metric) => metric.name === name)?.points ?? []
  const counts = points('sallyport_tokens')
  return points('sallyport_tokens_limit').flatMap(({ labels, value: limit }) => {
    const kind = labels['kind'] ?? ''
    const count = counts.find((point) => point.labels['kind'] === kind)?.value ?? 0
    return limit > 0 ? [{ kind, count, limit }] : []
  })
}
