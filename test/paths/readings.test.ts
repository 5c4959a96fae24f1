import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldCase, foldedSegments, hasOneReading, readingsFrom } from '../../lib/paths/readings.js'

describe('readingsOf', () => {
  it.each(['/', '/users', '/users/', '/Users/42', '/a.b/..c/.d', '/...', '/users/a:b@c!$&=+,~'])(
    'finds one reading of %s',
    (path) => {
      expect(hasOneReading(path)).toBe(true)
      expect(readingsFrom(path)).toEqual([path])
    },
  )

  it.each([
    ['/%75sers', '/users'],
    ['%2fusers', '//users'],
    ['users', '/users'],
    ['../users', '/users'],
    ['*', '/*'],
    ['/user%73/42', '/users/42'],
    ['/a%2fb', '/a/b'],
    ['//users', '/users'],
    ['/a///users', '/a/users'],
    ['/./users', '/users'],
    ['/apis/../users', '/users'],
    ['/../users', '/users'],
    ['/users/..', '/'],
    ['/users/.', '/users/'],
    ['/apis/%2e%2e/users', '/users'],
    ['/apis/..%2fusers', '/users'],
    ['/apis\\..\\users', '/users'],
    ['/apis/..%5cusers', '/users'],
    ['/users;x=1/42', '/users/42'],
    ['/;/users', '/users'],
    ['/apis/..;/users', '/users'],
    ['/apis/..%3bx/users', '/users'],
    ['/apis//../users', '/users'],
    ['/apis//../users', '/apis/users'],
    ['/%2575sers', '/%75sers'],
    ['/user%C5%BF', '/user\u017f'],
    ['/users%23x', '/users'],
    ['/users%3Fx/42', '/users'],
    ['/apis%3f/../users', '/users'],
    ['/apis/..%23', '/'],
    ['/users#x', '/users'],
  ])('reads %s also as %s', (path, reading) => {
    expect(hasOneReading(path)).toBe(false)
    expect(readingsFrom(path)?.[0]).toBe(path.startsWith('/') ? path : `/${path}`)
    expect(readingsFrom(path)).toContain(reading)
  })

  it('decodes once only', () => {
    expect(readingsFrom('/%2575sers')).not.toContain('/users')
    expect(readingsFrom('/users%2523x')).not.toContain('/users')
  })

  it.each(['/%', '/%2', '/%zz', '/users%ff', '/%u0075sers', '/%c0%ae%c0%ae/users', '/%e0%80%ae', '/%ed%a0%80'])(
    'finds no reading of %s, which cannot be decoded',
    (path) => {
      expect(readingsFrom(path)).toBeUndefined()
    },
  )

  it('finds each reading once', () => {
    const readings = readingsFrom('/a;b//..%2f\\./users')!
    expect(new Set(readings).size).toBe(readings.length)
  })

  const worst = fc
    .array(
      fc.constantFrom(
        '/',
        '//',
        '\\',
        ';',
        ';x=',
        '.',
        '..',
        '/../',
        '%2f',
        '%2e',
        '%5c',
        '%3b',
        '%3f',
        '%23',
        'users',
        '%41',
      ),
      {
        minLength: 1,
        maxLength: 60,
      },
    )
    .map((parts) => `/${parts.join('')}`)

  it('finds at most 64 readings, none longer than the path, whatever stands in it', () => {
    fc.assert(
      fc.property(worst, (path) => {
        const readings = readingsFrom(path)!
        expect(readings.length).toBeLessThanOrEqual(64)
        expect(readings.every((reading) => reading.length <= path.length)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  it.each(['/../', '//', '/;a', '%2f..', '\\..\\', '/.%2e;x//\\', '%3f'])(
    'finds readings of a path of 2048 characters full of %s, and none of a longer one',
    (part) => {
      const path = `/${part.repeat(2047 / part.length)}`
      expect(readingsFrom(path.padEnd(2048, 'x'))).toBeDefined()
      expect(readingsFrom(path.padEnd(2049, 'x'))).toBeUndefined()
    },
  )

  it('agrees with hasOneReading', () => {
    fc.assert(
      fc.property(worst, (path) => {
        expect(hasOneReading(path)).toBe(readingsFrom(path)!.length === 1 && !path.includes('%'))
      }),
    )
  })

  it('resolves dot segments as URL does', () => {
    const dotted = fc
      .array(fc.constantFrom('.', '..', 'a', 'b', '.c', '...', ''), { minLength: 1, maxLength: 12 })
      .map((segments) => `/x/${segments.join('/')}`)
    fc.assert(
      fc.property(dotted, (path) => {
        expect(readingsFrom(path)).toContain(new URL(path, 'http://localhost').pathname)
      }),
    )
  })
})

describe('foldCase', () => {
  it.each([
    ['USERS', 'users'],
    ['uSeRs', 'users'],
    ['user\u017f', 'users'],
    ['to\u212aens', 'tokens'],
    ['\u00c4PFEL', '\u00e4pfel'],
    // No ASCII at all.
    ['\u017f', 's'],
    ['\u212a', 'k'],
    ['', ''],
  ])('folds %s to %s', (text, folded) => {
    expect(foldCase(text)).toBe(folded)
  })
})

describe('foldedSegments', () => {
  it.each([
    ['/Users/42/', ['users', '42', '']],
    ['/', ['']],
    ['//a', ['', 'a']],
    ['users', ['users']],
  ])('of %s are %j', (path, segments) => {
    expect(foldedSegments(path)).toEqual(segments)
  })
})
