/**
 * What the login throttle counts by: one key for all spellings of a user, and one for all spellings of a source.
 *
 * @module
 */

import { hash } from 'node:crypto'
import { addressKey } from '../../addresses/ip-address.js'
import { withoutPort } from '../../addresses/trust-proxy.js'
import type { RequestCorrelation } from '../../core/event-members.js'
import { pickClient, type SecurityEventMap, type SecurityEvents } from '../../core/events.js'
import { primaryDomain, withoutDomain } from '../names.js'
import { maxNameLength } from '../user-store.js'

/** Keys of the counters that a login touches: digests, so that a long text costs no memory. */
export interface ThrottleKeys {
  readonly pair: string
  readonly user: string
  readonly source: string
}

export function throttleKeys(name: string, address: string | undefined): ThrottleKeys {
  const user = userKey(name)
  const source = sourceKey(address)
  return { user, source, pair: createDigest(`${user} ${source}`) }
}

/**
 * Keys of a user who has been found, whatever name led there. The store's own spelling is exact, so no other user shares them,
 * and no name that anybody types.
 */
export function subjectKeys(subject: string, source: string): ThrottleKeys {
  const user = createDigest(`\0${subject.normalize('NFC')}`)
  return { user, source, pair: createDigest(`${user} ${source}`) }
}

/** Keys of all that is counted of a user: by a name that was typed, and as the one whom the store found. */
export function userKeys(name: string): readonly string[] {
  return [userKey(name), subjectKeys(name, '').user]
}

/**
 * Case-insensitive, because some stores are: `Alice` and `alice` share their counters whatever the store makes of them. So do
 * `PRIMARY/alice` and `alice`, which are one user in every store.
 */
function userKey(name: string): string {
  return createDigest(withoutDomain(name, primaryDomain).normalize('NFC').toLowerCase().normalize('NFC'))
}

/**
 * One key for all spellings of an address, and for a whole /64 of IPv6. A zone id names an interface of this machine, not
 * another client. A text that is no address is a source of its own: if all of them were one, a proxy that writes them would
 * have its clients lock each other out.
 */
function sourceKey(text = ''): string {
  const address = withoutPort(text).split('%', 1)[0]!
  return createDigest(addressKey(address) ?? `text ${text}`)
}

/** Key of all that is counted of a source. */
export function addressKeys(address: string): readonly string[] {
  return [sourceKey(address)]
}

function createDigest(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Whom a lock concerns. */
export type LockScope = SecurityEventMap['lock']['scope']

/** A login as it came to the throttle. */
export interface ThrottleLogin extends ThrottleKeys, RequestCorrelation {
  readonly name: string
  readonly address: string | undefined
}

export function throttleLogin(
  name: string,
  address: string | undefined,
  { requestId, traceparent }: RequestCorrelation = {},
): ThrottleLogin {
  return { ...throttleKeys(name, address), name, address, requestId, traceparent }
}

/** A lock as it began. It may have ended. */
export interface StartedLock {
  /** Which logins are meant: see the `lock` event. */
  readonly scope: LockScope
  /** What the client typed at the failure that began it. */
  readonly userName: string
  /** The user whom the store found; `undefined` when there is none. */
  readonly subject: string | undefined
  /** The client's address at that failure. */
  readonly address: string | undefined
  /** When it began, in milliseconds since the epoch. */
  readonly since: number
}

/** The keys by which a lock may be counted: those of the name that was typed, and of the user who was found. */
export function lockKeys({ userName, subject, address }: StartedLock): readonly ThrottleKeys[] {
  const typed = throttleKeys(userName, address)
  return subject === undefined ? [typed] : [typed, subjectKeys(subject, typed.source)]
}

/** Collects the locks of one login. */
export class StartedLocks {
  readonly #lockedMs = new Map<LockScope, number>()

  /** Notes a lock of so many milliseconds; 0: none was started. */
  note(scope: LockScope, lockedMs: number): void {
    if (lockedMs > 0) this.#lockedMs.set(scope, Math.max(lockedMs, this.#lockedMs.get(scope) ?? 0))
  }

  /** Notes those of another count of the same login. */
  add(others: StartedLocks): void {
    for (const [scope, lockedMs] of others.#lockedMs) this.note(scope, lockedMs)
  }

  /** Reports each lock, and returns them. */
  report(
    events: SecurityEvents | undefined,
    at: number,
    { name, ...login }: ThrottleLogin,
    subject?: string,
  ): readonly StartedLock[] {
    const userName = name.slice(0, maxNameLength)
    const client = pickClient(login)
    const { address } = client
    return [...this.#lockedMs].map(([scope, lockedMs]) => {
      events?.report('lock', { at, ...client, userName, subject, scope, seconds: Math.ceil(lockedMs / 1000) })
      return { scope, userName, subject, address, since: at }
    })
  }
}
