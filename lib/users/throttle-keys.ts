/**
 * What the login throttle counts by: one key for all spellings of a user, and one for all spellings of a source.
 *
 * @module
 */

import { hash } from 'node:crypto'
import { addressKey } from '../internal/ip-address.js'
import { withoutPort } from '../internal/trust-proxy.js'
import { primaryDomain, withoutDomain } from './domains.js'

/** Keys of the counters that a login touches: digests, so that a long text costs no memory. */
export interface ThrottleKeys {
  readonly pair: string
  readonly user: string
  readonly source: string
}

export function throttleKeys(name: string, address: string | undefined): ThrottleKeys {
  const user = userKey(name)
  const source = sourceKey(address)
  return { user, source, pair: digestOf(`${user} ${source}`) }
}

/**
 * Keys of a user who has been found, whatever name led there. The store's own spelling is exact, so no other user shares them,
 * and no name that anybody types.
 */
export function subjectKeys(subject: string, source: string): ThrottleKeys {
  const user = digestOf(`\0${subject.normalize('NFC')}`)
  return { user, source, pair: digestOf(`${user} ${source}`) }
}

/**
 * Blind to case, because some stores are: `Alice` and `alice` share their counters whatever the store makes of them. So do
 * `PRIMARY/alice` and `alice`, which are one user in every store.
 */
export function userKey(name: string): string {
  return digestOf(withoutDomain(name, primaryDomain).normalize('NFC').toLowerCase().normalize('NFC'))
}

/**
 * One key for all spellings of an address, and for a whole /64 of IPv6. A zone id names an interface of this machine, not
 * another client. A text that is no address is a source of its own: if all of them were one, a proxy that writes them would
 * have its clients lock each other out.
 */
function sourceKey(text = ''): string {
  const address = withoutPort(text).split('%', 1)[0]!
  return digestOf(addressKey(address) ?? `text ${text}`)
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64')
}
