import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressText } from '../../lib/addresses/ip-address.js'
import { edgeAddress } from '../../lib/addresses/network.js'
import { networkSet } from '../../lib/addresses/network-set.js'
import { ConfigError } from '../../lib/core/errors.js'

function errorOf(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}

describe('networkSet', () => {
  it.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '9.255.255.255', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/31', '10.0.0.1', true],
    ['10.0.0.0/31', '10.0.0.2', false],
    ['240.0.0.0/4', '255.255.255.255', true],
    ['128.0.0.0/1', '127.255.255.255', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '::ffff:203.0.113.9', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.9', false],
    ['::/0', '::ffff:203.0.113.9', false],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['2001:db8::/33', '2001:db8:7fff::', true],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['2001:db8::/64', '2001:db8::ffff:0:0:1', true],
    ['2001:db8::/64', '2001:db8:0:1::', false],
    ['fe80::/10', 'fe80::1%eth0', false],
    ['::/0', 'not an address', false],
    ['::/0', '', false],
  ])('of %s holds %s: %s', (network, address, expected) => {
    expect(networkSet([network])(address)).toBe(expected)
  })

  it('holds nothing when the list is empty', () => {
    const isInSet = networkSet([])
    expect(['10.0.0.1', '::1', ''].map(isInSet)).toEqual([false, false, false])
  })

  it('finds an address behind a block that is nested in a larger one', () => {
    const isInSet = networkSet(['10.0.0.0/24', '10.0.0.0/8', '10.1.0.0/16', '2001:db8::/64', '2001:db8::/32'])
    expect(isInSet('10.200.0.1')).toBe(true)
    expect(isInSet('2001:db8:ffff::')).toBe(true)
    expect(isInSet('11.0.0.0')).toBe(false)
  })

  it('finds an address behind a nested block that is not the first', () => {
    const isInSet = networkSet([
      '2001:db8::/32',
      '2001:db9::/32',
      '2001:db9::/64',
      '10.0.0.0/8',
      '11.0.0.0/8',
      '11.0.0.0/24',
    ])
    expect(['2001:db9:ffff::', '2001:db9::1', '2001:db8:ffff::', '11.200.0.1'].map(isInSet)).toEqual(
      Array(4).fill(true),
    )
    expect(['2001:dba::', '2001:db7::', '12.0.0.1'].map(isInSet)).toEqual(Array(3).fill(false))
  })

  it('does not hold a client without an address, as the first or later', () => {
    const isInSet = networkSet(['0.0.0.0/0', '::/0', /.*/]) as (address: string | undefined) => boolean
    expect(isInSet(undefined)).toBe(false)
    expect(isInSet('10.0.0.1')).toBe(true)
  })

  it('gives the answer of each address when they alternate', () => {
    const isInSet = networkSet(['10.0.0.1'])
    expect(['10.0.0.1', '10.0.0.2', '10.0.0.1', '10.0.0.1', '10.0.0.2'].map(isInSet)).toEqual([
      true,
      false,
      true,
      true,
      false,
    ])
  })

  it('finds the first and the last address of each of 100 000 networks, and none beside them', () => {
    const networks = Array.from(
      { length: 100_000 },
      (_, index) => `10.${index >> 9}.${(index >> 1) & 255}.${(index & 1) * 128}/26`,
    )
    const isInSet = networkSet(networks)
    for (let index = 0; index < 100_000; index += 997) {
      const beginning = `10.${index >> 9}.${(index >> 1) & 255}`
      const start = (index & 1) * 128
      expect(isInSet(`${beginning}.${start}`)).toBe(true)
      expect(isInSet(`${beginning}.${start + 63}`)).toBe(true)
      expect(isInSet(`${beginning}.${start + 64}`)).toBe(false)
      expect(isInSet(`${beginning}.${start + 127}`)).toBe(false)
    }
  })

  it('agrees with comparing the first bits of each network in turn', () => {
    const ipv4 = fc.record({
      address: fc.nat(0xffff).map((low) => [0x0a000000 + low]),
      length: fc.integer({ min: 14, max: 32 }),
    })
    const ipv6 = fc.record({
      address: fc.nat(0xffff).map((low) => [0x20010db8, 0, low * 0x10000, low]),
      length: fc.integer({ min: 0, max: 128 }),
    })
    fc.assert(
      fc.property(
        fc.array(fc.oneof(ipv4, ipv6), { maxLength: 30 }),
        fc.array(fc.oneof(ipv4, ipv6)),
        (rules, callers) => {
          const isInSet = networkSet(
            rules.map(({ address, length }) => `${addressText(edgeAddress(address, length, 'first'))}/${length}`),
          )
          for (const { address } of callers) {
            const expected = rules.some(
              (rule) =>
                rule.address.length === address.length &&
                addressText(edgeAddress(rule.address, rule.length, 'first')) ===
                  addressText(edgeAddress(address, rule.length, 'first')),
            )
            expect(isInSet(addressText(address))).toBe(expected)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a pattern in a networkSet', () => {
  it.each([
    [/10\.0\.0\.\d+/, '10.0.0.7', true],
    [/10\.0\.0\.\d+/, '110.0.0.7', false],
    [/10\.0\.0\.\d/, '10.0.0.77', false],
    [/10\.0\.0\.1|10\.0\.0\.2/, '10.0.0.22', false],
    [/^10\.0\.0\.1$/, '10.0.0.1', true],
    [/10\.0\.0\.1$/m, '10.0.0.1', true],
    [/10\.0\.0\.\d+/, '::ffff:10.0.0.7', true],
    [/.*/, 'unknown', false],
    [/2001:db8::.*/, '2001:DB8:0:0:0:0:0:1', true],
    [/2001:DB8::.*/i, '2001:db8::1', true],
    [/0:0:0:0:0:0:0:1/, '::1', true],
    [/(?:0000:){7}0001/, '::1', true],
    [/::1/, '::11', false],
  ])('%s matches %s: %s', (pattern, address, expected) => {
    expect(networkSet([pattern])(address)).toBe(expected)
  })

  it('is one of several, of which one has to match', () => {
    const isInSet = networkSet([/10\.0\.0\.\d+/, /172\.16\..*/, '192.168.0.0/16'])
    expect(['10.0.0.7', '172.16.0.1', '192.168.1.1', '11.0.0.1'].map(isInSet)).toEqual([true, true, true, false])
  })

  it.each(['g', 'y', 'gy'])('with the flag %s gives the same answer each time', (flags) => {
    const isInSet = networkSet([new RegExp('10\\.0\\.0\\.\\d', flags)])
    expect(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map(isInSet)).toEqual([true, true, true, true])
  })
})

// Covers: F02
describe('networkSet, given a malformed list', () => {
  it('names every malformed entry', () => {
    // biome-ignore lint/suspicious/noSparseArray: a hole is one of the mistakes
    const networks = ['10.0.0.0/8', 'bogus', 127, null, {}, /ok/, , '10.0.0.1/8'] as unknown as string[]
    const error = errorOf(() => networkSet(networks))
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).code).toBe('ERR_CONFIG_INVALID')
    expect((error as ConfigError).problems.map(({ key, rule }) => `${key} ${rule}`)).toEqual([
      expect.stringMatching(/^networks\[1\] "bogus" is not an address/),
      'networks[2] must be text or a regular expression, got number',
      'networks[3] must be text or a regular expression, got null',
      'networks[4] must be text or a regular expression, got object',
      'networks[6] must be text or a regular expression, got undefined',
      expect.stringMatching(/^networks\[7\] .*write 10\.0\.0\.0\/8 for the block/),
    ])
  })

  it.each([undefined, null, '10.0.0.0/8', { length: 0 }])('refuses %j as the list', (networks) => {
    const error = errorOf(() => networkSet(networks as unknown as string[]))
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).problems).toEqual([{ key: 'networks', rule: 'must be a list of networks' }])
  })
})
