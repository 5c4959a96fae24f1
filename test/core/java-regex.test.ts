import { describe, expect, it } from 'vitest'
import { javaRegex } from '../../lib/core/java-regex.js'

describe('an expression that was written for Java', () => {
  it.each<[string, string, boolean]>([
    ['[a-z]+', 'alice', true],
    ['[a-z]+', 'alice1', false],
    ['[a-z]+', '1alice', false],
    ['a|b', 'b', true],
    ['a|b', 'ab', false],
    ['^[\\S]{3,30}$', 'alice', true],
    ['^[\\S]{3,30}$', 'al ice', false],
    ['^[\\S]{3,30}$', 'al', false],
    ['^[\\S]{3,30}$', 'a'.repeat(31), false],
    ['.', '\u{1f600}', true],
    ['..', '\u{1f600}', false],
    ['\\d\\-\\d', '1-2', true],
    ['a\\sb', 'a b', true],
    ['[\\]x]+', ']x', true],
    ['\\[\\s\\]', '[ ]', true],
  ])('%s matches the whole of %j: %s', (pattern, text, matches) => {
    expect(javaRegex(pattern)(text)).toBe(matches)
  })

  it.each([' ', '\t', '\n', '\v', '\f', '\r'])('takes %j for blank, in brackets and outside', (blank) => {
    for (const pattern of ['\\s', '[\\s]', '[x\\s]', '[^\\S]']) expect(javaRegex(pattern)(blank)).toBe(true)
    for (const pattern of ['\\S', '[\\S]', '[^\\s]']) expect(javaRegex(pattern)(blank)).toBe(false)
  })

  it.each(['\u00a0', '\u1680', '\u2003', '\u2028', '\u202f', '\u3000', '\ufeff', 'x'])(
    'takes %j for no blank, in brackets and outside',
    (text) => {
      for (const pattern of ['\\s', '[\\s]']) expect(javaRegex(pattern)(text)).toBe(false)
      for (const pattern of ['\\S', '[\\S]', '[^\\s]']) expect(javaRegex(pattern)(text)).toBe(true)
    },
  )

  it('goes back to the rules outside of brackets behind them', () => {
    expect(javaRegex('[a]\\s[b]\\S')('a bx')).toBe(true)
    expect(javaRegex('[a]\\S')('a\u00a0')).toBe(true)
  })

  it.each(['[', '(', '*', '(?i)a', 'a++'])('%s is refused: JavaScript has nothing like it', (pattern) => {
    expect(() => javaRegex(pattern)).toThrow(SyntaxError)
  })

  it('may have an escape that only Java allows', () => {
    expect(javaRegex('a\\@b')('a@b')).toBe(true)
  })
})
