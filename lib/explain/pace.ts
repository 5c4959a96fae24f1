/**
 * Long comparisons beside other work: no request of a comparison waits for anything by itself.
 *
 * @module
 */

import { setImmediate } from 'node:timers/promises'
import type { Config } from '../config/config.js'

/** The comparison would take longer than it may. */
export class ComparisonTooLong extends Error {
  override readonly name = 'ComparisonTooLong'
}

/** How long other work waits for the comparison, in milliseconds. */
const longestStepMs = 10

/** To be called often: lets other work come in between. @throws `ComparisonTooLong`, by rejecting, after `maxMs`. */
export type Pace = () => Promise<void>

export function createPace(maxMs: number = Number.POSITIVE_INFINITY): Pace {
  const end = performance.now() + maxMs
  let lastPause = performance.now()
  return async () => {
    const now = performance.now()
    if (now > end) throw new ComparisonTooLong(`the comparison takes longer than ${maxMs} ms`)
    if (now - lastPause < longestStepMs) return
    await setImmediate()
    lastPause = performance.now()
  }
}

/** To tell more than these apart takes seconds, in one step. */
const maxAddresses = 1000

/** @throws `ComparisonTooLong` for lists of addresses that no pace helps with. */
export function assertFewAddresses(...configs: readonly Config[]): void {
  const lists = configs.flatMap(
    ({ managementApi, webAppAddresses, adminConsoleAddresses, servletFilters, portals }) => [
      managementApi.allowedNetworks,
      webAppAddresses,
      adminConsoleAddresses,
      ...servletFilters.flatMap(({ allow, deny }) => [allow, deny]),
      ...portals.map(({ allow }) => allow),
    ],
  )
  const count = lists.reduce((sum, list = []) => sum + list.length, 0)
  if (count > maxAddresses) throw new ComparisonTooLong(`there are more than ${maxAddresses} addresses`)
}
