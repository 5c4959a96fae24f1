/**
 * What a front tells of itself: which parts its health is asked of, and what its metrics read.
 *
 * @module
 */

import type { AuditStatus } from '../audit/audit-record.js'
import type { AuditTrail } from '../audit/audit-trail.js'
import type { Config } from '../config/config.js'
import type { Logger } from '../core/logger.js'
import { type Finding, Health, type Probe } from '../health/health.js'
import { exportInstruments, loadOpenTelemetry } from '../metrics/open-telemetry.js'
import type { MetricSources, SecurityMetrics } from '../metrics/security-metrics.js'
import type { SecondStepParts } from '../portals/second-step.js'
import { expiryNoticeMs } from '../tls/server-material.js'
import type { ServerTls } from '../tls/server-tls.js'
import type { CheckedTokenStore } from '../tokens/checked-token-store.js'
import type { NamedUserStore } from '../users/open-user-store.js'
import { sharedHashQueue } from '../users/passwords/password-hash.js'
import type { Connections } from './connections.js'
import type { SharedStore } from './shared-store.js'

/** The parts that are watched. */
export interface WatchedParts {
  /** The primary one first. */
  readonly userStores: readonly NamedUserStore[]
  readonly store: CheckedTokenStore
  readonly shared: SharedStore | undefined
  readonly secondStep: Pick<SecondStepParts, 'secondFactors'> | undefined
  readonly tls: Pick<ServerTls, 'certificate'>
  /** `undefined`: there is none. */
  readonly audit: Pick<AuditTrail, 'status'> | undefined
  readonly connections: Pick<Connections, 'size'>
  readonly clock: () => number
  readonly logger: Logger
}

/** As metrics name them. */
export const sharedStoreName = 'shared'
export const secondFactorStoreName = 'second-factor'

/** The names of all stores that are asked over a network. */
export function listStoreNames({
  userStore,
  secondaryUserStores,
  sharedStore,
  secondFactor,
}: Config): readonly string[] {
  const userStores = [userStore, ...secondaryUserStores].filter((store) => store !== undefined)
  return [
    ...userStores.flatMap((store) => ('domain' in store ? [store.domain] : [])),
    ...(sharedStore === undefined ? [] : [sharedStoreName]),
    ...(secondFactor === undefined ? [] : [secondFactorStoreName]),
  ]
}

/** What watches a front. */
export interface Watching {
  readonly health: Health
  readonly metrics: SecurityMetrics
  close(): void
}

/** `isServer`: whether it goes on for long; then there is a history, and OpenTelemetry gets the metrics too. */
export async function startWatching(
  config: Config,
  metrics: SecurityMetrics,
  parts: WatchedParts,
  isServer: boolean,
): Promise<Watching> {
  const health = createHealth(config, parts)
  metrics.start(metricSourcesFrom(parts), parts.clock, isServer)
  const telemetry = isServer ? await loadOpenTelemetry(parts.logger) : undefined
  const endExport = telemetry && exportInstruments(telemetry, metrics.instruments)
  return {
    health,
    metrics,
    close() {
      health.shutDown()
      endExport?.()
      metrics.close()
    },
  }
}

function metricSourcesFrom({ store, shared, tls, audit, connections, clock }: WatchedParts): MetricSources {
  return {
    fill: () => store.fill(),
    hashQueue: sharedHashQueue,
    connections: () => connections.size,
    leaseAgeMs: shared?.leaseAgeMs,
    certificateMs: () => certificateMs(tls, clock),
    auditLagMs: audit && (() => audit.status().lagMs),
  }
}

/**
 * A part that no login and no look-up of a token can do without fails as a whole. With an account for emergencies, logins must reach
 * this process just while the user store is away.
 */
function createHealth({ managementApi: { breakGlass }, auditTrail }: Config, parts: WatchedParts): Health {
  const { userStores, store, shared, secondStep, tls, audit, clock, logger } = parts
  const failure = breakGlass === undefined ? 'fail' : 'warn'
  const probes: Probe[] = userStores.map(({ name, store: users }, index) => ({
    name: `user store ${name}`,
    failure: index === 0 ? failure : 'warn',
    isRemote: users.ping !== undefined,
    async ask(signal) {
      await users.ping?.(signal)
      return { status: 'pass' }
    },
  }))
  probes.push({
    name: 'token store',
    isRemote: shared?.leaseAgeMs !== undefined,
    async ask() {
      await shared?.check()
      store.assertReady()
      await store.assertCurrent()
      const ageMs = shared?.leaseAgeMs?.()
      const detail = ageMs === undefined ? undefined : `all revocations until ${Math.round(ageMs)} ms ago are known`
      return { status: 'pass', detail }
    },
  })
  if (secondStep !== undefined) {
    probes.push({
      name: 'second factors',
      failure,
      async ask() {
        // Nobody's: where they cannot be read, no login succeeds.
        await secondStep.secondFactors.statusOf('')
        return { status: 'pass' }
      },
    })
  }
  probes.push({ name: 'certificate', ask: () => certificateFinding(certificateMs(tls, clock)) })
  const auditFailure = auditTrail.onFailure === 'deny' ? 'fail' : 'warn'
  probes.push({ name: 'audit trail', ask: () => audit && auditFinding(audit.status(), auditFailure) })
  return new Health({ probes, clock, logger })
}

function certificateMs(tls: Pick<ServerTls, 'certificate'>, clock: () => number): number | undefined {
  const certificate = tls.certificate()
  return certificate && Date.parse(certificate.validTo) - clock()
}

const dayMs = 24 * 60 * 60 * 1000

/** Requests are served with one that has ended too: a proxy may not care. `undefined`: there is none. */
function certificateFinding(leftMs: number | undefined): Finding | undefined {
  if (leftMs === undefined) return undefined
  const days = Math.floor(leftMs / dayMs)
  return leftMs <= 0
    ? { status: 'warn', detail: 'has ended' }
    : { status: leftMs <= expiryNoticeMs ? 'warn' : 'pass', detail: `${days} days left` }
}

function auditFinding({ state, error, queued }: AuditStatus, failure: 'warn' | 'fail'): Finding | undefined {
  if (state === 'off') return undefined
  if (state === 'ok') return { status: 'pass', detail: `${queued} records wait to be written` }
  if (state === 'degraded') return { status: 'warn', detail: `the anchor cannot be written: ${error}` }
  return { status: failure, detail: error ?? 'records cannot be written' }
}
