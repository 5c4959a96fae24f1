/**
 * The locks that one failed login has started: one event for each kind of them, whatever names led to the user.
 *
 * @module
 */

import type { SecurityEventMap, SecurityEvents } from '../core/events.js'
import { maxNameLength } from './credential-limits.js'
import type { ThrottleKeys } from './throttle-keys.js'

/** Whom a lock concerns. */
export type LockScope = SecurityEventMap['lock']['scope']

/** A login as it came to the throttle. */
export interface ThrottleLogin extends ThrottleKeys {
  readonly name: string
  readonly address: string | undefined
}

/** Collects the locks of one login. */
export class StartedLocks {
  readonly #lockedMs = new Map<LockScope, number>()

  /** Notes a lock of so many milliseconds; 0: none was started. */
  note(scope: LockScope, lockedMs: number): void {
    if (lockedMs > 0) this.#lockedMs.set(scope, Math.max(lockedMs, this.#lockedMs.get(scope) ?? 0))
  }

  report(events: SecurityEvents | undefined, at: number, { name, address }: ThrottleLogin, subject?: string): void {
    const userName = name.slice(0, maxNameLength)
    for (const [scope, lockedMs] of this.#lockedMs) {
      events?.report('lock', { at, address, userName, subject, scope, seconds: Math.ceil(lockedMs / 1000) })
    }
  }
}
