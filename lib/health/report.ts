/**
 * What `/health` answers.
 *
 * @module
 */

import * as z from 'zod'
import { component, moment } from '../core/components.js'

const status = z.enum(['pass', 'warn', 'fail'])
export type HealthStatus = z.output<typeof status>

export const probeAnswer = component(
  'Probe',
  'Whether the process lives, or takes requests.',
  z.object({ status: z.enum(['pass', 'fail']).describe('`fail` comes with status 503.') }),
)

const healthCheck = component(
  'HealthCheck',
  'One part of the server.',
  z.object({
    name: z.string().meta({ description: 'What it is.', examples: ['token store'] }),
    status: status.describe('`warn`: it needs an operator, and requests are still served.'),
    since: moment('Since when it has this status.'),
    latencyMs: z.number().nonnegative().exactOptional().describe('How long it took to answer, where it was asked.'),
    detail: z.string().exactOptional().describe('What an operator should know; without secrets.'),
  }),
)
export type HealthCheck = Readonly<z.output<typeof healthCheck>>

export const healthReport = component(
  'HealthReport',
  'How the server is.',
  z.object({
    status: status.describe('`fail`: new requests should go elsewhere, as `/health/ready` says too.'),
    checks: z.array(healthCheck).readonly().describe('Its parts.'),
  }),
)
export type HealthReport = Readonly<z.output<typeof healthReport>>
