/**
 * The last hour, as `GET api/metrics` gives it, made into one value a minute.
 *
 * @module
 */

import type { HistoryPoint, Metric, MetricsReport } from '../../metrics/report.js'
import type { Series } from './components/plot.js'

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
/** So many are there from the start: a bar of one minute must not be as wide as the plot. */
const fewestShown = 10

/** Counts of all points by their label. */
export function sumOf(points: readonly HistoryPoint[], name: CountName): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const point of points) {
    for (const [label, count] of Object.entries(point[name])) sums.set(label, (sums.get(label) ?? 0) + count)
  }
  return sums
}

/** The last hour, or from the first point on, minute by minute up to the newest one. Counts are added up, of states the largest is kept. */
export function historyOf(points: readonly HistoryPoint[], stepSeconds: number): readonly Minute[] {
  const newest = points.at(-1)
  if (newest === undefined) return []
  const end = Date.parse(newest.at)
  const spans = Array.from({ length: minutesShown }, (): HistoryPoint[] => [])
  for (const point of points) {
    const ago = Math.floor((end - Date.parse(point.at) + stepSeconds) / 60_000)
    spans[minutesShown - 1 - ago]?.push(point)
  }
  const first = Math.min(
    spans.findIndex((span) => span.length > 0),
    minutesShown - fewestShown,
  )
  return spans.slice(first).map((span, index) => ({
    at: new Date(end - (minutesShown - 1 - first - index) * 60_000),
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

/** Whether other processes use the store as well. */
export const isShared = ({ metrics }: MetricsReport): boolean =>
  metrics.some(({ name, points }) => name.startsWith('sallyport_shared_store_lease_age') && points.length > 0)

/** What the store holds of a kind, and how much it can hold. */
export interface Held {
  readonly kind: string
  readonly count: number
  /** `undefined`: as much as there is. */
  readonly capacity: number | undefined
}

/** What the store holds now, without the kinds that it has none of. */
export function heldNow({ metrics }: MetricsReport): readonly Held[] {
  const pointsOf = (name: string): Metric['points'] => metrics.find((metric) => metric.name === name)?.points ?? []
  const capacities = new Map(pointsOf('sallyport_token_capacity').map(({ labels, value }) => [labels['kind'], value]))
  return pointsOf('sallyport_tokens').flatMap(({ labels: { kind = '' }, value: count }) =>
    count > 0 ? [{ kind, count, capacity: capacities.get(kind) }] : [],
  )
}
