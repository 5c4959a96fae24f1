/**
 * The last hour, in steps, for plots.
 *
 * @module
 */

import { durationBounds, total } from './instruments.js'
import type { HistoryPoint } from './report.js'

export const stepSeconds = 10
const maxPoints = 3600 / stepSeconds

/** How it stands: counts since the start, but for the tokens. */
export interface Totals {
  readonly logins: { readonly success: number; readonly refused: number }
  readonly refusals: Readonly<Record<string, number>>
  readonly tokens: Readonly<Record<string, number>>
  /** Queries by store, in the buckets of {@link durationBounds}. */
  readonly queries: ReadonlyMap<string, readonly number[]>
}

export class History {
  readonly #points: HistoryPoint[] = []
  #last: Totals = { logins: { success: 0, refused: 0 }, refusals: {}, tokens: {}, queries: new Map() }

  /** The last hour with the step that goes on, as it is `at` this moment. */
  until(at: number, totals: Totals): readonly HistoryPoint[] {
    return [...this.#points.slice(1 - maxPoints), this.#step(at, totals)]
  }

  /** Ends a step. `at`: milliseconds since the epoch. */
  add(at: number, totals: Totals): void {
    this.#points.push(this.#step(at, totals))
    this.#last = totals
    if (this.#points.length > maxPoints) this.#points.shift()
  }

  #step(at: number, totals: Totals): HistoryPoint {
    const { logins, refusals, queries } = this.#last
    return {
      at: new Date(at).toISOString(),
      logins: {
        success: totals.logins.success - logins.success,
        refused: totals.logins.refused - logins.refused,
      },
      refusals: differences(totals.refusals, refusals),
      tokens: totals.tokens,
      storeLatencyMs: latencies(totals.queries, queries),
    }
  }
}

function differences(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const entries = Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
  return Object.fromEntries(entries.filter(([, count]) => count > 0))
}

function latencies(now: Totals['queries'], before: Totals['queries']): Readonly<Record<string, number>> {
  const entries = [...now].flatMap(([name, counts]) => {
    const step = counts.map((count, index) => count - (before.get(name)?.[index] ?? 0))
    return total(step) === 0 ? [] : [[name, Math.round(quantile(step, 0.95) * 1e5) / 100] as const]
  })
  return Object.fromEntries(entries)
}

/** In seconds, interpolated within the bucket; at most the last bound. */
export function quantile(counts: readonly number[], share: number): number {
  const rank = total(counts) * share
  let below = 0
  for (const [index, upper] of durationBounds.entries()) {
    const count = counts[index]!
    const lower = durationBounds[index - 1] ?? 0
    if (count > 0 && below + count >= rank) return lower + ((upper - lower) * (rank - below)) / count
    below += count
  }
  return durationBounds.at(-1)!
}
