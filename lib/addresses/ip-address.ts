/**
 * Internet addresses as numbers. Whatever is not exactly an address is no address: nothing is guessed or repaired.
 *
 * @module
 */

/** An address as unsigned 32-bit words, the highest first: one word for IPv4, four for IPv6. */
export type Address = readonly number[]

/** The words before the IPv4 address in an IPv4-mapped one, `::ffff:0:0/96` (RFC 4291 section 2.5.5.2). */
const mappedPrefix: Address = [0, 0, 0xffff]

const longestIPv6Text = '0000:0000:0000:0000:0000:ffff:255.255.255.255'.length

const dot = 0x2e
const colon = 0x3a

/**
 * `127.1`, `0177.0.0.1` and `0x7f000001` are no addresses. An IPv4-mapped address becomes the IPv4 address. One with a zone
 * id (`fe80::1%eth0`) is refused: it means different hosts on different interfaces.
 */
export function parseAddress(text: string): Address | undefined {
  const address = parseAddressAsSpelled(text)
  return address !== undefined && isMapped(address) ? [address[3]!] : address
}

/** Like {@link parseAddress}, but an IPv4-mapped address stays IPv6. */
export function parseAddressAsSpelled(text: string): Address | undefined {
  const word = parseIPv4(text, 0)
  return word === undefined ? parseIPv6(text) : [word]
}

export function isMapped(address: Address): boolean {
  return address.length === 4 && mappedPrefix.every((word, index) => word === address[index])
}

/** The canonical text: `10.0.0.7`, or `2001:db8::1` as RFC 5952 section 4 spells it. */
export function addressText(address: Address): string {
  if (address.length === 1) return dottedText(address[0]!)
  const groups = listGroups(address)
  const { start, length } = longestZeroRun(groups)
  const hex = groups.map((group) => group.toString(16))
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

/** For patterns that people wrote against one of them; Java writes `0:0:0:0:0:0:0:1`. IPv4 has one. */
export function addressSpellings(address: Address): readonly string[] {
  if (address.length === 1) return [addressText(address)]
  const hex = listGroups(address).map((group) => group.toString(16))
  return [addressText(address), hex.join(':'), hex.map((group) => group.padStart(4, '0')).join(':')]
}

/** What clients are counted by: the IPv4 address, or the /64 network of an IPv6 address, because one client has a whole /64. */
export function addressKey(text: string): string | undefined {
  const address = parseAddress(text)
  if (address === undefined) return undefined
  return address.length === 1 ? addressText(address) : `${addressText([address[0]!, address[1]!, 0, 0])}/64`
}

/** The 32-bit word; `undefined` unless four parts are all that stands in `text` from `start` on. */
function parseIPv4(text: string, start: number): number | undefined {
  let word = 0
  let part = 0
  let digits = 0
  let dots = 0
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === dot) {
      if (digits === 0 || dots === 3) return undefined
      word = (word << 8) | part
      part = 0
      digits = 0
      dots++
    } else {
      const hasLeadingZero = digits > 0 && part === 0
      if (code < 0x30 || code > 0x39 || hasLeadingZero) return undefined
      part = part * 10 + code - 0x30
      if (part > 255) return undefined
      digits++
    }
  }
  return dots === 3 && digits > 0 ? ((word << 8) | part) >>> 0 : undefined
}

function parseIPv6(text: string): Address | undefined {
  if (text.length > longestIPv6Text) return undefined
  const groups = [0, 0, 0, 0, 0, 0, 0, 0]
  let count = 0
  let gapAt = -1
  let index = 0
  if (text.charCodeAt(0) === colon) {
    if (text.charCodeAt(1) !== colon) return undefined
    gapAt = 0
    index = 2
  }
  while (index < text.length) {
    const start = index
    let group = 0
    for (let digit = hexDigitAt(text, index); digit !== -1; digit = hexDigitAt(text, ++index))
      group = group * 16 + digit
    if (text.charCodeAt(index) === dot) {
      const tail = parseIPv4(text, start)
      if (tail === undefined || count > 6) return undefined
      groups[count++] = tail >>> 16
      groups[count++] = tail & 0xffff
      break
    }
    const digits = index - start
    if (digits === 0 || digits > 4 || count === 8) return undefined
    groups[count++] = group
    if (index === text.length) break
    if (text.charCodeAt(index++) !== colon || index === text.length) return undefined
    if (text.charCodeAt(index) === colon) {
      if (gapAt !== -1) return undefined
      gapAt = count
      index++
    }
  }
  if (gapAt === -1 ? count !== 8 : count === 8) return undefined
  if (gapAt !== -1) {
    groups.copyWithin(8 - (count - gapAt), gapAt, count)
    groups.fill(0, gapAt, 8 - (count - gapAt))
  }
  return [wordAt(groups, 0), wordAt(groups, 2), wordAt(groups, 4), wordAt(groups, 6)]
}

function hexDigitAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function wordAt(groups: readonly number[], index: number): number {
  return groups[index]! * 0x10000 + groups[index + 1]!
}

function dottedText(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

function listGroups(address: Address): number[] {
  return address.flatMap((word) => [word >>> 16, word & 0xffff])
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 }
  let start = 0
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start }
  })
  return longest
}
