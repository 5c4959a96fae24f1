import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DurationUnit, parseDuration } from '../../../lib/config/values/durations.js'

describe('parseDuration', () => {
  it.each([
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['0.5s', 500],
    ['1ms', 1],
    ['0.25ms', 0.25],
    ['15 m', 900_000],
    ['2d', 172_800_000],
    ['007s', 7_000],
  ])('reads %j as %d milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  it.each([
    '',
    '60',
    '-5m',
    '+5m',
    'P30m',
    '5M',
    '5 min',
    '5mm',
    '1h30m',
    '1,5h',
    '.5s',
    '5.s',
    ' 5s',
    '5s ',
    '1e3s',
    '\u0663s',
    'Infinitys',
  ])('does not take %j for a duration', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it.each(['0s', '0.0m', '999999999999d'])('does not take %j, which cannot be waited for', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it('gives a bare number the unit that is named for it', () => {
    expect(parseDuration('30', 'm')).toBe(1_800_000)
    expect(parseDuration('30s', 'm')).toBe(30_000)
    expect(parseDuration('0', 'm')).toBeUndefined()
  })

  it('reads every number with every unit exactly', () => {
    const units: Record<DurationUnit, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
    const unit = fc.constantFrom(...(Object.keys(units) as DurationUnit[]))
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        unit,
        fc.constantFrom('', ' ', '\t'),
        (number, unit, space) => {
          expect(parseDuration(`${number}${space}${unit}`)).toBe(number * units[unit])
        },
      ),
    )
  })

  it('returns a positive number or nothing for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d. smhd-]{0,12}$/)), (text) => {
        const milliseconds = parseDuration(text) ?? 1
        expect(milliseconds > 0 && Number.isFinite(milliseconds)).toBe(true)
      }),
    )
  })
})
