/** Texts that go into a directory's names, filters and passwords. */

import fc from 'fast-check'
import { AndFilter, EqualityFilter, FilterParser } from 'ldapts'
import { describe, expect, it } from 'vitest'
import { passwordModifyValue, unicodePwdValue, userPasswordValue } from '../../../lib/users/ldap/directory-writer.js'
import { escapeDnValue, firstValue, isWithin, nameKey, parseName } from '../../../lib/users/ldap/distinguished-name.js'
import type { DirectoryEntry } from '../../../lib/users/ldap/ldap-connection.js'
import {
  comparingWith,
  escapeFilterValue,
  readFilter,
  readFilterTemplate,
} from '../../../lib/users/ldap/ldap-filter.js'

const anyText = fc.string({ unit: 'grapheme', minLength: 1 })
const special = fc.string({ unit: fc.constantFrom(...'*()\\\0/,+"<>;=# a&|!?'), minLength: 1 })

describe('a value in a filter', () => {
  it.each([
    ['*', '\\2a'],
    ['(', '\\28'],
    [')', '\\29'],
    ['\\', '\\5c'],
    ['\0', '\\00'],
    ['\u00e9', '\u00e9'],
    ['a&b|c', 'a&b|c'],
  ])('writes %j as %s', (value, written) => {
    expect(escapeFilterValue(value)).toBe(written)
  })

  it('is one comparison with exactly that value, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, special), (value) => {
        const filter = FilterParser.parseString(`(&(objectClass=person)(uid=${escapeFilterValue(value)}))`) as AndFilter
        expect(filter).toBeInstanceOf(AndFilter)
        expect(filter.filters).toHaveLength(2)
        const [, comparison] = filter.filters as [unknown, EqualityFilter]
        expect(comparison).toBeInstanceOf(EqualityFilter)
        expect([comparison.attribute, comparison.value]).toEqual(['uid', value])
      }),
    )
  })
})

describe('a value in a distinguished name', () => {
  it.each([
    [' a', '\\20a'],
    ['a ', 'a\\20'],
    [' ', '\\20'],
    ['a b', 'a b'],
    ['#a', '\\23a'],
    ['a,b', 'a\\2cb'],
    ['a+b=c', 'a\\2bb\\3dc'],
    ['"<>;\\', '\\22\\3c\\3e\\3b\\5c'],
    ['\0', '\\00'],
    ['a/b', 'a/b'],
  ])('writes %j as %s', (value, written) => {
    expect(escapeDnValue(value)).toBe(written)
  })

  it('is read as exactly that value, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, special), (value) => {
        const dn = `uid=${escapeDnValue(value)},ou=People`
        expect(parseName(dn)).toEqual([
          { type: 'uid', value },
          { type: 'ou', value: 'People' },
        ])
      }),
    )
  })
})

describe('a distinguished name', () => {
  it.each([
    ['cn=a,ou=G,dc=x', 'ou=g, DC=X', true],
    ['ou=G,dc=x', 'ou=G,dc=x', true],
    ['cn=a,ou=GG,dc=x', 'ou=G,dc=x', false],
    ['cn=a\\,ou=G,dc=x', 'ou=G,dc=x', false],
    ['cn=a\\\\,ou=G,dc=x', 'ou=G,dc=x', true],
    ['dc=x', 'ou=G,dc=x', false],
    ['no name', 'no name', false],
    ['cn=a+sn=b,dc=x', 'dc=x', false],
    ['cn=#04,dc=x', 'dc=x', false],
  ])('%s is within %s: %j', (dn, base, isInside) => {
    expect(isWithin(dn, base)).toBe(isInside)
  })

  it('is the same in another spelling', () => {
    expect(nameKey('CN=A\\2Cb,DC=x')).toBe(nameKey('cn=a\\,b, dc=X'))
    expect(nameKey('cn=a,dc=x')).not.toBe(nameKey('dc=x'))
    expect(nameKey('no name')).not.toBe(nameKey('another'))
  })

  it('tells its first value when that is of the type', () => {
    expect(firstValue('CN=Jos\\C3\\A9 \\,x,dc=x', 'cn')).toBe('Jos\u00e9 ,x')
    expect(firstValue('uid=a,dc=x', 'cn')).toBeUndefined()
    expect(firstValue('=', 'cn')).toBeUndefined()
  })
})

describe('a filter of the configuration', () => {
  const holding = (attribute: string, ...values: string[]): DirectoryEntry => ({
    dn: '',
    values: (name) => (name === attribute ? values : []),
    nextValue: () => undefined,
  })
  const lower = (text: string): string => text.toLowerCase()

  it.each([
    ['(&amp;(a=b)(c&lt;=d)(e&gt;=f))', '(&(a=b)(c<=d)(e>=f))'],
    ['  (&\n  (a=b)\n  (|(c=d e) (f=g))\n) ', '(&(a=b)(|(c=d e)(f=g)))'],
    ['a=b', '(a=b)'],
  ])('%j is read as %s', (text, filter) => {
    expect(readFilter(text)).toBe(filter)
  })

  it.each(['', '(', '(&(a=b)', '(a=b))', '()', '(a)'])('%j is none', (text) => {
    expect(() => readFilter(text)).toThrow()
  })

  it.each(['(uid=x)', '(objectClass=*)', '?'])('%j has no place for a name', (text) => {
    expect(() => readFilterTemplate(text)).toThrow()
  })

  it('puts the name in every place', () => {
    expect(readFilterTemplate('(|(uid=?)(mail=?@x))').filterFor('$&*')).toBe('(|(uid=$&\\2a)(mail=$&\\2a@x))')
  })

  it('knows the name in the values around it', () => {
    const template = readFilterTemplate('(|(uid=?)(mail=?@*.org)(cn:caseIgnoreMatch:=?))')
    expect(template.attributes).toEqual(['uid', 'mail', 'cn'])
    expect(template.hasName(holding('uid', 'x', 'Al'), 'al', lower)).toBe(true)
    expect(template.hasName(holding('mail', 'al@example.org'), 'AL', lower)).toBe(true)
    expect(template.hasName(holding('mail', 'al@example.com'), 'al', lower)).toBe(false)
    expect(template.hasName(holding('uid', 'all'), 'al', lower)).toBe(false)
    expect(template.hasName(holding('uid', 'all'), 'al.', lower)).toBe(false)
    expect(template.hasName(holding('sn', 'al'), 'al', lower)).toBe(false)
  })

  describe('leaves the text beside the name to the matching rule of the attribute', () => {
    const exact = (text: string): string => text

    it.each([
      ['(cn=OP-?)', 'OP-Al', 'Al', true],
      ['(cn=OP-?)', 'op-Al', 'Al', true],
      ['(cn=OP-?)', 'OP-al', 'Al', false],
      ['(cn=\u00dcber ? x)', '\u00fcber Al X', 'Al', true],
      ['(cn=?@EXAMPLE.*)', 'Al@example.org', 'Al', true],
      ['(cn=?@EXAMPLE.*)', 'Al@exampleXorg', 'Al', false],
      ['(cn=a\\2a\\28B\\29 ?)', 'A*(b) Al', 'Al', true],
      ['(cn=a\\2a\\28B\\29 ?)', 'Axx(b) Al', 'Al', false],
      ['(cn=Jos\\c3\\a9 ?)', 'JOS\u00c9 Al', 'Al', true],
      ['(cn:caseExactMatch:=OP-?)', 'OP-Al', 'Al', true],
    ])('%s and %j have the name %j: %j', (filter, value, name, isThere) => {
      expect(readFilterTemplate(filter).hasName(holding('cn', value), name, exact)).toBe(isThere)
      expect(readFilterTemplate(filter).hasName(holding('cn', value), name.toUpperCase(), lower)).toBe(
        isThere || value === 'OP-al',
      )
    })
  })

  it('can compare with another attribute, and keeps the matching rule of the same', () => {
    expect(comparingWith('(&(a=b)(|(uid=?)(mail=?@x)))', 'cn')).toBe('(&(a=b)(|(cn=?)(cn=?)))')
    const exact = '(|(UID:caseExactMatch:=?)(mail:caseExactIA5Match:=?))'
    expect(comparingWith(exact, 'uid')).toBe('(|(uid:caseExactMatch:=?)(uid=?))')
  })
})

describe('a password', () => {
  it.each([
    ['PLAIN_TEXT', 'secret'],
    ['SHA', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='],
    ['MD5', '{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ=='],
  ] as const)('is written by %s as %s', (method, written) => {
    expect(userPasswordValue('secret', method)).toBe(written)
  })

  it('is written for Active Directory in quotation marks and UTF-16', () => {
    expect(unicodePwdValue('a\u00e9').toString('hex')).toBe('22006100e9002200')
  })

  it('is written for a password modify operation behind the name', () => {
    expect(passwordModifyValue('cn=a', 'pw').toString('latin1')).toBe('\x30\x0a\x80\x04cn=a\x82\x02pw')
  })
})
