import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { javaRegex } from '../../../lib/core/java-regex.js'
import { likePattern, matchesPattern, readRoleName, withoutDomain } from '../../../lib/users/names.js'

describe('a pattern of names', () => {
  it.each([
    ['', '', true],
    ['', '*', true],
    ['a', '', false],
    ['alice', 'a*e', true],
    ['alice', 'a*d', false],
    ['alice', '?lice', true],
    ['alice', '??', false],
    ['\u{1f600}', '?', true],
    ['aXbXc', 'a*b*c', true],
    ['mississippi', '*iss*ip*', true],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
  ])('%j and %j: %s', (name, pattern, expected) => {
    expect(matchesPattern(name, pattern)).toBe(expected)
  })

  it('matches as the same pattern does as a regular expression', () => {
    const letters = fc.constantFrom('a', 'b', '*', '?')
    const pattern = fc.array(letters, { maxLength: 8 }).map((each) => each.join(''))
    const name = fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 }).map((each) => each.join(''))
    fc.assert(
      fc.property(name, pattern, (text, glob) => {
        const expression = new RegExp(`^${glob.replaceAll('?', '.').replace(/\*+/g, '.*')}$`)
        expect(matchesPattern(text, glob)).toBe(expression.test(text))
      }),
    )
  })

  it('takes no time that grows with its stars', () => {
    expect(matchesPattern('a'.repeat(250), `${'a*'.repeat(120)}b`)).toBe(false)
  })

  it.each([
    ['*', '%'],
    ['a**b', 'a%b'],
    ['?', '_'],
    ['100%_!', '100!%!_!!'],
  ])('%j is %j for LIKE', (pattern, like) => {
    expect(likePattern(pattern)).toBe(like)
  })
})

describe('a domain', () => {
  it.each([
    ['PRIMARY/alice', 'alice'],
    ['primary/alice', 'alice'],
    ['alice', 'alice'],
    ['OTHER/alice', 'OTHER/alice'],
    ['PRIMARY/', ''],
    ['PRIMARYalice', 'PRIMARYalice'],
  ])('is taken off %j', (name, local) => {
    expect(withoutDomain(name, 'PRIMARY')).toBe(local)
  })
})

describe('a role', () => {
  it.each([
    ['admin', 'admin', 'admin', false],
    ['Internal/ops', 'Internal/ops', 'ops', true],
    ['INTERNAL/ops', 'Internal/ops', 'ops', true],
    ['Application/shop', 'Application/shop', 'Application/shop', true],
    ['workflow/x', 'Workflow/x', 'Workflow/x', true],
    ['Internals/x', 'Internals/x', 'Internals/x', false],
  ])('%s is read', (text, full, stored, isInternal) => {
    expect(readRoleName(text)).toEqual({ full, stored, isInternal })
  })
})

describe('a regular expression of Java', () => {
  it.each([
    ['^[\\S]{3,30}$', 'alice', true],
    ['^[\\S]{3,30}$', 'al', false],
    ['^[\\S]{3,30}$', 'ali ce', false],
    ['^[\\S]{3,30}$', 'ali\u00a0ce', true],
    ['\\S{3,5}', 'ali\u3000e', true],
    ['\\s+', ' \t\n', true],
    ['[\\s]+', '\u00a0', false],
    ['^[\\S]{3,30}$', '\u{1f600}\u{1f600}\u{1f600}', true],
    ['^[\\S]{3,30}$', '\u{1f600}\u{1f600}', false],
    ['[a-zA-Z0-9._\\-|//]{3,30}$', 'a-b/c|d', true],
    ['[a-zA-Z0-9._\\-|//]{3,30}$', 'alice!', false],
    ['a|b', 'a', true],
    ['a|b', 'ab', false],
    ['\\@x', '@x', true],
    ['\\[\\S', '[a', true],
  ])('%j matches %j: %s', (pattern, text, expected) => {
    expect(javaRegex(pattern)(text)).toBe(expected)
  })

  it.each(['(', '[', '(?i)abc', 'a++'])('%j is refused', (pattern) => {
    expect(() => javaRegex(pattern)).toThrow(SyntaxError)
  })
})
