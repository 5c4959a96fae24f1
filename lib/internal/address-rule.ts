/**
 * Which addresses a rule lets pass, by what it allows and what it denies.
 *
 * @module
 */

import { addressList, isAddress, withoutZone } from './address-list.js'

/** What a rule says; see {@link addressList} for the items. */
export interface AddressRule {
  /** Who may pass; `undefined`: everybody who is not denied, and nobody where nothing is denied either. */
  readonly allow?: readonly string[] | undefined
  /** Who may not pass, whatever `allow` has. */
  readonly deny?: readonly string[] | undefined
}

/**
 * Compiles a rule, in the order in which Tomcat evaluates its `RemoteAddrFilter`: who is denied is refused; who is
 * allowed passes; where something is denied and nothing allowed, the others pass; else everybody is refused. Beyond
 * that, what is no address at all is refused always.
 *
 * @throws TypeError for the first malformed item.
 */
export function addressRule({ allow, deny }: AddressRule): (address: string | undefined) => boolean {
  const isAllowed = allow && addressList(allow)
  const isDenied = deny && addressList(deny)

  return function mayPass(address) {
    if (address === undefined || !isAddress(address)) return false
    // Who is denied on one interface is denied on every one.
    if (isDenied?.(withoutZone(address))) return false
    return isAllowed === undefined ? isDenied !== undefined : isAllowed(address)
  }
}
