import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressKey,
  addressSpellings,
  addressText,
  isMapped,
  parseAddress,
  parseAddressAsSpelled,
} from '../../lib/addresses/ip-address.js'

const ipv6 = fc.ipV6().filter((text) => isIP(text) === 6)

// Covers: F01 F06
describe('parseAddress', () => {
  it.each([
    ['0.0.0.0', [0]],
    ['10.0.0.7', [0x0a000007]],
    ['127.0.0.1', [0x7f000001]],
    ['255.255.255.255', [0xffffffff]],
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['1::', [0x10000, 0, 0, 0]],
    ['2001:db8::1', [0x20010db8, 0, 0, 1]],
    ['2001:DB8:0:0:0:0:0:01', [0x20010db8, 0, 0, 1]],
    ['1:2:3:4:5:6:7:8', [0x10002, 0x30004, 0x50006, 0x70008]],
    ['1:2:3:4:5:6:7::', [0x10002, 0x30004, 0x50006, 0x70000]],
    ['::2:3:4:5:6:7:8', [2, 0x30004, 0x50006, 0x70008]],
    ['1:2::7:8', [0x10002, 0, 0, 0x70008]],
    ['64:ff9b::192.0.2.33', [0x64ff9b, 0, 0, 0xc0000221]],
    ['1:2:3:4:5:6:192.0.2.33', [0x10002, 0x30004, 0x50006, 0xc0000221]],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]],
    // The longest text of all.
    ['0000:0000:0000:0000:0000:ffff:255.255.255.255', [0xffffffff]],
    // IPv4-compatible addresses are deprecated (RFC 4291 section 2.5.5.1) and stay IPv6.
    ['::127.0.0.1', [0, 0, 0, 0x7f000001]],
  ])('reads %s', (text, words) => {
    expect(parseAddress(text)).toEqual(words)
  })

  it.each(['::ffff:10.0.0.7', '::FFFF:10.0.0.7', '::ffff:a00:7', '0:0:0:0:0:ffff:0a00:0007'])(
    'reads the IPv4-mapped %s as 10.0.0.7',
    (text) => {
      expect(parseAddress(text)).toEqual([0x0a000007])
      expect(parseAddressAsSpelled(text)).toEqual([0, 0, 0xffff, 0x0a000007])
    },
  )

  it.each([
    '',
    ' ',
    'localhost',
    '127.1',
    '127.0.0',
    '127.0.0.1.1',
    '127.0.0.',
    '.127.0.0.1',
    '127..0.1',
    '127.0.0.01',
    '0177.0.0.1',
    '00.0.0.0',
    '0x7f.0.0.1',
    '2130706433',
    '1e0.0.0.1',
    '256.0.0.1',
    '127.0.0.256',
    '1270.0.0.1',
    '127.0.0.+1',
    '127.0.0.-1',
    '127.0.0.1 ',
    ' 127.0.0.1',
    '127.0.0.1\n',
    '127.0.0.1\0',
    '127.0.0.1/8',
    '127.0.0.1:80',
    '\uff11\uff12\uff17.0.0.1',
    '127\u30020\u30020\u30021',
    ':',
    ':::',
    ':1',
    '1:',
    '::1:',
    ':1::',
    '1::2::3',
    '::12345',
    '::g',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:127.0.0.1',
    '::1:2:3:4:5:6:7:127.0.0.1',
    '1::2:3:4:5:6:7:127.0.0.1',
    '1::2:3:4:5:6:7:8:9',
    '::1:2:3:4:5:6:7:8:9',
    '::127.0.0.1:1',
    '::ffff:0177.0.0.1',
    '::ffff:256.0.0.1',
    '::ffff:127.1',
    '::.0.0.1',
    '[::1]',
    'fe80::1%eth0',
    'fe80::1%2',
    'fe80::1%',
    `::${'0'.repeat(100)}1`,
  ])('does not take %j for an address', (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })

  it('agrees with net.isIP on every text', () => {
    const nearAddress = fc
      .array(
        fc.constantFrom('0', '1', '25', '255', '256', '01', 'ffff', 'A', '.', '.', ':', ':', '::', '/', 'g', ' '),
        {
          maxLength: 17,
        },
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(nearAddress, fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
        fc.pre(!text.includes('%'))
        const address = parseAddressAsSpelled(text)
        expect(address === undefined ? 0 : address.length === 1 ? 4 : 6).toBe(isIP(text))
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('addressText', () => {
  it.each([
    ['10.0.0.7', '10.0.0.7'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:0:0:2:0001', '2001:db8::2:1'],
    // One zero group is not shortened (RFC 5952 section 4.2.2).
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    // The longest run is shortened (RFC 5952 section 4.2.3).
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ])('writes %s as %s', (text, canonical) => {
    expect(addressText(parseAddress(text)!)).toBe(canonical)
  })

  it('writes what is read as the same address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), ipv6), (text) => {
        const address = parseAddress(text)!
        expect(parseAddress(addressText(address))).toEqual(address)
        for (const spelling of addressSpellings(address)) expect(parseAddress(spelling)).toEqual(address)
      }),
    )
  })
})

describe('addressSpellings', () => {
  it('gives IPv6 compressed, in full and padded', () => {
    expect(addressSpellings([0, 0, 0, 1])).toEqual([
      '::1',
      '0:0:0:0:0:0:0:1',
      '0000:0000:0000:0000:0000:0000:0000:0001',
    ])
  })

  it('gives IPv4 once', () => {
    expect(addressSpellings([0x7f000001])).toEqual(['127.0.0.1'])
  })
})

describe('isMapped', () => {
  it.each([
    ['::ffff:0:0', true],
    ['::ffff:1.2.3.4', true],
    ['::fffe:1.2.3.4', false],
    ['1::ffff:1.2.3.4', false],
    ['::1.2.3.4', false],
    ['1.2.3.4', false],
  ])('of %s is %s', (text, expected) => {
    expect(isMapped(parseAddressAsSpelled(text)!)).toBe(expected)
  })
})

describe('addressKey', () => {
  it.each([
    ['10.0.0.7', '10.0.0.7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['::ffff:a00:7', '10.0.0.7'],
    ['2001:db8::1', '2001:db8::/64'],
    ['2001:0DB8:0000:0000:ffff:ffff:ffff:ffff', '2001:db8::/64'],
    ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
  ])('of %s is %s', (text, key) => {
    expect(addressKey(text)).toBe(key)
  })

  it.each(['', 'unknown', 'fe80::1%eth0', '127.1', '_hidden'])('of %j is undefined', (text) => {
    expect(addressKey(text)).toBeUndefined()
  })

  it('is one key for a client that walks through its /64 network', () => {
    const keys = Array.from({ length: 100 }, (_, index) => addressKey(`2001:db8:1:2:${index.toString(16)}::${index}`))
    expect(new Set(keys).size).toBe(1)
  })

  it('is another key for each IPv4-mapped client', () => {
    const keys = Array.from({ length: 100 }, (_, index) => addressKey(`::ffff:10.0.0.${index}`))
    expect(new Set(keys).size).toBe(100)
  })
})
