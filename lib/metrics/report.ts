/**
 * What `/metrics` answers to a client that prefers JSON. Prometheus reads the same numbers as text.
 *
 * @module
 */

import * as z from 'zod'
import { component, count, moment } from '../core/components.js'

const point = z.object({
  labels: z.record(z.string(), z.string()).readonly().describe('Each from a closed set; what is not in it is `other`.'),
  value: z.number().describe('In the unit of the metric; of a histogram how many there were.'),
  sum: z.number().exactOptional().describe('Of a histogram: all durations together.'),
})
export type MetricPoint = Readonly<z.output<typeof point>>

const metric = component(
  'Metric',
  'One metric, as Prometheus knows it.',
  z.object({
    name: z.string().describe('Its name.'),
    help: z.string().describe('What it says.'),
    type: z.enum(['counter', 'gauge', 'histogram']).describe('A counter only grows, a gauge is a state.'),
    unit: z.string().describe('`s` for seconds, else what is counted, in braces.'),
    points: z.array(point).readonly().describe('Its values.'),
  }),
)
export type Metric = Readonly<z.output<typeof metric>>

const numbers = z.record(z.string(), z.number()).readonly()

const historyPoint = component(
  'HistoryPoint',
  'What happened within a step, and how it stood at its end.',
  z.object({
    at: moment('The end of the step.'),
    logins: z
      .object({ success: count('Logins that were taken.'), refused: count('Logins that were refused.') })
      .describe('Logins within the step.'),
    refusals: numbers.describe('Refused requests within the step, by the stage that refused.'),
    tokens: numbers.describe('Tokens that are held, by kind.'),
    storeLatencyMs: numbers.describe('95 of 100 queries took no longer, by store, in milliseconds.'),
  }),
)
export type HistoryPoint = Readonly<z.output<typeof historyPoint>>

const history = z.object({
  stepSeconds: z.number().positive().describe('Length of a step.'),
  points: z
    .array(historyPoint)
    .readonly()
    .describe('The steps, the oldest first. The last one goes on, and ends when it was read.'),
})

export const metricsReport = component(
  'MetricsReport',
  'The metrics, and the last hour of this process.',
  z.object({
    at: moment('When they were read.'),
    metrics: z.array(metric).readonly().describe('The metrics.'),
    history: history.describe('The last hour.'),
  }),
)
export type MetricsReport = Readonly<z.output<typeof metricsReport>>
