/**
 * The metrics as JSON, for plots. Prometheus reads the same numbers as text.
 *
 * @module
 */

/** Kinds of metrics: a counter only grows, a gauge is a state, a histogram counts durations. */
export type MetricType = 'counter' | 'gauge' | 'histogram'

/** One value of a metric. */
export interface MetricPoint {
  /** Each from a closed set; what is not in it is `other`. */
  readonly labels: Readonly<Record<string, string>>
  /** In the unit of the metric; of a histogram how many there were. */
  readonly value: number
  /** Of a histogram: all durations together, in its unit. */
  readonly sum?: number
}

/** One metric. */
export interface Metric {
  /** As Prometheus knows it. */
  readonly name: string
  readonly help: string
  readonly type: MetricType
  /** `s` for seconds, else what is counted, in braces, as in UCUM: `{token}`. */
  readonly unit: string
  readonly points: readonly MetricPoint[]
}

/** What happened in one step, and how it stood at its end. A member without an entry was zero, or is not known. */
export interface HistoryPoint {
  /** The end of the step: ISO 8601 with milliseconds. */
  readonly at: string
  /** Logins within the step: `success` and `refused`. */
  readonly logins: { readonly success: number; readonly refused: number }
  /** Refused requests within the step, by the stage that refused. */
  readonly refusals: Readonly<Record<string, number>>
  /** Tokens that are held, by kind. */
  readonly tokens: Readonly<Record<string, number>>
  /** 95 of 100 queries within the step took no longer, by store, in milliseconds. No entry: there was none. */
  readonly storeLatencyMs: Readonly<Record<string, number>>
}

/** What `GET /metrics` answers to a client that asks for `application/json`. */
export interface MetricsReport {
  /** ISO 8601 with milliseconds. */
  readonly at: string
  readonly metrics: readonly Metric[]
  /** The last hour of this process, the oldest step first. The last step is the one that goes on: it ends now. */
  readonly history: { readonly stepSeconds: number; readonly points: readonly HistoryPoint[] }
}
