/**
 * `[health]` and `[metrics]`: who may ask how the server is, without a login.
 *
 * @module
 */

import type { HealthConfig, MetricsConfig } from '../config.js'
import { networks } from './control-access.js'
import { type Field, table } from './fields.js'

export const healthTable: Field<HealthConfig> = table({
  allow: networks
    .optional()
    .describe('the networks that may ask `/health/live` and `/health/ready`; all others get 404')
    .meta({ absent: 'everybody may' }),
}).transform(({ allow }) => ({ allowedNetworks: allow }))

export const metricsTable: Field<MetricsConfig> = table({
  allow: networks
    .prefault([])
    .describe('the networks that may read `/metrics` without a login; all others need that of an administrator'),
}).transform(({ allow }) => ({ allowedNetworks: allow }))
