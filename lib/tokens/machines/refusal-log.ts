/**
 * Says in the log why credentials are refused that were not issued here.
 *
 * @module
 */

import type { Logger } from '../../core/logger.js'
import type { MachineRefusal } from './machine-tokens.js'

const reportIntervalMs = 60_000
const maxReasons = 100

/** Logs why credentials are refused, which no client is told: each reason once a minute, of each credential that the file names. */
export function createRefusalLog(clock: () => number, logger: Logger): (refusal: MachineRefusal) => void {
  const reported = new Map<string, number>()
  return function logRefusal({ kind, reason, subject, origin, address }) {
    const text = reason instanceof Error ? reason.message : String(reason)
    const key = `${kind} ${subject ?? ''} ${text}`
    const last = reported.get(key)
    if (last !== undefined && clock() - last < reportIntervalMs) return
    if (reported.size >= maxReasons) reported.clear()
    reported.set(key, clock())
    const rule = origin && { rule: origin.key, position: origin.position }
    logger.warn(
      { kind, subject, reason: text, address, ...rule },
      'a bearer token that was not issued here was refused',
    )
  }
}
