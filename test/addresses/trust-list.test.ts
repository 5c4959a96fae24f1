import { describe, expect, it } from 'vitest'
import { trustListProblem } from '../../lib/addresses/trust-proxy.js'

const count = 'is a count as text: a count has to be a number'
const none = 'is not an address or a network'
const everybody = 'may mean every IPv4 address'

describe('a list of trusted proxies', () => {
  it.each([
    'loopback',
    'linklocal',
    'uniquelocal',
    '10.0.0.1',
    '10.0.0.0/8',
    '10.0.0.0/255.0.0.0',
    '2001:db8::1',
    '2001:db8::/32',
    '::ffff:10.0.0.1',
    '::ffff:10.0.0.0/104',
    '2001::/16',
    '1::/1',
    'fe80::/64',
  ])('may have %s', (entry) => {
    const isWide = entry === '1::/1'
    expect(trustListProblem(['loopback', entry])).toBe(isWide ? `has the entry "1::/1", which ${everybody}` : undefined)
  })

  it.each<[unknown, string]>([
    ['1', count],
    ['12', count],
    ['', none],
    ['1x', none],
    ['x1', none],
    ['Loopback', none],
    ['proxy.example', none],
    ['10.0.0', none],
    [1, 'is not text'],
    [null, 'is not text'],
    [['10.0.0.1'], 'is not text'],
    ['::/0', everybody],
    ['::/80', everybody],
    ['::ffff:0:0/95', everybody],
    ['::1/64', everybody],
  ])('may not have %j, which %s', (entry, problem) => {
    expect(trustListProblem([entry])).toBe(`has the entry ${JSON.stringify(entry)}, which ${problem}`)
    expect(trustListProblem(['10.0.0.1', entry])).toContain(problem)
  })

  it.each([
    [['0.0.0.0/1', '128.0.0.0/1'], 'IPv4'],
    [['0.0.0.0/0'], 'IPv4'],
    [['0.0.0.0/0.0.0.0'], 'IPv4'],
    [['128.0.0.0/128.0.0.0', '0.0.0.0/128.0.0.0'], 'IPv4'],
    [['64.0.0.0/2', '10.0.0.1', '128.0.0.0/1', '0.0.0.0/2'], 'IPv4'],
    [['0.0.0.0/1', '::ffff:128.0.0.0/97'], 'IPv4'],
    [['::ffff:0:0/96'], 'IPv4'],
    // All that is left out is reserved, private or for multicast.
    [
      [
        '1.0.0.0/8',
        '2.0.0.0/7',
        '4.0.0.0/6',
        '8.0.0.0/5',
        '16.0.0.0/4',
        '32.0.0.0/3',
        '64.0.0.0/2',
        '128.0.0.0/2',
        '192.0.0.0/3',
      ],
      'IPv4',
    ],
    [['1::/1', '8000::/1'], 'has the entry'],
    [['2000::/3'], 'IPv6'],
    [['2000::/4', '3000::/4'], 'IPv6'],
    [Array.from({ length: 256 }, (_, octet) => `${octet}.0.0.0/8`), 'IPv4'],
  ])('may not be everybody together: %j', (entries, kind) => {
    const everybody = kind === 'has the entry' ? kind : `has networks that together are every ${kind} address`
    expect(trustListProblem(['loopback', ...entries])).toContain(everybody)
  })

  it.each([
    [['0.0.0.0/1']],
    [['128.0.0.0/1', '10.0.0.0/8']],
    [['::ffff:128.0.0.0/97']],
    [['2001:db8::/32', 'fc00::/7', '2400::/6']],
    [['loopback', 'linklocal', 'uniquelocal']],
    // The addresses of a content delivery network.
    [
      [
        '173.245.48.0/20',
        '103.21.244.0/22',
        '141.101.64.0/18',
        '162.158.0.0/15',
        '104.16.0.0/13',
        '2400:cb00::/32',
        '2a06:98c0::/29',
      ],
    ],
  ])('may be wide without being everybody: %j', (entries) => {
    expect(trustListProblem(entries)).toBeUndefined()
  })

  it('may be empty', () => {
    expect(trustListProblem([])).toBeUndefined()
  })
})
