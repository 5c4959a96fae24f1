/**
 * One network: an address, or a CIDR block (RFC 4632; RFC 4291 section 2.3), strictly spelled.
 *
 * @module
 */

import { type Address, addressText, isMapped, parseAddress, parseAddressAsSpelled } from './ip-address.js'

/** A block of addresses: those that begin with the first `length` bits of `base`. All other bits of `base` are zero. */
export interface Network {
  readonly base: Address
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. An address alone has the greatest. */
  readonly length: number
}

const example = 'write it like 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32'

const mappedBits = 96

/**
 * Reads a network. A block of IPv4-mapped addresses becomes the IPv4 block, and needs 96 bits or more: read with an
 * IPv4 length, `::ffff:10.0.0.0/8` would be everybody (CVE-2026-90711).
 *
 * @throws TypeError that says what is wrong and what would be right.
 */
export function parseNetwork(text: string): Network {
  const slashAt = text.indexOf('/')
  const written = slashAt === -1 ? text : text.slice(0, slashAt)
  const spelled = parseAddressAsSpelled(written)
  if (spelled === undefined) throw new TypeError(`${JSON.stringify(text)} ${addressMistake(written)}`)

  const greatest = spelled.length * 32
  const length = slashAt === -1 ? greatest : parseLength(text, text.slice(slashAt + 1), greatest)
  if (!isMapped(spelled)) return checkHostBits(text, { base: spelled, length })

  const base = parseAddress(written)!
  if (length >= mappedBits) return checkHostBits(text, { base, length: length - mappedBits })
  const hint = length <= 32 ? `; write ${addressText(base)}/${length} for the IPv4 block` : ''
  throw new TypeError(`"${text}" is a block of IPv4-mapped addresses, which needs ${mappedBits} bits or more${hint}`)
}

/** The first or the last address that begins with the first `length` bits of `address`. */
export function edgeAddress(address: Address, length: number, edge: 'first' | 'last'): Address {
  return address.map((word, index) => {
    const bits = Math.min(Math.max(length - index * 32, 0), 32)
    // A shift by 32 is a shift by 0 in JavaScript.
    const hostBits = bits === 32 ? 0 : 0xffffffff >>> bits
    return (edge === 'first' ? word & ~hostBits : word | hostBits) >>> 0
  })
}

function addressMistake(written: string): string {
  const zoneAt = written.indexOf('%')
  if (zoneAt !== -1 && parseAddress(written.slice(0, zoneAt)) !== undefined) {
    return `has a zone id, which has no meaning for other hosts; write ${written.slice(0, zoneAt)}`
  }
  const what = /[*\\]/.test(written)
    ? 'is a pattern, and this list takes only addresses and CIDR blocks'
    : 'is not an address or a CIDR block'
  return `${what}; ${example}`
}

function parseLength(text: string, written: string, greatest: number): number {
  if (/^(?:0|[1-9]\d{0,2})$/.test(written) && Number(written) <= greatest) return Number(written)
  throw new TypeError(`${JSON.stringify(text)} needs a whole number from 0 to ${greatest} after the slash; ${example}`)
}

function checkHostBits(text: string, network: Network): Network {
  const first = addressText(edgeAddress(network.base, network.length, 'first'))
  if (addressText(network.base) === first) return network
  if (network.length === 0) {
    throw new TypeError(`"${text}" is every address, whatever stands before /0; write ${first}/0 if that is meant`)
  }
  const single = addressText(network.base)
  throw new TypeError(
    `"${text}" is not the beginning of its block; write ${first}/${network.length} for the block or ${single} for the one address`,
  )
}
