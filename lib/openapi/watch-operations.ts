/**
 * What watches a server asks: health and metrics.
 *
 * @module
 */

import * as z from 'zod'
import { healthReport, probeAnswer } from '../health/health-schema.js'
import { flatError } from '../http/error-schema.js'
import { metricsReport } from '../metrics/metrics-schema.js'
import { json, type Operation } from './operation.js'

const notFromHere = 'The address is none of `[health] allow`.'

/** At the management API alone. */
export const probeOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/health/live',
    id: 'getLiveness',
    tag: 'health',
    summary: 'Get whether the process lives',
    access: 'public',
    answers: { 200: json('It does.', probeAnswer) },
    refusals: { 404: notFromHere },
  },
  {
    method: 'get',
    path: '/health/ready',
    id: 'getReadiness',
    tag: 'health',
    summary: 'Get whether the process takes requests',
    access: 'public',
    answers: {
      200: json('It does.', probeAnswer),
      503: json('It does not, or the address of the client cannot be told.', z.union([probeAnswer, flatError])),
    },
    refusals: { 404: notFromHere },
  },
]

export const watchOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/health',
    id: 'getHealth',
    tag: 'health',
    summary: 'Get how the server is, in detail',
    access: 'administrator',
    answers: { 200: json('How it is, also where that is not well.', healthReport) },
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    tag: 'metrics',
    summary: 'Get the metrics',
    description:
      'As the text of Prometheus (0.0.4), or as JSON for a client that prefers it. At the management API, the addresses of `[metrics] allow` ' +
      'need no login.',
    access: 'administrator',
    answers: {
      200: {
        description: 'The metrics.',
        content: [{ schema: metricsReport }, { schema: z.string(), type: 'text/plain' }],
      },
    },
  },
]
