/**
 * Lists of trusted proxies, as Express' `trust proxy` takes them.
 *
 * @module
 */

import { type Address, parseAddressAsSpelled } from './ip-address.js'
import { edgeOf } from './network.js'

/** Names that Express knows for ranges of addresses. */
const knownNames: readonly unknown[] = ['loopback', 'linklocal', 'uniquelocal']

/** The beginning of every IPv4-mapped address (RFC 4291 section 2.5.5.2), and its length in bits. */
const mappedBase: Address = [0, 0, 0xffff, 0]
const mappedBits = 96

/**
 * What is wrong with a list of trusted proxies. Express reads some texts as addresses that are none (`1` is 0.0.0.1,
 * not a count), and releases of proxy-addr before 2.0.8 take an IPv6 block that holds all IPv4-mapped addresses for
 * everybody (CVE-2026-90711).
 */
export function trustListProblem(entries: readonly unknown[]): string | undefined {
  for (const entry of entries) {
    const mistake = knownNames.includes(entry) ? undefined : entryMistake(entry)
    if (mistake !== undefined) return `has the entry ${JSON.stringify(entry)}, which ${mistake}`
  }
  return undefined
}

function entryMistake(entry: unknown): string | undefined {
  if (typeof entry !== 'string') return 'is not text'
  const [text = '', length] = entry.split('/')
  const address = parseAddressAsSpelled(text)
  if (address === undefined) {
    return /^\d+$/.test(entry) ? 'is a count as text: a count has to be a number' : 'is not an address or a network'
  }
  // Express checks lengths itself, and takes a mask of four numbers for IPv4.
  if (length === undefined || address.length === 1) return undefined
  return holdsMappedAddresses(address, Number(length)) ? 'may mean every IPv4 address' : undefined
}

function holdsMappedAddresses(address: Address, length: number): boolean {
  if (!(length < mappedBits)) return false
  const first = edgeOf(mappedBase, length, 'first')
  return edgeOf(address, length, 'first').every((word, index) => word === first[index])
}
