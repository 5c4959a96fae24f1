/**
 * Answers of `/health`.
 *
 * @module
 */

import * as z from 'zod'
import { component, moment, type Shape } from '../core/components.js'
import type { HealthCheck, HealthReport } from './report.js'

const status = z.enum(['pass', 'warn', 'fail'])

export const probeAnswer = component(
  'Probe',
  'Whether the process lives, or takes requests.',
  z.object({ status: z.enum(['pass', 'fail']).describe('`fail` comes with status 503.') }),
)

export const healthCheck = component(
  'HealthCheck',
  'One part of the server.',
  z.object({
    name: z.string().meta({ description: 'What it is.', examples: ['token store'] }),
    status: status.describe('`warn`: it needs an operator, and requests are still served.'),
    since: moment('Since when it has this status.'),
    latencyMs: z.number().nonnegative().exactOptional().describe('How long it took to answer, where it was asked.'),
    detail: z.string().exactOptional().describe('What an operator should know.'),
  } satisfies Shape<HealthCheck>),
)

export const healthReport = component(
  'HealthReport',
  'How the server is.',
  z.object({
    status: status.describe('`fail`: new requests should go elsewhere.'),
    checks: z.array(healthCheck).describe('Its parts.'),
  } satisfies Shape<HealthReport>),
)
