import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressList, addressRule, isAddress, parseAddressItem } from '../../lib/addresses/allow-list.js'
import { addressText, parseAddress } from '../../lib/addresses/ip-address.js'

describe('an item', () => {
  it.each([
    ['127.0.0.1', ['network']],
    ['10.0.0.0/8', ['network']],
    ['::1', ['network']],
    ['2001:DB8::/32', ['network']],
    ['::ffff:10.0.0.0/104', ['network']],
    ['192\\.168\\..*', ['expression']],
    ['10\\.0\\.0\\.\\d+', ['expression']],
    ['10.0.0.\\d+', ['expression']],
    ['10.0.[0-9]+.[0-9]+', ['expression']],
    ['^127.0.0.1$', ['expression']],
    ['(\\d+.){3}\\d+', ['expression']],
    ['(10.0.0.1|10.0.0.2)', ['expression']],
    ['192\\.168.*', ['expression']],
    ['10\\.0.*', ['expression']],
    ['10\\.1\\..*', ['expression']],
    ['10\\.1\\d*\\..*', ['expression']],
    ['.*', ['expression']],
    ['fe80:.*', ['expression']],
    ['0:0:0:0:0:0:0:1|10.0.0.0/8|10\\..*', ['network', 'network', 'expression']],
    ['10\\.(1|2)\\.[|1]', ['expression']],
    ['127\\.\\d+\\.\\d+\\.\\d+|::1|0:0:0:0:0:0:0:1', ['expression', 'network', 'network']],
    ['(10\\.1|10\\.2)\\..*|127.0.0.1', ['expression', 'network']],
    ['10\\.0\\.0\\.[\\d|]', ['expression']],
    ['1[::1]', ['expression']],
    ['[::1]1', ['expression']],
    ['fe80:.*[12]', ['expression']],
  ])('%s is taken for %j', (item, kinds) => {
    expect(parseAddressItem(item).map(({ kind }) => kind)).toEqual(kinds)
  })

  it.each([
    ['10.*', 'may mean a wildcard or an expression; write 10.0.0.0/8, or write \\. for a dot'],
    ['10.1.*', 'write 10.1.0.0/16'],
    ['10.1.2.*', 'write 10.1.2.0/24'],
    ['192.168.*.*', 'write 192.168.0.0/16'],
    ['300.*', 'write a network such as 10.0.0.0/8'],
    ['*.*.*.*', 'wildcard'],
    ['*', 'wildcard'],
    ['fe80:*', 'wildcard'],
    ['fe80:*:1', 'may mean a wildcard'],
    ['fe80:.*:*', 'may mean a wildcard'],
    ['.*.*', 'may mean a wildcard'],
    ['10.*.1', 'write a network such as 10.0.0.0/8'],
    ['1.2.3.10.*', 'write a network such as 10.0.0.0/8'],
    ['(\\d+.){3,4}\\d+', 'a dot that stands'],
    ['(\\d+.){1,3}\\d+', 'a dot that stands'],
    ['1.+', 'goes on behind 1 '],
    ['10.+', 'goes on behind 10 '],
    ['10.1\\d.*', 'a dot that stands for any character; write \\. for a dot'],
    ['2001.db8:.+', 'a dot that stands'],
    ['2001.db8.1.[0-9]+:1', 'a dot that stands'],
    ['10.0.0.1[0-9]?[:]?', 'a dot that stands'],
    ['(10.0.0.1|::1)', 'a dot that stands'],
    ['(10.0.0.1|10)', 'a dot that stands'],
    ['10.0.(0.)?1+', 'a dot that stands'],
    ['10.0.0.1.[0-9]', 'a dot that stands'],
    [
      '10\\.1.*',
      '"10\\.1.*" goes on behind 1 with anything, more digits too; write 1\\..* if that is meant, or 1\\d*\\..* if not',
    ],
    ['10\\.25.+', 'goes on behind 25'],
    ['^1.*$', 'goes on behind 1'],
    ['[::1]', 'is a set of characters as an expression; write ::1 for the address'],
    ['[127.0.0.1]', 'write 127.0.0.1 for the address'],
    ['127.0.0.1,10.0.0.1', 'has a comma; write one item for each address, or | between them'],
    ['', 'is empty; leave it out'],
    ['127.0.0.1|', 'an empty alternative'],
    ['|10\\..*', 'an empty alternative'],
    ['10.0.0.0/33', 'from 0 to 32'],
    ['10.0.0.0/8|10\\..*|10.0.0.1/8', 'is not the beginning of its block'],
    ['10.0.0.0/2?', 'from 0 to 32'],
    ['::ffff:10.0.0.0/8', 'IPv4-mapped'],
    ['fe80::1%eth0', 'has a zone id'],
    ['localhost', 'is not an address'],
    ['127.1', 'is not an address'],
    ['0177.0.0.1', 'is not an address'],
    ['10.0.0.', 'is not an address'],
    ['10.0.0.1 ', 'is not an address'],
    ['127.0.0.1-127.0.0.9', 'is not an address'],
    ['10\\.1\\|', '"|", which is in no address'],
    ['10\\.0\\.0\\.0/8', '"/", which is in no address'],
    ['10\\..*|(?=1)', '"(?=1)" has a group of a kind that is not supported'],
  ])('%j is refused: %s', (item, message) => {
    expect(() => parseAddressItem(item)).toThrow(message)
    expect(() => parseAddressItem(item)).toThrow(TypeError)
  })
})

/** Addresses as programs write them. */
const ipv4 = fc.ipV4()
const ipv6 = fc.ipV6().map((text) => addressText(parseAddress(text)!))

describe('the classifier', () => {
  it('takes every address and every block for a network', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), fc.nat(), (address, number) => {
        const width = address.includes(':') ? 128 : 32
        expect(parseAddressItem(address)).toEqual([{ kind: 'network', text: address }])
        const [only] = itemOrMistake(`${address}/${number % (width + 1)}`)
        expect(only === undefined || only.kind === 'network').toBe(true)
      }),
    )
  })

  it('takes an address with escaped dots for an expression that matches it alone', () => {
    fc.assert(
      fc.property(ipv4, ipv4, (address, other) => {
        const isInList = addressList([address.replaceAll('.', '\\.')])
        expect(isInList(address)).toBe(true)
        expect(isInList(other)).toBe(address === other)
      }),
    )
  })

  it('gives alternatives, or a TypeError whose message is not empty, for any text', () => {
    const item = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0129af.:/\\|()[]{}*+?^$-,d'.split('')), maxLength: 20 }),
    )
    fc.assert(
      fc.property(item, (text) => void itemOrMistake(text)),
      { numRuns: 2000 },
    )
  })

  it('lets a bare dot stand for nothing but a dot', () => {
    const part = fc.constantFrom('\\d+', '\\d*', '[0-9]+', '1', '2\\d', '(?:1|22)', '\\d{1,3}')
    const address = fc.string({ unit: fc.constantFrom('1', '2', '.', ':'), minLength: 2, maxLength: 9 })
    fc.assert(
      fc.property(fc.tuple(part, part, part, part), fc.oneof(ipv4, ipv6, address), (parts, text) => {
        if (parts.every((one) => one === '1')) return
        expect(addressList([parts.join('.')])(text)).toBe(addressList([parts.join('\\.')])(text))
      }),
    )
  })
})

/** What an item is; nothing when it is refused. */
function itemOrMistake(text: string): ReturnType<typeof parseAddressItem> {
  try {
    return parseAddressItem(text)
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).not.toBe('')
    return []
  }
}

describe('a list', () => {
  it.each([
    ['0:0:0:0:0:0:0:1', '::1'],
    ['0:0:0:0:0:0:0:[12]', '::1'],
    ['::[12]', '0:0:0:0:0:0:0:1'],
    ['2001:0db8:(0000:){5}0001', '2001:db8::1'],
    ['2001:db8:.*', '2001:DB8:0::1'],
    ['10\\..*', '::ffff:10.1.2.3'],
    ['10\\..*', '::FFFF:0A01:0203'],
    ['fe80:.*', 'fe80::1%eth0'],
    ['fe80:0:0:0:0:0:0:[12]', 'fe80::1%0'],
    ['10.0.0.0/8|192\\.168\\..*', '10.1.1.1'],
  ])('of %s has %s', (item, address) => expect(addressList([item])(address)).toBe(true))

  it.each([
    ['.*', ''],
    ['.*', 'unknown'],
    ['.*', '10.0.0'],
    ['.*', '127.1'],
    ['.*', '%eth0'],
    ['.*', 'fe80::1%a%b'],
    ['.*', '10.0.0.1:80'],
    ['::1', '::1%lo'],
    ['fe80::/10', 'fe80::1%eth0'],
    ['::ffff:10\\..*', '::ffff:10.1.2.3'],
    ['10\\..*', '110.1.1.1'],
    ['\\d*.\\d*.\\d*.\\d+', '::1:2'],
    ['\\d*.\\d*.\\d*.\\d+', '1::2'],
    ['(\\d*.){3}\\d+', '::1:2'],
    ['10\\..*', '1.10.1.1'],
  ])('of %s does not have %j', (item, address) => expect(addressList([item])(address)).toBe(false))

  it('of nothing has nothing', () => expect(addressList([])('127.0.0.1')).toBe(false))

  it('answers the same when it is asked again and in between', () => {
    const isInList = addressList(['10\\..*', '127.0.0.1'])
    const asked = ['10.0.0.1', '10.0.0.1', '11.0.0.1', '10.0.0.1', '127.0.0.1', '11.0.0.1']
    expect(asked.map(isInList)).toEqual([true, true, false, true, true, false])
  })

  it('knows what is an address, with or without a zone', () => {
    expect(['10.0.0.1', '::1', 'fe80::1%eth0'].every(isAddress)).toBe(true)
    expect(['', 'x', '10.0.0.1%', '10.1', 'fe80::1%a%b'].map(isAddress)).toEqual([false, false, true, false, false])
  })
})

describe('a rule', () => {
  const inner = ['10\\..*']
  const one = ['10\\.0\\.0\\.7']

  it.each([
    [{ allow: inner }, { '10.0.0.1': true, '10.0.0.7': true, '11.0.0.1': false }],
    [{ deny: one }, { '10.0.0.1': true, '10.0.0.7': false, '11.0.0.1': true }],
    [
      { allow: inner, deny: one },
      { '10.0.0.1': true, '10.0.0.7': false, '11.0.0.1': false },
    ],
    [
      { allow: one, deny: inner },
      { '10.0.0.1': false, '10.0.0.7': false, '11.0.0.1': false },
    ],
    [
      { allow: [], deny: one },
      { '10.0.0.1': false, '10.0.0.7': false, '11.0.0.1': false },
    ],
    [{ deny: [] }, { '10.0.0.1': true }],
    [{ allow: [] }, { '10.0.0.1': false }],
    [{}, { '10.0.0.1': false }],
  ])('%j lets pass: %j', (rule, expected) => {
    const mayPass = addressRule(rule)
    expect(Object.fromEntries(Object.keys(expected).map((address) => [address, mayPass(address)]))).toEqual(expected)
  })

  it.each([[{ deny: one }], [{ allow: ['.*'] }], [{ deny: [] }]])('%j refuses what is no address', (rule) => {
    const mayPass = addressRule(rule)
    for (const text of [undefined, '', 'unknown', '10.0.0', '[::1]', '_hidden']) expect(mayPass(text)).toBe(false)
  })

  it('refuses who is denied in any spelling, with any zone', () => {
    const mayPass = addressRule({ deny: ['fe80:0:0:0:0:0:0:1', '::2'] })
    for (const text of ['fe80::1', 'FE80:0::1', '::2', '0:0:0:0:0:0:0:2']) expect(mayPass(text)).toBe(false)
    expect(addressRule({ deny: ['fe80::/10'] })('fe80::1%eth0')).toBe(false)
    const byExpression = addressRule({ deny: ['fe80:0:0:0:0:0:0:[1]'] })
    for (const text of ['fe80::1', 'fe80::1%eth0', 'FE80::1%1']) expect(byExpression(text)).toBe(false)
  })

  it('is evaluated in the order of Tomcat, whatever it has', () => {
    const list = fc.option(fc.subarray(['10\\..*', '10.0.0.0/24', '::1', '11.0.0.1', '1\\d\\..*']), { nil: undefined })
    const address = fc.constantFrom('10.0.0.1', '10.1.0.1', '11.0.0.1', '12.0.0.1', '::1', '::2')
    fc.assert(
      fc.property(list, list, address, (allow, deny, text) => {
        const isIn = (items: readonly string[] | undefined): boolean => items !== undefined && addressList(items)(text)
        const expected = isIn(deny) ? false : isIn(allow) ? true : deny !== undefined && allow === undefined
        expect(addressRule({ allow, deny })(text)).toBe(expected)
      }),
    )
  })
})
