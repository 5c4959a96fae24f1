import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasOneReading, readingsFrom } from '../../lib/paths/readings.js'
import { servletPattern, servletPatternProblem } from '../../lib/paths/servlet-pattern.js'

describe('a URL pattern', () => {
  it.each([
    ['/carbon/admin/login.jsp', '/carbon/admin/login.jsp', true],
    ['/carbon/admin/login.jsp', '/carbon/admin/login.jsp/', true],
    ['/carbon/admin/login.jsp', '/CARBON/admin/Login.JSP', true],
    ['/carbon/admin/login.jsp', '/carbon/admin/login.jsp//', true],
    ['/carbon/admin/login.jsp', '/carbon/admin/login.jsp/x', false],
    ['/carbon/admin/login.jsp', '/carbon/admin/login.jspx', false],
    ['/carbon/admin/login.jsp', '/carbon/admin', false],
    ['/carbon/admin/login.jsp', '/x/carbon/admin/login.jsp', false],
    ['/carbon/', '/carbon', true],
    ['/K/*', '/\u212a/x', true],
    ['/x/*', '/x', true],
    ['/x/*', '/x/', true],
    ['/x/*', '/x/y/z', true],
    ['/x/*', '/X/y', true],
    ['/x/*', '/xy', false],
    ['/x/*', '/y/x', false],
    ['/x/*', '/', false],
    ['/x/y/*', '/x', false],
    ['*.jsp', '/login.jsp', true],
    ['*.jsp', '/a/b.c/login.JSP', true],
    ['*.jsp', '/login.jsp/', true],
    ['*.jsp', '/.jsp', true],
    ['*.tar.gz', '/a.tar.gz', true],
    ['*.jsp', '/login.jspx', false],
    ['*.jsp', '/loginjsp', false],
    ['*.jsp', '/login.jsp/x', false],
    ['*.jsp', '/', false],
    ['/', '/', true],
    ['/', '/any/path.jsp', true],
    ['/*', '/', true],
    ['/*', '/any/path', true],
    // What OPTIONS asks about the whole server.
    ['/', '*', true],
    ['/*', '*', true],
  ])('%s, asked about %s: %s', (pattern, path, expected) => {
    expect(servletPatternProblem(pattern)).toBeUndefined()
    expect(servletPattern(pattern)(path)).toBe(expected)
  })

  it.each([
    ['', 'must be a path such as'],
    ['carbon/admin', 'must be a path such as'],
    ['*', 'must be /* for every path'],
    ['*jsp', 'must be a path such as'],
    ['jsp*', 'must end in /*'],
    ['*.', 'must be a path such as'],
    ['*.*', 'without other wildcards'],
    ['/*.jsp', 'must be *.jsp: an extension has no path before it'],
    ['/carbon/*.jsp', 'must be *.jsp: an extension'],
    ['/carbon*', 'must end in /*, to cover /carbon and everything below it'],
    ['/carbon/**', 'without other wildcards'],
    ['/*/admin', 'without other wildcards'],
    ['/a*b/c', 'without other wildcards'],
    ['/*.x/y', 'without other wildcards'],
    ['/a/*.jsp/x', 'without other wildcards'],
    ['*.jsp/x', 'must be a path such as'],
    ['a/*.jsp', 'must be a path such as'],
    ['a*.b', 'must be a path such as'],
    ['/*/admin/*', 'without other wildcards'],
    ['*.j*p', 'without other wildcards'],
    ['/carbon/(admin)', 'without other wildcards'],
    ['/:portal', 'without other wildcards'],
    ['/a;b', 'without other wildcards'],
    ['/a\\b', 'without other wildcards'],
    ['/a?b', 'without a query'],
    ['/a#b', 'without a query'],
    ['/a%20b', 'without percent-escapes'],
    ['*.j%73p', 'without percent-escapes'],
    ['/a b', 'without blanks'],
    ['/a\r\n/*', 'without blanks'],
    ['/a/../*', 'without "." and ".." segments'],
    ['/a/../b', 'without "." and ".." segments'],
    ['/a//b', 'without empty segments'],
    ['//*', 'without empty segments'],
  ])('%j is refused: %s', (pattern, rule) => {
    expect(servletPatternProblem(pattern)).toContain(rule)
    expect(servletPatternProblem(pattern)).toMatch(/^must /)
  })
})

const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'x'), minLength: 1, maxLength: 4 })
const segment = name.filter((text) => text !== '.' && text !== '..')
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`)

/** Spells a path in another way that servers read as the same. */
const spelling = path.chain((plain) =>
  fc
    .array(fc.constantFrom('plain', 'escaped', 'capital', 'slash', 'dot', 'parameter', 'parent'), {
      minLength: plain.length,
      maxLength: plain.length,
    })
    .map((ways) => [plain, [...plain].map((character, index) => spelled(character, ways[index]!)).join('')] as const),
)

function spelled(character: string, way: string): string {
  if (way === 'capital') return character.toUpperCase()
  if (way === 'escaped') return `%${character.charCodeAt(0).toString(16)}`
  if (character !== '/') return character
  return { slash: '//', dot: '/./', parameter: ';v=1/', parent: '/y/../' }[way] ?? character
}

describe('the matcher', () => {
  it('covers with /x/* what is /x or begins with /x/, by the letter', () => {
    fc.assert(
      fc.property(path, path, (prefix, asked) => {
        const isBelow = asked === prefix || asked.startsWith(`${prefix}/`)
        expect(servletPattern(`${prefix}/*`)(asked)).toBe(isBelow)
        expect(servletPattern(prefix)(asked)).toBe(asked === prefix)
      }),
    )
  })

  it('covers with *.ext what ends with it', () => {
    fc.assert(
      fc.property(path, (asked) => {
        expect(servletPattern('*.a')(asked)).toBe(asked.endsWith('.a'))
      }),
    )
  })

  it('finds a path among the readings of any spelling of it', () => {
    fc.assert(
      fc.property(spelling, ([plain, asked]) => {
        const readings = hasOneReading(asked) ? [asked] : readingsFrom(asked)!
        for (const pattern of [plain, `${plain}/*`, '/', '/*']) {
          expect(readings.some(servletPattern(pattern))).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('takes any text as a pattern, or says what is wrong with it', () => {
    const text = fc.string({ unit: fc.constantFrom(...'/*.ax%;? \\'.split('')), maxLength: 8 })
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (pattern) => {
        const problem = servletPatternProblem(pattern)
        if (problem === undefined) expect(typeof servletPattern(pattern)('/')).toBe('boolean')
        else expect(problem).toMatch(/^must /)
      }),
      { numRuns: 1000 },
    )
  })
})
