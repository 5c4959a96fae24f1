import { describe, expect, it } from 'vitest'
import { edgeAddress, parseNetwork } from '../../lib/addresses/network.js'

describe('parseNetwork', () => {
  it.each([
    ['10.0.0.7', { base: [0x0a000007], length: 32 }],
    ['10.0.0.0/8', { base: [0x0a000000], length: 8 }],
    ['10.0.0.7/32', { base: [0x0a000007], length: 32 }],
    ['0.0.0.0/0', { base: [0], length: 0 }],
    ['::/0', { base: [0, 0, 0, 0], length: 0 }],
    ['::1', { base: [0, 0, 0, 1], length: 128 }],
    ['2001:DB8::/32', { base: [0x20010db8, 0, 0, 0], length: 32 }],
    ['::ffff:10.0.0.7', { base: [0x0a000007], length: 32 }],
    ['::ffff:10.0.0.0/104', { base: [0x0a000000], length: 8 }],
    ['::ffff:0:0/96', { base: [0], length: 0 }],
  ])('reads %s', (text, network) => {
    expect(parseNetwork(text)).toEqual(network)
  })

  it.each([
    ['*', 'is a pattern, and this list takes only addresses and CIDR blocks; write it like 10.0.0.7'],
    ['10\\.0\\..*', 'is a pattern'],
    ['', 'is not an address'],
    ['localhost', 'is not an address'],
    ['127.1', 'is not an address'],
    ['010.0.0.0/8', 'is not an address'],
    ['10.0.0.0 /8', 'is not an address'],
    [' 10.0.0.0/8', 'is not an address'],
    ['10.0.0.1-10.0.0.9', 'is not an address'],
    ['[::1]', 'is not an address'],
    ['10.0.0.0/', 'needs a whole number from 0 to 32'],
    ['10.0.0.0/33', 'needs a whole number from 0 to 32'],
    ['10.0.0.0/08', 'needs a whole number from 0 to 32'],
    ['10.0.0.0/+8', 'needs a whole number from 0 to 32'],
    ['10.0.0.0/8.0', 'needs a whole number from 0 to 32'],
    ['10.0.0.0/8/8', 'needs a whole number from 0 to 32'],
    ['10.0.0.0/255.0.0.0', 'needs a whole number from 0 to 32'],
    ['::/129', 'needs a whole number from 0 to 128'],
    ['10.0.0.77/24', 'write 10.0.0.0/24 for the block or 10.0.0.77 for the one address'],
    ['2001:db8::1/32', 'write 2001:db8::/32 for the block or 2001:db8::1 for the one address'],
    ['::ffff:10.0.0.77/120', 'write 10.0.0.0/24 for the block or 10.0.0.77 for the one address'],
    ['10.0.0.0/0', 'is every address, whatever stands before /0; write 0.0.0.0/0 if that is meant'],
    ['2001:db8::/0', 'write ::/0 if that is meant'],
    ['::ffff:10.0.0.0/96', 'write 0.0.0.0/0 if that is meant'],
    ['::ffff:10.0.0.0/8', 'write 10.0.0.0/8 for the IPv4 block'],
    ['::ffff:10.0.0.0/95', 'needs 96 bits or more'],
    ['fe80::1%eth0', 'has a zone id, which has no meaning for other hosts; write fe80::1'],
    ['fe80::%2/10', 'has a zone id'],
  ])('refuses %j: %s', (text, reason) => {
    expect(() => parseNetwork(text)).toThrow(TypeError)
    expect(() => parseNetwork(text)).toThrow(reason)
  })

  it.each([
    [
      '::ffff:10.0.0.0/32',
      '"::ffff:10.0.0.0/32" is a block of IPv4-mapped addresses, which needs 96 bits or more; write 10.0.0.0/32 for the IPv4 block',
    ],
    ['::ffff:10.0.0.0/33', '"::ffff:10.0.0.0/33" is a block of IPv4-mapped addresses, which needs 96 bits or more'],
    ['fe80::1%eth0', '"fe80::1%eth0" has a zone id, which has no meaning for other hosts; write fe80::1'],
    [
      'localhost%eth0',
      '"localhost%eth0" is not an address or a CIDR block; write it like 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32',
    ],
  ])('says of %j no more than what helps', (text, message) => {
    expect(() => parseNetwork(text)).toThrow(new TypeError(message))
  })

  it('shows control characters escaped', () => {
    expect(() => parseNetwork('10.0.0.1\n')).toThrow('"10.0.0.1\\n"')
  })
})

describe('edgeOf', () => {
  it.each([
    [[0x0a0b0c0d], 8, [0x0a000000], [0x0affffff]],
    [[0x0a0b0c0d], 32, [0x0a0b0c0d], [0x0a0b0c0d]],
    [[0x0a0b0c0d], 0, [0], [0xffffffff]],
    [[0xffffffff], 1, [0x80000000], [0xffffffff]],
    [[1, 2, 3, 4], 64, [1, 2, 0, 0], [1, 2, 0xffffffff, 0xffffffff]],
    [
      [0xffffffff, 0xffffffff, 5, 6],
      33,
      [0xffffffff, 0x80000000, 0, 0],
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    ],
  ])('finds the edges of %j/%i', (address, length, first, last) => {
    expect(edgeAddress(address, length, 'first')).toEqual(first)
    expect(edgeAddress(address, length, 'last')).toEqual(last)
  })
})
