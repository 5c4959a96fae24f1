import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasSeveralAuthorizations, parseBasic, parseBearer } from '../../lib/http/authorization-header.js'

const basicOf = (text: string | Buffer): string => `Basic ${Buffer.from(text).toString('base64')}`

// Covers: A13
describe('parseBasic', () => {
  it.each([
    ['alice:secret', 'alice', 'secret'],
    ['alice:', 'alice', ''],
    [':secret', '', 'secret'],
    [':', '', ''],
    ['alice:se:cr:et', 'alice', 'se:cr:et'],
    ['Aladdin:open sesame', 'Aladdin', 'open sesame'],
    ['J\u00f6rg:gr\u00fc\u00dfe', 'J\u00f6rg', 'gr\u00fc\u00dfe'],
    ['\ufeffalice:secret', '\ufeffalice', 'secret'],
    [' alice :  ', ' alice ', '  '],
  ])('splits %j at its first colon', (text, name, password) => {
    expect(parseBasic(basicOf(text))).toEqual({ name, password })
  })

  it.each(['basic', 'BASIC', 'bAsIc', 'Basic  ', 'Basic      '])('takes the scheme as %j', (scheme) => {
    expect(parseBasic(`${scheme} YTpi`)).toEqual({ name: 'a', password: 'b' })
  })

  it.each([
    undefined,
    '',
    'Basic',
    'Basic ',
    'BasicYTpi',
    'Basic\tYTpi',
    ' Basic YTpi',
    'Basic YTpi ',
    'Basic YTpi,',
    'Basic YTpi YTpi',
    'Basic YTpi, Basic YTpi',
    'Basic "YTpi"',
    'Basic YTp',
    'Basic YTpi=',
    'Basic YTpi====',
    'Basic =YTpi',
    'Basic YTo',
    'Basic YTp=pi',
    'Basic YTpiYw',
    'Basic YTpiYx==',
    'Basic YTr_',
    'Basic YWI=',
    'Bearer YTpi',
    'Digest YTpi',
    'Basic\nYTpi',
    basicOf('no colon'),
    basicOf('a\0:b'),
    basicOf('a:b\n'),
    basicOf('a\u001b:b'),
    basicOf('a\u007f:b'),
    basicOf('a\u0085:b'),
    basicOf(Buffer.from([0x61, 0x3a, 0xff])),
    basicOf(Buffer.from([0x61, 0x3a, 0xc0, 0xaf])),
    basicOf(Buffer.from([0x61, 0x3a, 0xed, 0xa0, 0x80])),
    basicOf(`a:${'b'.repeat(8192)}`),
  ])('takes nothing from %j', (header) => {
    expect(parseBasic(header)).toBeUndefined()
  })

  it('reads every pair of well-formed texts without control characters as it was written', () => {
    const text = fc.string({ unit: 'binary' }).filter((value) => !/\p{Cc}/u.test(value))
    fc.assert(
      fc.property(
        text.filter((value) => !value.includes(':')),
        text,
        (name, password) => {
          expect(parseBasic(basicOf(`${name}:${password}`))).toEqual({ name, password })
        },
      ),
    )
  })

  it('never throws, and has one spelling only for what it reads', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' })), (text) => {
        const credentials = parseBasic(`Basic ${text}`)
        if (credentials === undefined) return
        expect(basicOf(`${credentials.name}:${credentials.password}`).slice(6)).toBe(text.trimStart())
      }),
    )
  })

  it('takes a header of 8192 characters, and none that is longer', () => {
    const encoded = Buffer.from(`a:${'b'.repeat(6136)}`).toString('base64')
    expect(parseBasic(`Basic${' '.repeat(8192 - 5 - encoded.length)}${encoded}`)?.name).toBe('a')
    expect(parseBasic(`Basic${' '.repeat(8193 - 5 - encoded.length)}${encoded}`)).toBeUndefined()
  })

  it('takes no time for a long header that is nearly right', () => {
    expect(parseBasic(`Basic ${'A'.repeat(8000)}!`)).toBeUndefined()
    expect(parseBasic(`Basic ${' '.repeat(8000)}!`)).toBeUndefined()
  })
})

describe('parseBearer', () => {
  it.each([
    ['Bearer abc.def.ghi', 'abc.def.ghi'],
    ['bearer abc', 'abc'],
    ['BEARER abc', 'abc'],
    ['Bearer   abc', 'abc'],
    ['Bearer a b', 'a b'],
  ])('takes %j', (header, token) => {
    expect(parseBearer(header)).toBe(token)
  })

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer    ',
    'Bearerabc',
    'Bearer\tabc',
    ' Bearer abc',
    'Basic abc',
    'abc',
  ])('takes nothing from %j', (header) => {
    expect(parseBearer(header)).toBeUndefined()
  })

  it('takes nothing from a header of more than 8192 characters', () => {
    expect(parseBearer(`Bearer ${'a'.repeat(8185)}`)).toHaveLength(8185)
    expect(parseBearer(`Bearer ${'a'.repeat(8186)}`)).toBeUndefined()
  })
})

// Covers: C01 C02
describe('hasSeveralAuthorizations', () => {
  function requestWith(...rawHeaders: string[]): IncomingMessage {
    return Object.assign(new IncomingMessage(new Socket()), { rawHeaders })
  }

  it.each([
    [[], false],
    [['Authorization', 'a'], false],
    [['Authorization', 'a', 'Authorization', 'a'], true],
    [['authorization', 'a', 'Host', 'h', 'AUTHORIZATION', 'b'], true],
    [['Authorization', 'Authorization'], false],
    [['Host', 'authorization', 'authorization', 'a'], false],
    [['Authorization', '', 'Authorization', ''], true],
    [['Proxy-Authorization', 'a', 'Authorization', 'b'], false],
    // As long as the name that is looked for.
    [['Authorization', 'a', 'Cache-Control', 'b'], false],
    [['Cache-Control', 'authorization', 'Cache-Control', 'authorization'], false],
    [['Cache-Control', 'a', 'Authorization', 'b', 'aUTHORIZATION', 'b'], true],
  ])('of %j is %j', (rawHeaders, expected) => {
    expect(hasSeveralAuthorizations(requestWith(...rawHeaders))).toBe(expected)
  })
})
