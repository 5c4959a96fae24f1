/**
 * Addresses that are not of the public internet: a server that is sent to one of them on somebody's word may be made to call its own
 * neighbours.
 *
 * @module
 */

import { parseAddress } from './ip-address.js'
import { networkSet } from './network-set.js'

/** The IANA special-purpose registries (RFC 6890) and multicast. IPv4-mapped addresses are read as what they stand for. */
const isSpecialUse = networkSet([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  // Teredo and others, documentation, 6to4: some of these lead to an IPv4 address that is written into them.
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
])

/** Of IPv6 only this is given out to the public (RFC 4291 section 2.4). */
const isGlobalUnicast = networkSet(['2000::/3'])

/** Whether an address is one of the public internet. What is no address is none. */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text)
  if (address === undefined || isSpecialUse(text)) return false
  return address.length === 1 || isGlobalUnicast(text)
}
