/**
 * What administrators learn of the health of a front.
 *
 * @module
 */

/** `warn`: it needs an operator, and requests are still served. */
export type HealthStatus = 'pass' | 'warn' | 'fail'

/** One part of a front. */
export interface HealthCheck {
  /** For example `user store PRIMARY`, `token store`, `certificate`. */
  readonly name: string
  readonly status: HealthStatus
  /** Since when it has this status: ISO 8601 with milliseconds. */
  readonly since: string
  /** How long the part took to answer, where it was asked. */
  readonly latencyMs?: number
  /** What an operator should know; without secrets. */
  readonly detail?: string
}

/** What `GET /health` answers. */
export interface HealthReport {
  /** `fail`: new requests should go elsewhere, as `/health/ready` says too. */
  readonly status: HealthStatus
  readonly checks: readonly HealthCheck[]
}
