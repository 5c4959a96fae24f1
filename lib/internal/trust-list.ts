/**
 * Lists of trusted proxies, as Express' `trust proxy` takes them.
 *
 * @module
 */

import { type Address, isMapped, parseAddress, parseAddressAsSpelled } from './ip-address.js'
import { edgeOf, type Network } from './network.js'

/** Names that Express knows for ranges of addresses. */
const knownNames: readonly unknown[] = ['loopback', 'linklocal', 'uniquelocal']

const ipv4Samples: readonly string[] = [
  ...['192.0.2.1', '198.51.100.1', '203.0.113.1', '1.0.0.1', '24.48.0.1', '41.0.0.1', '62.30.0.1', '79.192.0.1'],
  ...['101.0.1.1', '122.96.0.1', '133.11.0.1', '151.0.0.1', '176.0.0.1', '190.0.0.1', '212.0.0.1', '223.255.0.1'],
]

/**
 * Addresses from all over the internet, some of them reserved for documentation (RFC 5737, RFC 3849): nobody's proxies have
 * all of one kind. An IPv4 address has the second spelling on a socket that takes both kinds.
 */
const samples: readonly (readonly [kind: string, addresses: readonly string[]])[] = [
  ['IPv4', ipv4Samples],
  ['IPv4', ipv4Samples.map((address) => `::ffff:${address}`)],
  ['IPv6', ['2001:db8::1', '2003:e0::1', '240e::1', '2600:1700::1', '2804:14c::1', '2a02:8000::1', '2c0f:f000::1']],
]

/** Whom a setting trusts that trusts all clients, or all of one kind: they choose their address; else `undefined`. */
export function everybodyAmong(isTrusted: (address: string) => boolean): string | undefined {
  const kinds = samples.filter(([, addresses]) => addresses.map(isTrusted).every(Boolean)).map(([kind]) => kind)
  if (kinds.length === samples.length) return 'every address'
  return kinds[0] === undefined ? undefined : `every ${kinds[0]} address`
}

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
  const blocks = entries.filter((entry) => typeof entry === 'string').flatMap((entry) => blockFrom(entry) ?? [])
  const everybody = everybodyAmong((text) => blocks.some((block) => isWithin(parseAddress(text)!, block)))
  return everybody === undefined ? undefined : `has networks that together are ${everybody}`
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
  return isWithin(mappedBase, { base: address, length })
}

/** An entry as a block of one kind; `undefined` for a name, and for a length that Express does not take. */
function blockFrom(entry: string): Network | undefined {
  const [text = '', written] = entry.split('/')
  const spelled = parseAddressAsSpelled(text)
  const base = parseAddress(text)
  if (spelled === undefined || base === undefined) return undefined
  const mask = spelled.length === 1 && written !== undefined ? parseAddress(written)?.[0] : undefined
  const length = mask === undefined ? Number(written ?? spelled.length * 32) : Math.clz32(~mask)
  return { base, length: isMapped(spelled) ? length - mappedBits : length }
}

function isWithin(address: Address, { base, length }: Network): boolean {
  if (address.length !== base.length) return false
  const first = edgeOf(base, length, 'first')
  return edgeOf(address, length, 'first').every((word, index) => word === first[index])
}
