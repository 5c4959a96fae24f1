/**
 * A set of networks with a look-up that does not get slower with their number: sorted blocks and a binary search.
 *
 * `net.BlockList` is not used: it is linear in the number of rules, lets `::/0` match IPv4 addresses, and reads
 * `::ffff:10.0.0.0/8` as everybody.
 *
 * @module
 */

import { ConfigError, type ConfigProblem } from '../core/errors.js'
import { type Address, addressSpellings, parseAddress } from './ip-address.js'
import { edgeAddress, type Network, parseNetwork } from './network.js'

/**
 * A pattern has to match the whole of a customary spelling. `::/0` covers no IPv4 address; `0.0.0.0/0` covers the IPv4-mapped
 * ones. What is no address is in no set.
 *
 * @throws `ConfigError` that names every malformed entry as `networks[0]`, `networks[1]` and so on.
 */
export function networkSet(networks: readonly (string | RegExp)[]): (address: string) => boolean {
  const { blocks, patterns } = compile(networks)
  const ipv4 = blockTable(blocks.filter(({ base }) => base.length === 1))
  const ipv6 = blockTable(blocks.filter(({ base }) => base.length === 4))

  function isCovered(text: string): boolean {
    const address = parseAddress(text)
    if (address === undefined) return false
    if ((address.length === 1 ? ipv4 : ipv6)(address)) return true
    if (patterns.length === 0) return false
    const spellings = addressSpellings(address)
    return patterns.some((pattern) => spellings.some((spelling) => pattern.test(spelling)))
  }

  // Requests of one client come in bursts, and behind a proxy all come from one address.
  let lastText: string | undefined
  let lastAnswer = false
  return function isInSet(text) {
    if (text !== lastText) {
      lastAnswer = isCovered(text)
      lastText = text
    }
    return lastAnswer
  }
}

function compile(networks: readonly unknown[]): { blocks: Network[]; patterns: RegExp[] } {
  if (!Array.isArray(networks)) throw new ConfigError([{ key: 'networks', rule: 'must be a list of networks' }])
  const blocks: Network[] = []
  const patterns: RegExp[] = []
  const problems: ConfigProblem[] = []

  // An index loop, because forEach skips the holes of a list.
  for (let index = 0; index < networks.length; index++) {
    const entry: unknown = networks[index]
    try {
      if (typeof entry === 'string') blocks.push(parseNetwork(entry))
      else if (entry instanceof RegExp) patterns.push(wholeMatch(entry))
      else throw new TypeError(`must be text or a regular expression, got ${entry === null ? 'null' : typeof entry}`)
    } catch (error) {
      problems.push({ key: `networks[${index}]`, rule: (error as Error).message })
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return { blocks, patterns }
}

/** The flags `g` and `y` would make a pattern remember its last match, and `m` would let it match a part. */
function wholeMatch(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gmy]/g, ''))
}

/**
 * The first and last addresses of blocks of one family, in order, in flat arrays. Two CIDR blocks either are disjoint
 * or one holds the other, so that a block which begins inside the one before it adds nothing and is left out.
 */
function blockTable(blocks: readonly Network[]): (address: Address) => boolean {
  const width = blocks[0]?.base.length ?? 1
  const sorted = [...blocks].sort((one, other) => compareWords(one.base, other.base, 0) || one.length - other.length)
  const firsts = new Uint32Array(sorted.length * width)
  const lasts = new Uint32Array(sorted.length * width)
  let count = 0
  for (const { base, length } of sorted) {
    if (count > 0 && compareWords(base, lasts, (count - 1) * width) <= 0) continue
    firsts.set(base, count * width)
    lasts.set(edgeAddress(base, length, 'last'), count * width)
    count++
  }

  return function isInTable(address) {
    const word = address[0]!
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = firsts[middle * width]!
      // The first word decides most comparisons; only equal ones of IPv6 need the others.
      if (word < first || (word === first && width > 1 && compareWords(address, firsts, middle * width) < 0))
        high = middle
      else low = middle + 1
    }
    return low > 0 && compareWords(address, lasts, (low - 1) * width) <= 0
  }
}

/** Compares an address with the one that stands at `offset` in a flat array; negative when it is the lower one. */
function compareWords(address: Address, words: ArrayLike<number>, offset: number): number {
  for (let index = 0; index < address.length; index++) {
    const difference = address[index]! - words[offset + index]!
    if (difference !== 0) return difference
  }
  return 0
}
