/** What one run is like. Each draws a few kinds of faults, and how often they come: together, all of them hide each other. */

import type { Random } from '../../fuzz/random.js'
import type { Conditions } from './network.js'

export const faultKinds = [
  'cut',
  'silence',
  'halfSilence',
  'pause',
  'jump',
  'serverPause',
  'restart',
  'olderCopy',
  'failover',
  'memory',
  'flush',
] as const
export type FaultKind = (typeof faultKinds)[number]

export interface Setting {
  readonly processes: number
  readonly replicas: number
  readonly minReplicasToWrite: number
  readonly minReplicasMaxLagMs: number
  readonly leaseMs: number
  readonly maxStalenessOnFailureMs: number
  readonly maxSize: number
  readonly maxPerUser: number
  readonly maxLocal: number
  readonly tokenLifeMs: number
  readonly users: number
  /** Milliseconds between two requests of a process at the most. */
  readonly requestMs: number
  readonly hasOauth: boolean
  readonly maxExpiryDelayMs: number
  readonly maxReplicationMs: number
  readonly conditions: Conditions
  readonly faults: readonly FaultKind[]
  /** Whether a primary is cut off for so long that all bounds end before. */
  readonly hasPartition: boolean
  /** Whether all processes but the first one see only requests with tokens that they know. */
  readonly hasReaders: boolean
  /** Milliseconds between two faults at the most. */
  readonly faultMs: number
  /** Milliseconds for which a fault lasts at the most. */
  readonly longestFaultMs: number
  /** Milliseconds until the faults end. */
  readonly durationMs: number
}

/** Most settings have any faults; the others are made for what is rare among all of them. */
export function settingFrom(random: Random): Setting {
  const kind = random.oneOf(['any', 'any', 'any', 'partition', 'standstill'] as const)
  const any = anySetting(random)
  if (kind === 'partition') {
    const replicas = random.oneOf([1, 1, 2])
    return {
      ...any,
      replicas,
      minReplicasToWrite: random.oneIn(3) ? 0 : 1,
      hasPartition: true,
      faults: random.oneIn(2) ? ['failover'] : [...any.faults, 'failover'],
      durationMs: any.durationMs + 4500,
      conditions: { ...any.conditions, calmAtMs: any.durationMs + 4500 },
      tokenLifeMs: 600_000,
    }
  }
  if (kind === 'any') return any
  return {
    ...any,
    faults: random.oneIn(2) ? ['pause'] : ['pause', random.oneOf(faultKinds)],
    faultMs: 400,
    maxLocal: 2,
    conditions: { ...any.conditions, maxLatencyMs: 20, readsAll: false },
  }
}

function anySetting(random: Random): Setting {
  const replicas = random.oneOf([0, 0, 1, 1, 2])
  const durationMs = 1500 + random.below(2500)
  return {
    processes: random.oneOf([2, 2, 2, 3]),
    replicas,
    minReplicasToWrite: random.oneIn(3) ? 0 : Math.ceil(replicas / 2),
    minReplicasMaxLagMs: random.oneOf([1000, 2000]),
    leaseMs: random.oneOf([300, 1000, 1000, 2000]),
    maxStalenessOnFailureMs: random.oneIn(8) ? 3000 : 0,
    maxSize: random.oneOf([3, 6, 200, 200]),
    maxPerUser: random.oneOf([2, 200]),
    maxLocal: random.oneOf([2, 100_000]),
    tokenLifeMs: random.oneOf([1500, 4000, 600_000, 600_000]),
    users: random.oneOf([1, 2, 3]),
    requestMs: random.oneOf([30, 60, 150]),
    hasOauth: random.oneIn(3),
    maxExpiryDelayMs: random.oneOf([1, 500]),
    maxReplicationMs: random.oneOf([2, 50, 500]),
    conditions: {
      minLatencyMs: 0.05,
      maxLatencyMs: random.oneOf([0.3, 2, 20]),
      slowFrames: random.oneOf([0, 0, 0, 20, 100]),
      maxSlowMs: random.oneOf([50, 400, 900]),
      calmAtMs: durationMs,
      burstMs: random.oneOf([0, 0, 5, 40]),
      readsAll: random.oneIn(2),
    },
    faults: random.oneIn(20) ? [] : faultKinds.filter((kind) => random.oneIn(kind === 'flush' ? 12 : 3)),
    hasPartition: false,
    hasReaders: random.oneIn(2),
    faultMs: random.oneOf([800, 3000, 6000]),
    longestFaultMs: random.oneOf([300, 1500, 4000]),
    durationMs,
  }
}

/** How late a revocation may count, as docs/instances.md promises it; `undefined`: while a partition lasts, for ever. */
export function boundFor({ replicas, minReplicasToWrite, minReplicasMaxLagMs, leaseMs }: Setting): number | undefined {
  if (replicas === 0) return leaseMs
  return 2 * minReplicasToWrite >= replicas ? leaseMs + minReplicasMaxLagMs + 2000 : undefined
}
