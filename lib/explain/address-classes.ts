/**
 * Addresses that stand for all others: any two between the same two borders are in the same lists.
 *
 * @module
 */

import { parseAddressItem } from '../addresses/allow-list.js'
import { compileExpression, type Program } from '../addresses/expression-matcher.js'
import { type Address, addressText, parseAddress } from '../addresses/ip-address.js'
import { type Network, parseNetwork } from '../addresses/network.js'
import { characterSet } from '../addresses/wso2-expression.js'

/** An address that stands for a range. */
export interface AddressClass {
  readonly example: string
  /** For people to read. */
  readonly text: string
}

/**
 * Classes that the items of all lists tell apart. Exact for addresses and networks, and for expressions about IPv4; of IPv6, what only
 * expressions tell apart is looked for in their texts.
 */
export function addressClasses(items: readonly string[]): readonly AddressClass[] {
  const alternatives = [...new Set(items)].flatMap(parseAddressItem)
  const networks = alternatives.flatMap((one) => (one.kind === 'network' ? [parseNetwork(one.text)] : []))
  const programs = alternatives.flatMap((one) => (one.kind === 'expression' ? [compileExpression(one.expression)] : []))
  const ipv6 = rangesBetween(
    networks.filter(({ base }) => base.length === 4),
    4,
  )
  const ipv4 = networks.filter(({ base }) => base.length === 1)
  if (programs.length === 0) return [...rangesBetween(ipv4, 1), ...ipv6]
  return [...expressionClasses(programs, ipv4), ...ipv6, ...writtenIn(items)]
}

/** The ranges between the borders of networks, whose addresses have `width` words. */
function rangesBetween(networks: readonly Network[], width: 1 | 4): readonly AddressClass[] {
  const bits = 32 * width
  const end = 1n << BigInt(bits)
  const borders = new Set([0n])
  for (const { base, length } of networks) {
    const first = numberFrom(base)
    borders.add(first).add(first + (1n << BigInt(bits - length)))
  }
  borders.delete(end)
  const sorted = [...borders].sort((a, b) => (a < b ? -1 : 1))
  return sorted.map((start, index) => {
    const first = addressFrom(start, width)
    const last = addressFrom((sorted[index + 1] ?? end) - 1n, width)
    const texts = [...new Set([addressText(first), addressText(last)])]
    return { example: addressText(exampleIn(first, last)), text: texts.join(' to ') }
  })
}

function numberFrom(address: Address): bigint {
  return address.reduce((number, word) => (number << 32n) | BigInt(word), 0n)
}

function addressFrom(number: bigint, width: number): Address {
  return Array.from({ length: width }, (_, index) =>
    Number(BigInt.asUintN(32, number >> BigInt(32 * (width - 1 - index)))),
  )
}

/** IPv4-mapped addresses are read as IPv4: what stands for a range of IPv6 must not be one. */
function exampleIn(first: Address, last: Address): Address {
  return parseAddress(addressText(first))?.length === first.length ? first : last
}

/** A beginning of an address, for all that expressions and networks make no difference of. */
interface Beginning {
  readonly text: string
  /** Of each program, the steps that could be next. */
  readonly steps: readonly ReadonlySet<number>[]
  /** The value of the octets so far. */
  readonly value: number
}

/** All classes of IPv4 addresses that expressions and networks tell apart: octet by octet, equal beginnings go on together. */
function expressionClasses(programs: readonly Program[], networks: readonly Network[]): readonly AddressClass[] {
  const start = programs.map((program) => follow(program, new Set([0]), true, false))
  let beginnings: readonly Beginning[] = [{ text: '', steps: start, value: 0 }]
  for (let octet = 1; octet <= 4; octet++) {
    const found = new Map<string, Beginning>()
    for (const beginning of beginnings) {
      for (let number = 0; number < 256; number++) {
        const text = `${number}${octet < 4 ? '.' : ''}`
        const steps = programs.map((program, index) => advance(program, beginning.steps[index]!, text, octet === 4))
        const longer = { text: beginning.text + text, steps, value: beginning.value * 256 + number }
        const key = `${steps.map((set) => [...set].sort().join()).join(';')} ${positionsOf(longer.value, octet, networks)}`
        if (!found.has(key)) found.set(key, longer)
      }
    }
    beginnings = [...found.values()]
  }
  return beginnings.map(({ text }) => ({ example: text, text: `like ${text}` }))
}

/** For each network, whether all addresses with this beginning are in it, none, or some. */
function positionsOf(value: number, octets: number, networks: readonly Network[]): string {
  const size = 2 ** (32 - octets * 8)
  const [first, last] = [value * size, value * size + size - 1]
  return networks
    .map(({ base: [start = 0], length }) => {
      const end = start + 2 ** (32 - length) - 1
      if (last < start || first > end) return 'out'
      return first >= start && last <= end ? 'in' : `${value}`
    })
    .join()
}

function advance(program: Program, from: ReadonlySet<number>, text: string, isLast: boolean): ReadonlySet<number> {
  let current = from
  for (let index = 0; index < text.length; index++) {
    const character = characterSet(text[index]!)
    const reached = new Set<number>()
    for (const at of current) {
      const step = program[at]!
      if (step.kind === 'set' && (step.set & character) !== 0) reached.add(at + 1)
    }
    current = follow(program, reached, false, isLast && index + 1 === text.length)
  }
  return current
}

/** The steps that read a character, or say that the text matches, which can be reached without one. */
function follow(program: Program, from: ReadonlySet<number>, isStart: boolean, isEnd: boolean): ReadonlySet<number> {
  const reached = new Set<number>()
  const seen = new Set<number>()
  const waiting = [...from]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (seen.has(at)) continue
    seen.add(at)
    const step = program[at]!
    if (step.kind === 'fork') waiting.push(...step.targets)
    else if (step.kind === 'start') waiting.push(...(isStart ? [at + 1] : []))
    else if (step.kind === 'end') waiting.push(...(isEnd ? [at + 1] : []))
    else reached.add(at)
  }
  return reached
}

/** Addresses of IPv6 that somebody has written into an expression. */
function writtenIn(items: readonly string[]): readonly AddressClass[] {
  const texts = items
    .flatMap((item) => item.replaceAll('\\', '').split('|'))
    .flatMap((text) => [text, text.replace(/[.*+]+$/, '1')])
  const found = texts.filter((text) => parseAddress(text)?.length === 4)
  return [...new Set([...found, '2001:db8::1', '::1'])].map((text) => ({ example: text, text }))
}
