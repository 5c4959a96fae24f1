import { describe, expect, it } from 'vitest'
import { trustListProblem } from '../../lib/internal/trust-list.js'

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
    '0.0.0.0/0',
    '2001:db8::1',
    '2001:db8::/32',
    '::ffff:10.0.0.1',
    '::ffff:10.0.0.0/104',
    '::ffff:0:0/96',
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

  it('may be empty', () => {
    expect(trustListProblem([])).toBeUndefined()
  })
})
