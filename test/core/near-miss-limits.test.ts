import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearest } from '../../lib/core/names.js'

describe('how much may be wrong', () => {
  it.each<[string, string, boolean]>([
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['a_b-C', 'abc', true],
    ['abcd', 'abcx', true],
    ['abcd', 'abxy', false],
    ['abcde', 'abcdx', true],
    ['abcde', 'abcxy', false],
    ['abcdef', 'abcdxy', true],
    ['abcdef', 'abcxyz', false],
    ['abcdefghi', 'abcdefgxy', true],
    ['abcdefghi', 'abcdefxyz', false],
    ['abcdefghij', 'abcdefgxyz', true],
    ['abcdefghij', 'abcdefwxyz', false],
    ['abcd', 'abc', true],
    ['abcd', 'ab', false],
    ['abcd', 'abcde', true],
    ['abcd', 'abcdef', false],
    ['abcd', 'bacd', true],
    ['abcd', 'badc', false],
    ['abcdef', 'badcef', true],
    ['abcdef', 'cbaxef', false],
    ['abcd', 'bcad', false],
    ['abcd', 'abdc', true],
    ['abab', 'baba', false],
    ['\u0130d\u0131', '\u0130d\u0131', true],
    ['\u0131d', 'id', false],
  ])('%j for %j: %s', (name, candidate, isNear) => {
    expect(nearest(name, [candidate])).toBe(isNear ? candidate : undefined)
  })

  it('is the smaller difference, and of two equal ones the first', () => {
    expect(nearest('abcdefgh', ['abcdefxy', 'abcdefgx', 'abcdefgy'])).toBe('abcdefgx')
    expect(nearest('abcdefgh', [])).toBeUndefined()
  })

  it('is the same either way', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 6, maxLength: 9 })
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(nearest(one, [other]) === undefined).toBe(nearest(other, [one]) === undefined)
      }),
    )
  })
})
