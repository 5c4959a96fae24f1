/**
 * Says in the log why credentials are refused that were not issued here.
 *
 * @module
 */

import type { MachineKind } from '../../core/auth.js'
import type { Logger } from '../../core/logger.js'

const reportIntervalMs = 60_000
const maxReasons = 100

/** Logs why credentials are refused, which no client is told: each reason once a minute. */
export function createRefusalLog(clock: () => number, logger: Logger): (kind: MachineKind, reason: unknown) => void {
  const reported = new Map<string, number>()
  return function logRefusal(kind, reason) {
    const text = reason instanceof Error ? reason.message : String(reason)
    const key = `${kind} ${text}`
    const last = reported.get(key)
    if (last !== undefined && clock() - last < reportIntervalMs) return
    if (reported.size >= maxReasons) reported.clear()
    reported.set(key, clock())
    logger.warn({ kind, reason: text }, 'a bearer token that was not issued here was refused')
  }
}
