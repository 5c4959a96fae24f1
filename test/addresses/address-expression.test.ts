import { createContext, runInContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileExpression, type Program, programMatcher } from '../../lib/addresses/expression-matcher.js'
import { parseExpression } from '../../lib/addresses/wso2-expression.js'

const programOf = (source: string): Program => compileExpression(parseExpression(source))
const matches = (source: string, text: string): boolean => programMatcher(programOf(source))(text)

describe('an expression', () => {
  it.each([
    ['10\\.0\\.0\\.\\d+', '10.0.0.77', true],
    ['10\\.0\\.0\\.\\d+', '10.0.0.', false],
    ['10\\.0\\.0\\.\\d+', '110.0.0.7', false],
    ['10\\.0\\.0\\.\\d+', '10.0.0.7.', false],
    ['192\\.168\\..*', '192.168.3.4', true],
    ['192\\.168\\..*', '192.1683.4', false],
    ['^10\\..*$|^11\\..*$', '11.1.1.1', true],
    ['\\A10\\..*\\z', '10.1.1.1', true],
    ['1^0', '10', false],
    ['1$0', '10', false],
    ['$1', '1', false],
    ['^$', '', true],
    ['10\\Z', '10', true],
    ['10\\.(?:1|2[0-3])\\.0\\.1', '10.22.0.1', true],
    ['10\\.(?:1|2[0-3])\\.0\\.1', '10.24.0.1', false],
    ['(?<net>10)\\.1', '10.1', true],
    ['(?i)FE80:.*', 'fe80::1', true],
    ['FE80:[A-F]+', 'fe80:abcdef', true],
    ['[^1]0', '20', true],
    ['[^1]0', '10', false],
    ['[\\d.]+', '10.1', true],
    ['[\\d.]+', '10:1', false],
    ['[0-]', '0', true],
    ['[1-1]', '1', true],
    ['[0-9-f]', 'f', true],
    ['[0-9-f]', 'a', false],
    [`[${'1'.repeat(998)}]`, '1', true],
    ['[^\\/]+', '::1', true],
    ['\\w+', '12ab', true],
    ['\\D\\W\\S', ':.0', true],
    ['[\\s1]', '1', true],
    ['1{3}', '111', true],
    ['1{3}', '1111', false],
    ['1{2,}', '1', false],
    ['1{2,}', '11111', true],
    ['1{1,3}', '111', true],
    ['1{1,3}', '1111', false],
    ['1{1,12}', '1'.repeat(12), true],
    ['1{1,12}', '1'.repeat(13), false],
    ['1{0}', '', true],
    ['1*?2+?3??', '1122', true],
    ['(?:){9}1', '1', true],
    ['(?:1*)*2', '1112', true],
  ])('%s, asked about %j: %s', (source, text, expected) => {
    expect(matches(source, text)).toBe(expected)
  })

  it.each([
    ['(?=1).*', /group of a kind/],
    ['(?!1).*', /group of a kind/],
    ['(?<=1).*', /group of a kind/],
    ['(?<!1).*', /group of a kind/],
    ['(?>1).*', /group of a kind/],
    ['(?s).*', /group of a kind/],
    ['(1)\\1', /\\1, which is not supported/],
    ['(?<n>1)\\k<n>', /\\k, which is not supported/],
    ['\\b1', /\\b, which/],
    ['\\Q1\\E', /\\Q, which/],
    ['\\p{Digit}', /\\p, which/],
    ['1++', /\+ behind another quantifier/],
    ['1*+', /\+ behind/],
    ['1{2}{3}', /\{ behind/],
    ['1+??', /\? behind/],
    ['*1', /\* that has nothing to repeat/],
    ['+', /nothing to repeat/],
    ['{2}', /nothing to repeat/],
    ['1{', /no count/],
    ['1{,3}', /no count/],
    ['1{x}', /no count/],
    ['1{3,2}', /below its start/],
    ['(1', /without its \)/],
    ['1)', /without its \(/],
    ['[1', /without its \]/],
    ['[]', /nothing in it/],
    ['[^]', /nothing in it/],
    ['[9-0]', /no range/],
    ['[0-[1]]', /no range|another one/],
    ['[a[b]]', /another one/],
    ['[0-9&&[^5]]', /another one/],
    ['[0-9&&]', /another one/],
    ['[[:digit:]]', /another one/],
    ['1\\', /backslash at the end/],
    ['[1\\', /backslash at the end/],
    ['10 ', /" ", which is in no address/],
    ['10\\/8', /"\/", which/],
    ['}]1', /"}", which/],
    ['localhost', /"l", which/],
    ['\u0661', /which is in no address/],
    [`${'('.repeat(600)}1${')'.repeat(600)}`, /more than 1000 characters/],
    [`[${'1'.repeat(999)}]`, /more than 1000 characters/],
    ['1{999}2{999}', /more than 1000 steps/],
    ['((1{99}){99}){99}', /more than 1000 steps/],
    ['(1?){999}', /more than 1000 steps/],
  ])('%s is refused', (source, message) => {
    expect(() => programOf(source)).toThrow(message)
    expect(() => programOf(source)).toThrow(TypeError)
  })

  it('that repeats nothing very often takes no steps for it', () => {
    expect(programOf('((((){999}){999}){999}){999}')).toHaveLength(1)
  })
})

const { source } = fc.letrec<{ source: string; atom: string; group: string }>((tie) => ({
  atom: fc.constantFrom('1', '0', 'a', 'F', ':', '\\.', '.', '\\d', '\\D', '\\w', '[0-5]', '[^:]', '[.:]', '[a-f1]'),
  group: fc.tuple(fc.constantFrom('(', '(?:'), tie('source')).map(([start, inner]) => `${start}${inner})`),
  source: fc
    .array(
      fc.array(
        fc
          .tuple(
            fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('atom'), tie('group')),
            fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,}', '{0,2}', '*?'),
          )
          .map((parts) => parts.join('')),
        { maxLength: 3 },
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((alternatives) => alternatives.map((parts) => parts.join('')).join('|')),
}))

/** Compiles where the expression is not too long. */
function programIfShort(text: string): Program | undefined {
  try {
    return programOf(text)
  } catch (error) {
    expect((error as Error).message).toMatch(/more than 1000 (?:steps|characters)/)
    return undefined
  }
}

const context = createContext({})

/** What the engine of the platform answers; nothing where it backtracks for longer than anybody waits. */
function platformMatches(expression: string, input: string): boolean | undefined {
  try {
    const code = `new RegExp(${JSON.stringify(`^(?:${expression})$`)}, 'i').test(${JSON.stringify(input)})`
    return runInContext(code, context, { timeout: 50 }) as boolean
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' })
    return undefined
  }
}

describe('every expression', () => {
  it('matches what the engine of the platform matches', () => {
    const text = fc.string({ unit: fc.constantFrom('1', '0', 'a', 'f', ':', '.'), maxLength: 7 })
    fc.assert(
      fc.property(source, text, (expression, input) => {
        const program = programIfShort(expression)
        const expected = program && platformMatches(expression, input)
        fc.pre(program !== undefined && expected !== undefined)
        expect(programMatcher(program)(input)).toBe(expected)
      }),
      { numRuns: 1500 },
    )
  })

  it('takes each step at most once for each character of an address, and once more', () => {
    const text = fc.string({ unit: fc.constantFrom('1', '0', 'a', ':', '.'), minLength: 45, maxLength: 45 })
    fc.assert(
      fc.property(source, text, (expression, input) => expectBounded(programIfShort(expression) ?? [], input)),
      { numRuns: 500 },
    )
  })

  it.each(['(1+)+', '(1*)*', '(1|1)*', '(1|11)+', '((1?){9})*', '(.*)*', '(.*.*.*)*2', '1?1?1?1?1?1?(1+1+)+:'])(
    'that brings other engines to a stop is as quick: %s',
    (expression) => expectBounded(programOf(expression), `${'1'.repeat(44)}x`),
  )
})

/** Counts how often steps are looked at: when one is reached, and when a character is read there. */
function expectBounded(program: Program, text: string): void {
  if (program.length === 0) return
  let looks = 0
  const counting = new Proxy(program, {
    get(target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) looks++
      return Reflect.get(target, name)
    },
  })
  programMatcher(counting)(text)
  expect(looks).toBeGreaterThan(0)
  expect(looks).toBeLessThanOrEqual(2 * program.length * (text.length + 1))
}
