import type { Request } from 'express'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cookieValues } from '../../lib/portals/cookie.js'
import { loginPath, safeReturnTo } from '../../lib/portals/navigation.js'

const requestAt = (baseUrl: string, originalUrl = ''): Request =>
  ({ baseUrl, originalUrl, method: 'GET', headers: {} }) as unknown as Request

describe('safeReturnTo', () => {
  const pieces = [
    '/',
    '//',
    '\\',
    '..',
    '.',
    '%2e',
    '%5c',
    '%2f',
    ':',
    '@',
    '?',
    '#',
    'publisher',
    'evil.example',
    '\t',
    '\n',
    ' ',
  ]
  const path = fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })))
    .map((parts) => parts.join(''))

  it('gives nothing but pages of the portal, whatever is asked', () => {
    fc.assert(
      fc.property(path, fc.boolean(), (text, isBelow) => {
        const found = safeReturnTo(isBelow ? `/publisher/${text}` : text, requestAt('/publisher'))
        if (found === undefined) return
        const { origin, pathname } = new URL(found, 'https://front.test')
        expect(origin).toBe('https://front.test')
        expect(pathname).toMatch(/^\/publisher(?:\/|$)/i)
        expect(found).toMatch(/^[\x21-\x5b\x5d-\x7e]+$/)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['/publisher/x?q=a%5Cb#c%5cd', '/publisher/x?q=a%5Cb#c%5cd'],
    ['/publisher/x?q=a\\b', '/publisher/x?q=a%5Cb'],
    ['/publisher/%5Cevil.example', undefined],
    ['/publisher\\evil.example?q', undefined],
  ])('reads a backslash of %s as a part of the query alone', (text, expected) => {
    expect(safeReturnTo(text, requestAt('/publisher'))).toBe(expected)
  })

  it('leads to a login page of the same origin from any path', () => {
    fc.assert(
      fc.property(path, path, (mount, asked) => {
        const location = loginPath(requestAt(`/${mount}`.replace(/[?#\s]/g, ''), `/${mount}/${asked}`))
        expect(location).toMatch(/^\/(?![/\\])/)
        expect(new URL(location, 'https://front.test').origin).toBe('https://front.test')
      }),
      { numRuns: 2000 },
    )
  })
})

describe('cookieValues', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/)

  it('finds the cookies of a name, and no others', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(fc.constant('name'), word), word)), (pairs) => {
        const cookie = pairs.map(([name, value]) => `${name}=${value}`).join('; ')
        const expected = pairs.filter(([name]) => name === 'name').map(([, value]) => value)
        expect(cookieValues({ headers: { cookie } } as Request, 'name')).toEqual(expected)
      }),
    )
  })

  it.each([' ', '\t'])('leaves %j out at both ends of names and values', (blank) => {
    const cookie = `a=b;${blank}name${blank}=${blank}one${blank};c=d`
    expect(cookieValues({ headers: { cookie } } as Request, 'name')).toEqual(['one'])
  })

  // To a browser, a name that begins with one of these has no prefix: another host of the domain may set it.
  it.each(['\u00a0', '\u0085', '\u00ad', '\u00c2\u00a0', '\u000b'])('takes %j for a part of them', (character) => {
    const cookie = `${character}name=one; name${character}=two; name=three${character}`
    expect(cookieValues({ headers: { cookie } } as Request, 'name')).toEqual([`three${character}`])
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (cookie) => {
        expect(Array.isArray(cookieValues({ headers: { cookie } } as Request, 'name'))).toBe(true)
      }),
    )
  })
})
