import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJsonObject } from '../../../lib/tokens/jwt/strict-json.js'

const parse = (text: string): Map<string, unknown> => parseJsonObject(Buffer.from(text))

// Covers: B16
describe('parseJsonObject', () => {
  it.each([
    ['{}', []],
    [' {"a":1}\n', [['a', 1]]],
    [
      '{"a":{"a":1,"a":2},"b":[{"a":1}]}',
      [
        ['a', { a: 2 }],
        ['b', [{ a: 1 }]],
      ],
    ],
    [
      '{"a":"\\":\\"","b:":":{"}',
      [
        ['a', '":"'],
        ['b:', ':{'],
      ],
    ],
    ['{"a\\\\":1}', [['a\\', 1]]],
  ])('reads %s', (text, members) => {
    expect([...parse(text)]).toEqual(members)
  })

  it('reads __proto__ as a name like any other', () => {
    expect(parse('{"__proto__":{"alg":"none"}}').get('alg')).toBeUndefined()
    expect(parse('{"__proto__":1}').get('__proto__')).toBe(1)
  })

  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"b":1},"b":[1],"a":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"1":1,"b":2,"1":3}',
    '[]',
    '[1]',
    'null',
    '1',
    '"a"',
    '',
    ' ',
    '{',
    '{"a":1}}',
    '{"a":1}\u0000',
    "{'a':1}",
    '{"a":NaN}',
    '{"a":1,}',
    '\ufeff{"a":1}',
  ])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow()
  })

  it.each([
    ['a byte that begins nothing', [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]],
    ['an overlong form', [0x7b, 0x22, 0xc0, 0xa2, 0x22, 0x3a, 0x31, 0x7d]],
    ['a surrogate', [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]],
    ['UTF-16', [...Buffer.from('{}', 'utf16le')]],
  ])('refuses bytes with %s', (_, bytes) => {
    expect(() => parseJsonObject(Uint8Array.from(bytes))).toThrow()
  })

  it('reads every object as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (value, isIndented) => {
        const text = JSON.stringify(value, null, isIndented ? 2 : 0)
        expect(Object.fromEntries(parse(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  it('refuses every object in which one name is repeated', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
        fc.nat(),
        fc.jsonValue(),
        (value, pick, twin) => {
          const names = Object.keys(value)
          const name = names[pick % names.length]!
          const text = `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(twin)}}`
          expect(() => parse(text)).toThrow('a name is given twice')
        },
      ),
    )
  })

  it('throws nothing but errors on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(parseJsonObject(bytes)).toBeInstanceOf(Map)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
    )
  })
})
